/** The JWT bearer grant without client authentication: a platform's token is all there is. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import {
  clientCredentials,
  jwtBearer,
  memoryStore,
  tokenRouter,
  type ClientOfToken,
  type ClientSource,
  type Decision,
  type TokenRouterOptions,
  type WorkloadsOptions
} from '../../lib/index.ts'
import { listening } from '../support/checks/event-log.ts'
import { serverKeys } from '../support/keys/made-keys.ts'
import type { JwtParts } from '../support/servers/trusted-issuer.ts'
import { actions, bearer, bundle, issuer, jwtSpiffe, signers } from '../support/servers/workloads.ts'

const now = 1_800_000_000
const { actionsToken, svid } = signers(() => now)
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
  readonly clients?: ClientSource
  readonly replay?: 'allow' | 'once'
  readonly on?: boolean
  readonly workloads?: WorkloadsOptions
  readonly more?: Partial<TokenRouterOptions>
}

function endpoint({ clients = [agent], replay = 'allow', on = true, workloads: given, more = {} }: Setting = {}) {
  const decisions: Decision[] = []
  const heard = listening()
  const workloads = { issuers: [{ issuer: actions.issuer, jwks: { keys: [actions.jwk] }, replay }], ...given }
  const router = tokenRouter({
    ...{ issuer, clients, keys, workloads, scopes: ['jobs'], resources: [mcp] },
    tokenIssuers: [clientCredentials(), jwtBearer({ trustedIssuers: [], subject: () => undefined, workloads: on })],
    store: memoryStore({ clock: () => now * 1000 }),
    clock: () => now * 1000,
    onDecision: decision => void decisions.push(decision),
    onEvent: heard.onEvent,
    onError: () => undefined,
    ...more
  })
  const app = express().use('/oauth2', router)
  const send = async (parts: JwtParts = {}, more: object = {}) =>
    request(app)
      .post('/oauth2/token')
      .type('form')
      .send({ grant_type, assertion: await actionsToken(parts), ...more })
  /** As client authentication, without `client_id`. */
  const authenticate = async (client_assertion: string, more: object = {}) =>
    request(app)
      .post('/oauth2/token')
      .type('form')
      .send({ grant_type: 'client_credentials', client_assertion_type: bearer, client_assertion, ...more })
  return { app, send, authenticate, decisions, heard }
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

const failedCheck = (decisions: readonly Decision[]) => decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')

describe('what is told of the grant', () => {
  it('is an authentication like any other, and then a token', async () => {
    const { send, decisions, heard } = endpoint()
    await send()
    const [event] = heard.events
    expect(heard.types()).toEqual(['authentication.succeeded', 'token.issued'])
    expect(event).toMatchObject({
      ...{ client_id: 'agent', endpoint: 'token', method: 'federated_jwt', decision: decisions[0] },
      credential: decisions[0]?.credential
    })
    expect(decisions).toHaveLength(1)
    expect(decisions[0]?.checks.map(({ check, outcome }) => `${check}:${outcome}`)).toEqual([
      ...['client:pass', 'registered_method:pass', 'assertion_format:pass', 'federated_issuer:pass', 'header:pass', 'type:pass'],
      ...['algorithm:pass', 'key:pass', 'signature:pass', 'audience:pass', 'expiry:pass', 'not_before:pass', 'issued_at:pass'],
      ...['lifetime:pass', 'federated_subject:pass', 'federated_claims:pass', 'jti:pass', 'replay:pass']
    ])
  })

  it.each(['allow', 'once'] as const)(
    'is the authentication also where what is asked for is refused (replay: %s)',
    async replay => {
      const { send, decisions, heard } = endpoint({ replay })
      await send({}, { scope: 'admin' })
      expect(heard.types()).toEqual(['authentication.succeeded', 'token.refused'])
      expect(decisions).toMatchObject([{ outcome: 'authenticated', client_id: 'agent' }])
      expect(decisions[0]?.checks.at(-1)).toMatchObject({ check: 'replay', outcome: replay === 'allow' ? 'pass' : 'skipped' })
    }
  )

  it('is a refusal, once, with the check that failed', async () => {
    const { send, decisions, heard } = endpoint({ replay: 'once' })
    const claims = { jti: 'one' }
    await send({ claims })
    await send({ claims })
    const { 2: event } = [...heard.events]
    expect(heard.types()).toEqual([
      'authentication.succeeded',
      'token.issued',
      'authentication.refused',
      'assertion.replayed',
      'token.refused'
    ])
    expect(event).toMatchObject({ client_id: 'agent', error: 'invalid_grant', decision: decisions[1] })
    expect(failedCheck(decisions)?.check).toBe('replay')
    await send({ claims: { repository_id: '99' } })
    expect(heard.types()).toEqual(['authentication.refused'])
    expect(failedCheck(decisions)).toMatchObject({ check: 'client', received: 'no client matches' })
    expect(decisions).toHaveLength(3)
  })

  it('is no answer where the platform does not answer', async () => {
    const fetchJson = () => Promise.reject(new Error('down'))
    const { send, decisions, heard } = endpoint({ workloads: { issuers: [{ issuer: actions.issuer }], fetchJson } })
    expect(errorOf(await send())).toEqual([503, 'temporarily_unavailable'])
    expect(heard.types()).toEqual(['authentication.unanswered'])
    expect(failedCheck(decisions)).toMatchObject({ check: 'key', received: expect.stringContaining('cannot be had') })
    // no client matches, and nobody is told that by another answer
    expect(errorOf(await send({ claims: { repository_id: '99' } }))).toEqual([503, 'temporarily_unavailable'])
  })

  it('is as little as that of any client where an attestation is asked of everybody', async () => {
    const attestation = { attesters: [{ jwks: { keys: [actions.jwk] } }], signal: 'required' as const }
    const { send, decisions } = endpoint({ more: { attestation } })
    expect((await send()).status).toBe(400)
    expect(failedCheck(decisions)?.check).toBe('attestation_header')
  })
})

describe('clients that a function looks up', () => {
  const kept = new Map<string, object>([
    ['agent', { ...agent, grant_types: [grant_type, 'client_credentials'] }],
    ['narrow', { ...agent, client_id: 'narrow', federated_credentials: [{ issuer: actions.issuer, subject: 'another' }] }],
    ['secret', { client_id: 'secret', client_secret: 'aZ3kT9wQm4vR7yN2pL6sX8cF', grant_types: [grant_type], response_types: [] }],
    [
      'mesh',
      {
        ...{ client_id: 'mesh', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://prod.example/billing' },
        ...{ grant_types: ['client_credentials'], response_types: [] }
      }
    ]
  ])
  const lookUp = ((client_id: string) => Promise.resolve(kept.get(client_id))) as ClientSource
  const looking = (clientOf?: ClientOfToken, clients = lookUp) => {
    const asked: Readonly<Record<string, unknown>>[] = []
    const finds: ClientOfToken | undefined =
      clientOf &&
      (claims => {
        asked.push(claims)
        return clientOf(claims)
      })
    const trustDomains = [{ trustDomain: 'prod.example', bundle }]
    return { ...endpoint({ clients, workloads: { clientOf: finds, trustDomains } }), asked }
  }
  const byRepository: ClientOfToken = ({ repository_id }) => Promise.resolve(repository_id === '456789' ? 'agent' : undefined)

  it('are found by what clientOf says, in the grant and as client authentication', async () => {
    const { send, authenticate, decisions, asked } = looking(byRepository)
    expect((await send()).status).toBe(200)
    expect((await authenticate(await actionsToken())).status).toBe(200)
    expect(decisions).toMatchObject([
      { client_id: 'agent', outcome: 'authenticated' },
      { client_id: 'agent', outcome: 'authenticated' }
    ])
    expect(asked).toMatchObject([{ iss: actions.issuer, repository_id: '456789' }, { iss: actions.issuer }])
  })

  it('are found by a SPIFFE ID', async () => {
    const { authenticate, decisions } = looking(({ sub }) => (sub === 'spiffe://prod.example/billing' ? 'mesh' : undefined))
    expect((await authenticate(await svid(), { client_assertion_type: jwtSpiffe })).status).toBe(200)
    expect(decisions).toMatchObject([{ client_id: 'mesh', method: 'spiffe_jwt', outcome: 'authenticated' }])
  })

  it('need no clientOf where the request names them', async () => {
    const { authenticate, asked } = looking(() => 'narrow')
    expect((await authenticate(await actionsToken(), { client_id: 'agent' })).status).toBe(200)
    expect(asked).toEqual([])
    expect(errorOf(await looking().authenticate(await actionsToken()))).toEqual([401, 'invalid_client'])
    expect(errorOf(await looking().send())).toEqual([400, 'invalid_grant'])
  })

  it.each<[string, ClientOfToken, JwtParts, string]>([
    ['is asked of nobody’s token', byRepository, { claims: { repository_id: '99' } }, 'client'],
    ['answers null', () => null, {}, 'client'],
    ['answers a number', (() => 7) as never, {}, 'client'],
    ['answers a client that is not there', () => 'nobody', {}, 'client'],
    ['answers a client of another method', () => 'secret', {}, 'registered_method'],
    ['answers a client whose credentials want something else', () => 'narrow', {}, 'federated_subject'],
    ['is right about a token that another key signed', () => 'agent', { header: { kid: 'x' } }, 'key']
  ])('are nobody where it %s', async (_, clientOf, parts, check) => {
    const { send, authenticate, decisions } = looking(clientOf)
    expect(errorOf(await send(parts))).toEqual([400, 'invalid_grant'])
    expect(failedCheck(decisions)?.check).toBe(check)
    expect(errorOf(await authenticate(await actionsToken(parts)))).toEqual([401, 'invalid_client'])
    expect(failedCheck(decisions)?.check).toBe(check)
  })

  it('are not looked for by a token of nobody trusted, nor where the configured list has one or several', async () => {
    const { send, asked } = looking(() => 'agent')
    expect(errorOf(await send({ claims: { iss: 'https://evil.example' } }))).toEqual([400, 'invalid_grant'])
    expect(errorOf(await send({}, { assertion: 'x' }))).toEqual([400, 'invalid_grant'])
    expect(asked).toEqual([])
    const listed = looking(() => 'narrow', [agent])
    expect((await listed.send()).status).toBe(200)
    const twins = looking(() => 'agent', [agent, { ...agent, client_id: 'twin' }])
    expect(errorOf(await twins.send())).toEqual([400, 'invalid_grant'])
    expect([listed.asked, twins.asked]).toEqual([[], []])
  })

  it.each<[string, ClientOfToken]>([
    [
      'throws',
      () => {
        throw new Error('secret detail')
      }
    ],
    ['rejects', () => Promise.reject(new Error('secret detail'))]
  ])('are not there at the moment where it %s: 503', async (_, clientOf) => {
    const { send, authenticate, heard } = looking(clientOf)
    for (const answer of [await send(), await authenticate(await actionsToken())]) {
      expect(errorOf(answer)).toEqual([503, 'temporarily_unavailable'])
      expect(answer.text).not.toContain('secret detail')
    }
    expect(heard.types()).toEqual(['authentication.unanswered', 'authentication.unanswered'])
  })
})
