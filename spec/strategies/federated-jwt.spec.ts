/** `federated_jwt`, under Passport and `authenticateClient()` alone, and through a token router over HTTP. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { FederatedJwtStrategy, memoryStore, tokenRouter, type Decision, type WorkloadsOptions } from '../../lib/index.ts'
import { serverKeys } from '../support/keys/made-keys.ts'
import {
  bareMounts,
  expectClient,
  expectRefused,
  mounts,
  notPassed,
  operatorView,
  post,
  type StrategySetup
} from '../support/servers/strategy-app.ts'
import { makeIssuer, type JwtParts } from '../support/servers/trusted-issuer.ts'
import { actions, bearer, clients, cluster, issuer, signRaw, workloads } from '../support/servers/workloads.ts'
import { accepted, actionsToken, clusterToken, now, rows } from './federated-tokens.ts'

const keys = await serverKeys(['ES256'])
const impostor = await makeIssuer(actions.issuer, 'RS256')

const strategyOf =
  (trusted: WorkloadsOptions = workloads): StrategySetup['strategy'] =>
  options =>
    new FederatedJwtStrategy({
      ...options,
      issuer,
      store: memoryStore({ clock: () => now * 1000 }),
      workloads: trusted,
      clock: () => now * 1000
    })
const setup: StrategySetup = { clients, strategy: strategyOf() }

const form = (token: string, client_id: string | undefined = 'deployer', more: Readonly<Record<string, string>> = {}) => ({
  client_assertion_type: bearer,
  client_assertion: token,
  scope: 'jobs',
  ...(client_id !== '' && { client_id }),
  ...more
})

/** A token endpoint with every built-in method. */
function router(trusted: WorkloadsOptions = workloads) {
  const decisions: Decision[] = []
  const app = express().use(
    '/oauth2',
    tokenRouter({
      ...{ issuer, clients, keys, workloads: trusted, scopes: ['jobs'] },
      store: memoryStore({ clock: () => now * 1000 }),
      clock: () => now * 1000,
      onDecision: decision => void decisions.push(decision),
      onError: () => undefined
    })
  )
  const send = (body: object) =>
    request(app)
      .post('/oauth2/token')
      .type('form')
      .send({ grant_type: 'client_credentials', ...body })
  return { app, decisions, send }
}

describe.each(mounts)('federated_jwt with %s', (_, mount) => {
  it.each(accepted)('lets in a token %s', async (_, token, credential) => {
    const under = mount(setup)
    expectClient(await post(under.app, form(await token())), 'deployer')
    expect(under.decisions.at(-1)).toMatchObject({
      client_id: 'deployer',
      method: 'federated_jwt',
      credential,
      outcome: 'authenticated'
    })
    expect(notPassed(under)).toEqual([])
  })
})

describe.each(bareMounts)('federated_jwt alone, with %s', (_, mount) => {
  it.each(rows)('refuses %s at %s', async (_, check, token, client_id) => {
    const under = mount(setup)
    const sent = await token()
    expectRefused(await post(under.app, form(sent, client_id)))
    expect(notPassed(under)).toEqual([`${check}:fail`])
    expect(operatorView(under)).not.toContain(sent.split('.')[2] === '' ? 'no signature' : sent.split('.')[2])
  })

  it('lets a token in without client_id, where one client alone matches it', async () => {
    const under = mount(setup)
    expectClient(await post(under.app, form(await clusterToken(), '')), 'deployer')
  })
})

describe('federated_jwt at a token endpoint', () => {
  it.each(accepted)('lets in a token %s, any number of times', async (_, token) => {
    const { send, decisions } = router()
    const sent = await token()
    for (let time = 0; time < 2; time++) expect((await send(form(sent))).status).toBe(200)
    const replay = decisions.at(-1)?.checks.find(({ check }) => check === 'replay')
    expect(replay).toMatchObject({ outcome: 'pass', received: expect.stringMatching(/^may be used again until \d+$/) })
  })

  it.each(rows)('refuses %s at %s', async (_, check, token, client_id) => {
    const { send, decisions } = router()
    const { status, text } = await send(form(await token(), client_id))
    expect([status, text]).toEqual([401, '{"error":"invalid_client","error_description":"client authentication failed"}'])
    expect(decisions).toHaveLength(1)
    expect(decisions[0]?.checks.find(({ outcome }) => outcome === 'fail')?.check).toBe(check)
  })

  it.each<[string, object]>([
    ['two assertions', { client_assertion: ['a', 'b'] }],
    ['an assertion and a secret', { client_secret: 'aZ3kT9wQm4vR7yN2pL6sX8cF' }]
  ])('answers invalid_request to %s', async (_, more) => {
    const { send } = router()
    const { status, body } = await send({ ...form(await actionsToken()), ...more })
    expect([status, (body as { error: string }).error]).toEqual([400, 'invalid_request'])
  })

  it('says which claim is wrong and why that may be, and shows no other claim', async () => {
    const { send, decisions } = router()
    await send(form(await actionsToken({ claims: { repository_id: '99', actor: 'mallory' } })))
    const failed = decisions[0]?.checks.find(({ outcome }) => outcome === 'fail')
    expect(failed).toMatchObject({
      ...{ check: 'federated_claims', expected: 'repository_id "456789"', received: 'repository_id "99"' },
      fix: 'repository_id is "99", the rule wants "456789": the repository was renamed or copied, or another one has its name now.'
    })
    expect(decisions[0]?.credential).toBe('federated:actions')
    expect(JSON.stringify(decisions)).not.toContain('mallory')
  })

  it('tells legacy tokens of Kubernetes by name', async () => {
    const { send, decisions } = router()
    await send(form(await clusterToken({ claims: { iss: 'kubernetes/serviceaccount' } })))
    expect(JSON.stringify(decisions)).toContain('project a token with audience and expirationSeconds')
  })

  it('refuses what is no JWT, whatever it is', async () => {
    for (const junk of ['x', 'a.b.c', `e30.${'e'.repeat(20_000)}.AAAA`, await signRaw('[]', {}, cluster.privateKey)]) {
      const { send } = router()
      expect((await send(form(junk))).status).toBe(401)
    }
  })
})

describe('a token that names no client', () => {
  const twins: typeof clients = [
    ...clients,
    {
      client_id: 'twin',
      token_endpoint_auth_method: 'federated_jwt',
      federated_credentials: [{ issuer: actions.issuer, claims: { repository_id: '456789' } }]
    }
  ]
  const send = async (parts: JwtParts, list = clients) => {
    const decisions: Decision[] = []
    const options = {
      issuer,
      scopes: ['jobs'],
      clients: list,
      keys,
      workloads,
      store: memoryStore(),
      clock: () => now * 1000,
      onError: () => undefined
    }
    const app = express().use('/oauth2', tokenRouter({ ...options, onDecision: decision => void decisions.push(decision) }))
    const response = await request(app)
      .post('/oauth2/token')
      .type('form')
      .send({ grant_type: 'client_credentials', ...form(await actionsToken(parts), '') })
    return { response, decision: decisions.at(-1), failed: decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail') }
  }

  it('is of the one client whose credential it matches', async () => {
    const { response, decision } = await send({})
    expect([response.status, decision?.client_id]).toEqual([200, 'deployer'])
  })

  it('is of nobody where two clients match', async () => {
    const { response, decision, failed } = await send({}, twins)
    expect(response.status).toBe(401)
    expect(failed).toMatchObject({ check: 'client', received: '2 clients match: deployer, twin' })
    expect(decision).not.toHaveProperty('client_id')
  })

  it('is of nobody where none matches', async () => {
    const { response, failed } = await send({ claims: { repository_id: '99' } })
    expect(response.status).toBe(401)
    expect(failed).toMatchObject({ check: 'client', received: 'no client matches' })
  })

  it('is refused all the same where its signature is not right', async () => {
    const { response, failed } = await send({ key: impostor.privateKey })
    expect([response.status, failed?.check]).toEqual([401, 'signature'])
  })

  it('is not looked for among clients that a function finds', async () => {
    const find = (client_id: string) => clients.find(client => client.client_id === client_id)
    const { response, failed } = await send({}, find as never)
    expect([response.status, failed?.check]).toEqual([401, 'client'])
  })
})

describe('tokens that are good once', () => {
  const once: WorkloadsOptions = {
    ...workloads,
    issuers: [{ issuer: actions.issuer, jwks: { keys: [actions.jwk] }, replay: 'once' }]
  }

  it('have one winner of fifty at once, and none ever after', async () => {
    const { send, decisions } = router(once)
    const sent = form(await actionsToken())
    const statuses = (await Promise.all(Array.from({ length: 50 }, () => send(sent)))).map(({ status }) => status)
    expect(statuses.filter(status => status === 200)).toHaveLength(1)
    expect((await send(sent)).status).toBe(401)
    expect(decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')?.check).toBe('replay')
  })

  it('need a jti', async () => {
    const { send, decisions } = router(once)
    expect((await send(form(await actionsToken({ claims: { jti: undefined } })))).status).toBe(401)
    expect(decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')?.check).toBe('jti')
  })

  it('are not used up by what another check refuses', async () => {
    const { send } = router(once)
    const claims = { jti: 'one' }
    expect((await send(form(await actionsToken({ claims: { ...claims, repository_id: '99' } })))).status).toBe(401)
    expect((await send(form(await actionsToken({ claims })))).status).toBe(200)
  })
})

describe('dials', () => {
  const reporting: WorkloadsOptions = { ...workloads, dials: { audience: 'report', type: 'report' } }

  it('let several audiences and other types in, and tell of them', async () => {
    const { send, decisions } = router(reporting)
    expect((await send(form(await actionsToken({ header: { typ: 'vendor+jwt' }, claims: { aud: [issuer, 'x'] } })))).status).toBe(
      200
    )
    expect(decisions[0]?.checks.filter(({ outcome }) => outcome === 'report').map(({ check }) => check)).toEqual([
      'type',
      'audience'
    ])
  })

  it.each([
    ['another kind of JWT', { header: { typ: 'at+jwt' } }],
    ['audiences without this issuer', { claims: { aud: ['x', 'y'] } }]
  ])('let nobody in with %s', async (_, parts) => {
    const { send } = router(reporting)
    expect((await send(form(await actionsToken(parts)))).status).toBe(401)
  })
})
