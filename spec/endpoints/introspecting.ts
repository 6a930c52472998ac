/** A server with an API that reads JWTs and one that does not, each with the client it introspects with. */
import { expect } from '@jest/globals'
import type { Express } from 'express'
import type { Response } from 'supertest'
import type { AuthorizationServerOptions } from '../../lib/index.ts'
import { api, clients, files, harness, token, type Harness } from '../support/servers/authorization-server.ts'

export const path = '/oauth2/introspect'
export const jwtAnswer = 'application/token-introspection+jwt'
/** Clients that are nothing but what a resource asks with. */
export const backends = ['api-backend', 'files-backend'].map(client_id => ({
  client_id,
  client_secret: `secret of ${client_id}`,
  grant_types: []
}))
/** `spa` is listed too: that does not make a public client one that may ask. */
const resources = [
  { resource: api, scopes: ['api:read', 'api:write'], introspectionClients: ['api-backend', 'spa'] },
  {
    resource: files,
    scopes: ['files:read'],
    accessTokenFormat: 'opaque' as const,
    accessTokenTtl: 120,
    introspectionClients: ['files-backend']
  }
]

export const start = (options: Partial<AuthorizationServerOptions> = {}): Promise<Harness> =>
  harness({ clients: [...clients, ...backends], resources, ...options })

export const ask = (app: Express, client_id: string, about: string) => token(app, client_id, { token: about }, path)

export const bodyOf = async (app: Express, client_id: string, about: string) => {
  const { status, body } = await ask(app, client_id, about)
  expect(status).toBe(200)
  return body as Record<string, unknown>
}

/** Says that the token is not good, and not a letter more. */
export function expectInactive({ status, text, headers }: Response): void {
  expect([status, text]).toEqual([200, '{"active":false}'])
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json', 'content-length': '16' })
}
