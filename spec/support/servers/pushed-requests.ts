/** Pushes authorization requests, and does with them what browsers do. */
import { expect } from '@jest/globals'
import type { Express } from 'express'
import request, { type Response } from 'supertest'
import { authorizationQuery, callback, code_challenge, token } from './authorization-server.ts'

export const par = '/oauth2/par'
const good = {
  redirect_uri: callback,
  response_type: 'code',
  scope: 'openid api:read',
  state: 'pushed',
  code_challenge,
  code_challenge_method: 'S256'
}
export type Change = Readonly<Record<string, string | undefined>>

export function form(change: Change = {}): string {
  const query = new URLSearchParams(authorizationQuery({ ...good, client_id: undefined, ...change }))
  return query.toString()
}

export const push = (app: Express, change: Change = {}, client_id = 'web') => token(app, client_id, form(change), par)

export async function pushed(app: Express, change: Change = {}, client_id = 'web'): Promise<string> {
  const response = await push(app, change, client_id)
  if (response.status !== 201) throw new Error(`not pushed: ${response.text}`)
  return (response.body as { request_uri: string }).request_uri
}

export const open = (app: Express | string, request_uri: string, change: Readonly<Record<string, string>> = {}) =>
  request(app).get(`/oauth2/authorize?${new URLSearchParams({ client_id: 'web', request_uri, ...change }).toString()}`)
export const resume = (app: Express | string, id: string, result: object) => request(app).post(`/resume/${id}`).send(result)
export const idOf = (response: Response) => (response.body as { id: string }).id

/** An error page, and no redirect. */
export function expectPage(response: Response, error: string) {
  expect([response.status, response.headers['location']]).toEqual([400, undefined])
  expect(response.text).toContain(`<code>${error}</code>`)
}
