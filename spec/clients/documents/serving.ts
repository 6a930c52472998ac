/** A whole server that takes clients with documents, and what such a client asks of it. */
import request from 'supertest'
import type { AuthorizationServerOptions, Decision, ServerEvent } from '../../../lib/index.ts'
import {
  authorize,
  code_verifier,
  harness,
  redirected,
  type Form,
  type Harness
} from '../../support/servers/authorization-server.ts'
import { redirect_uri, type DocumentServer } from '../../support/servers/document-server.ts'

export interface Serving extends Harness {
  readonly events: ServerEvent[]
  readonly decisions: Decision[]
}

/** A server with an issuer on loopback, which takes the documents of this host. */
export async function serveDocuments(host: DocumentServer, options: Partial<AuthorizationServerOptions> = {}): Promise<Serving> {
  const events: ServerEvent[] = []
  const decisions: Decision[] = []
  const made = await harness({
    issuer: 'http://localhost:3000',
    clientDocuments: { hosts: ['localhost'], ca: host.ca, timeout: 500 },
    onEvent: event => void events.push(event),
    onDecision: decision => void decisions.push(decision),
    ...options
  })
  return { ...made, events, decisions }
}

export const ask = (app: Harness['app'], client_id: string, change: Readonly<Record<string, string | undefined>> = {}) =>
  authorize(app, { client_id, redirect_uri, ...change })

/** A person agrees where they are asked; answers with the code's parameters. */
export async function agree(app: Harness['app'], client_id: string, change = {}): Promise<Form> {
  const asked = await ask(app, client_id, change)
  if (asked.status === 303) return redirected(asked)
  const { id } = asked.body as { id: string }
  const answer = await request(app).post(`/resume/${id}`).send({ consent: true })
  return redirected(answer)
}

export const post = (app: Harness['app'], form: Form) => request(app).post('/oauth2/token').type('form').send(form)

export const codeForm = ({ code = '' }: Form, client_id: string): Form => ({
  grant_type: 'authorization_code',
  client_id,
  code,
  redirect_uri,
  code_verifier
})
