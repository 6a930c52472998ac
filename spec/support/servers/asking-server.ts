/** The harness, with an application that keeps what it is asked to show. */
import express, { type Express } from 'express'
import request from 'supertest'
import type { AuthorizationServerOptions, Interaction, InteractionPrompt } from '../../../lib/index.ts'
import { alice, harness, type Harness } from './authorization-server.ts'

export interface Asking extends Harness {
  /** What the application was asked to show, in order. */
  readonly prompts: InteractionPrompt[]
}

/** A harness whose application keeps what it is asked to show. */
export async function asking(options: Partial<AuthorizationServerOptions> = {}, acr?: string): Promise<Asking> {
  const prompts: InteractionPrompt[] = []
  const state: { person?: Harness['person'] } = {}
  const interaction: Interaction = {
    account: () => state.person?.account,
    consented: () => state.person?.consented === true,
    prompt: (_req, res, prompt) => {
      prompts.push(prompt)
      res.json({ id: prompt.id, name: prompt.name })
    }
  }
  const h = await harness({ interaction, ...options }, express())
  state.person = h.person
  h.person.account = { sub: alice.sub, auth_time: h.clock.now / 1000 - 100, ...(acr !== undefined && { acr }) }
  return { ...h, prompts }
}

export const resume = (app: Express, id: string | undefined, result: object) =>
  request(app)
    .post(`/resume/${id ?? ''}`)
    .send(result)

/** Whoever signs in now. */
export function signIn(h: Harness, sub: string, acr?: string) {
  h.person.account = { sub, auth_time: h.clock.now / 1000, ...(acr !== undefined && { acr }) }
  return { login: h.person.account }
}
