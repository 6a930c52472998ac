/** The JWT bearer grant without client authentication: a platform's token is all there is. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { clientCredentials, jwtBearer, memoryStore, tokenRouter, type Decision, type WorkloadsOptions } from '../../lib/index.ts'
import { serverKeys } from '../support/keys/made-keys.ts'
import type { JwtParts } from '../support/servers/trusted-issuer.ts'
import { actions, issuer, signers } from '../support/servers/workloads.ts'

const now = 1_800_000_000
const { actionsToken } = signers(() => now)
const keys = await serverKeys(['ES256'])
const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const base = {
  token_endpoint_auth_method: 'federated_jwt',
  grant_types: [grant_type],
  response_types: [],
  scope: 'jobs',
  federated_credentials: [{ issuer: actions.issuer, claims: { repository_id: '456789' } }]
}
const agent = { client_id: 'agent', ...base }
const mcp = { resource: 'https://mcp.example', scopes: ['jobs'] }

interface Setting {
  readonly clients?: (typeof agent)[]
  readonly replay?: 'allow' | 'once'
  readonly on?: boolean
}

function endpoint({ clients = [agent], replay = 'allow', on = true }: Setting = {}) {
  const decisions: Decision[] = []
  const workloads: WorkloadsOptions = { issuers: [{ issuer: actions.issuer, jwks: { keys: [actions.jwk] }, replay }] }
  const router = tokenRouter({
    ...{ issuer, clients, keys, workloads, scopes: ['jobs'], resources: [mcp] },
    tokenIssuers: [clientCredentials(), jwtBearer({ trustedIssuers: [], subject: () => undefined, workloads: on })],
    store: memoryStore({ clock: () => now * 1000 }),
    clock: () => now * 1000,
    onDecision: decision => void decisions.push(decision),
    onError: () => undefined
  })
  const app = express().use('/oauth2', router)
  const send = async (parts: JwtParts = {}, more: object = {}) =>
    request(app)
      .post('/oauth2/token')
      .type('form')
      .send({ grant_type, assertion: await actionsToken(parts), ...more })
  return { app, send, decisions }
}

const errorOf = ({ status, body }: { status: number; body: unknown }) => [status, (body as { error?: string }).error]

describe('the JWT bearer grant without client authentication', () => {
  it('gives the one client that matches an access token for the resource, and no refresh token', async () => {
    const { send, decisions } = endpoint()
    const { status, body } = await send({}, { resource: mcp.resource })
    expect(decisions).toMatchObject([{ client_id: 'agent', method: 'federated_jwt', outcome: 'authenticated' }])
    expect([status, Object.keys(body as object).sort()]).toEqual([200, ['access_token', 'expires_in', 'scope', 'token_type']])
  })

  it('takes the token endpoint’s URL as audience too', async () => {
    const { send } = endpoint()
    expect((await send({ claims: { aud: `${issuer}/oauth2/token` } })).status).toBe(200)
  })

  it.each<[string, JwtParts]>([
    ['another repository', { claims: { repository_id: '99' } }],
    ['another audience', { claims: { aud: 'https://elsewhere.example' } }],
    ['an issuer nobody trusts', { claims: { iss: 'https://evil.example' } }],
    ['an end', { claims: { iat: now - 600, exp: now - 61 } }],
    ['a type of another kind', { header: { typ: 'at+jwt' } }],
    ['no iat', { claims: { iat: undefined } }]
  ])('answers invalid_grant to a token with %s', async (_, parts) => {
    const { send, decisions } = endpoint()
    expect(errorOf(await send(parts))).toEqual([400, 'invalid_grant'])
    expect(decisions).toMatchObject([{ outcome: 'refused' }])
  })

  it('answers invalid_grant where two clients match, and to what is no token', async () => {
    const { send } = endpoint({ clients: [agent, { ...agent, client_id: 'twin' }] })
    expect(errorOf(await send())).toEqual([400, 'invalid_grant'])
    expect(errorOf(await send({}, { assertion: 'x' }))).toEqual([400, 'invalid_grant'])
  })

  it('keeps the errors of resource, scope and grant', async () => {
    const { send } = endpoint({ replay: 'once' })
    const claims = { jti: 'one' }
    expect(errorOf(await send({ claims }, { resource: 'https://other.example' }))).toEqual([400, 'invalid_target'])
    expect(errorOf(await send({ claims }, { scope: 'admin' }))).toEqual([400, 'invalid_scope'])
    // neither used the token up
    expect((await send({ claims })).status).toBe(200)
    expect(errorOf(await send({ claims }))).toEqual([400, 'invalid_grant'])
    const without = endpoint({ clients: [{ ...agent, grant_types: ['client_credentials'] }] })
    expect(errorOf(await without.send())).toEqual([400, 'unauthorized_client'])
  })

  it('is not there unless it is asked for, nor for whoever authenticates', async () => {
    expect(errorOf(await endpoint({ on: false }).send())).toEqual([401, 'invalid_client'])
    expect(errorOf(await endpoint().send({}, { client_id: 'agent' }))).toEqual([401, 'invalid_client'])
  })
})
