/**
 * Four server processes on one store, and two hundred requests at once, spread over them, that all want the same thing: one gets
 * it, every time. `CLUSTER_ROUNDS=50 npm run test:engines -- spec/journeys/cluster/races` for as many rounds as you like.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { scopedStore } from 'clientele'
import { grantKey } from '../../../lib/tokens/grant.ts'
import { keepGrant, personGrants } from '../../../lib/tokens/person-grants.ts'
import type { TokenServer } from '../../../lib/tokens/token-server.ts'
import { tokens } from '../../tokens/server.ts'
import { makeDpopKey, prove, type DpopKey } from '../../support/clients/dpop.ts'
import { assertion, clients, credentials } from './clients.ts'
import { codeFor, redemption, startCluster, tokenEndpoint, type Cluster, type Request } from './cluster.ts'
import { engines, openStore, type RunningEngine } from './engines.ts'
import { platformToken } from './platform.ts'
import { report } from './report.ts'
import { deviceCodeGrantType } from './setup.ts'

const rounds = Number(process.env['CLUSTER_ROUNDS'] ?? 3)
const racers = 200
jest.setTimeout(120_000 + rounds * 30_000)

describe.each(Object.keys(engines))('four processes on %s', name => {
  let engine: RunningEngine | undefined
  let cluster: Cluster
  let dpop: DpopKey

  beforeAll(async () => {
    engine = await (engines[name] as () => Promise<RunningEngine>)()
    cluster = await startCluster(engine.store, clients)
    dpop = await makeDpopKey()
  })
  afterAll(async () => {
    await (cluster as Cluster | undefined)?.stop()
    await engine?.stop()
  })

  /** Sends the same request two hundred times at once; answers how often each answer came. */
  async function race(request: Request, path = '/oauth2/token') {
    const answers = await Promise.all(Array.from({ length: racers }, (_, racer) => cluster.ask(racer, path, request)))
    const counts: Record<string, number> = {}
    for (const { status, body } of answers) {
      const outcome = `${status} ${body['error'] ?? ''}`.trim()
      counts[outcome] = (counts[outcome] ?? 0) + 1
    }
    return { counts, bodies: answers.filter(({ status }) => status === 200).map(({ body }) => body) }
  }

  /** Runs a race again and again, and expects the same of each. */
  async function everyRound(thing: string, run: (round: number) => Promise<Readonly<Record<string, number>>>, counts: object) {
    for (let round = 0; round < rounds; round++) expect(await run(round)).toEqual(counts)
    report({ test: 'races', engine: name, thing, rounds, requests: rounds * racers, winnersPerRound: 1 })
  }

  const person = (thing: string, round: number) => `${thing} ${round}`

  it('redeem a code once', () =>
    everyRound(
      'code',
      async round => {
        const code = await codeFor(cluster, round, 'web', person('code', round))
        return (await race({ form: redemption(code), headers: credentials })).counts
      },
      { 200: 1, '400 invalid_grant': racers - 1 }
    ))

  async function refreshToken(round: number, path: string): Promise<string> {
    const code = await codeFor(cluster, round, 'web', person('refresh', round), path)
    const { body } = await cluster.ask(round, `${path}/oauth2/token`, { form: redemption(code), headers: credentials })
    return String(body['refresh_token'])
  }

  it('replace a refresh token once, without a retry window', () =>
    everyRound(
      'refresh token, no retry window',
      async round => {
        const refresh_token = await refreshToken(round, '/strict')
        const form = { grant_type: 'refresh_token', refresh_token }
        return (await race({ form, headers: credentials }, '/strict/oauth2/token')).counts
      },
      { 200: 1, '400 invalid_grant': racers - 1 }
    ))

  it('replace a refresh token by the same successor, however often they are asked within the retry window', () =>
    everyRound(
      'refresh token, retry window',
      async round => {
        const form = { grant_type: 'refresh_token', refresh_token: await refreshToken(round, '') }
        const { counts, bodies } = await race({ form, headers: credentials })
        expect(new Set(bodies.map(body => body['refresh_token'])).size).toBe(1)
        return counts
      },
      { 200: racers }
    ))

  it('take an assertion once', () =>
    everyRound(
      'assertion jti',
      async () => {
        return (await race({ form: { grant_type: 'client_credentials', ...(await assertion()) } })).counts
      },
      { 200: 1, '401 invalid_client': racers - 1 }
    ))

  it('take a platform’s token once, where its tokens are good once', () =>
    everyRound(
      'platform token',
      async () => {
        const form = { grant_type: 'client_credentials', ...(await platformToken('job')) }
        return (await race({ form })).counts
      },
      { 200: 1, '401 invalid_client': racers - 1 }
    ))

  it('take a DPoP proof once', () =>
    everyRound(
      'DPoP proof',
      async () => {
        const proof = await prove(dpop, 'POST', tokenEndpoint, Date.now())
        return (await race({ form: { grant_type: 'client_credentials' }, headers: { ...credentials, dpop: proof } })).counts
      },
      { 200: 1, '400 invalid_dpop_proof': racers - 1 }
    ))

  it('redeem a device code once', () =>
    everyRound(
      'device code',
      async round => {
        const { body } = await cluster.ask(round, '/oauth2/device_authorization', {
          form: { scope: 'openid' },
          headers: credentials
        })
        await cluster.ask(round + 1, `/approve/${body['user_code'] ?? ''}`, { method: 'POST' })
        const form = { grant_type: deviceCodeGrantType, device_code: body['device_code'] ?? '' }
        return (await race({ form, headers: credentials })).counts
      },
      { 200: 1, '400 invalid_grant': racers - 1 }
    ))

  const grantsOf = (sub: string) => cluster.askForList(0, `/people/${encodeURIComponent(sub)}/grants`)

  /** What begins at all of the processes at once for one person: the access tokens. */
  const beginMany = (sub: string, many: number) =>
    Promise.all(
      Array.from({ length: many }, async (_, racer) => {
        const code = await codeFor(cluster, racer, 'web', sub)
        const { body } = await cluster.ask(racer + 1, '/oauth2/token', { form: redemption(code), headers: credentials })
        return body['access_token']
      })
    )

  async function isAlive(access_token: string): Promise<boolean> {
    const headers = { authorization: `Bearer ${access_token}` }
    return (await cluster.ask(2, '/oauth2/userinfo', { headers })).status === 200
  }

  it('list every grant of a person, however many begin at once, and end all of them', () =>
    everyRound(
      'grants of one person',
      async round => {
        const sub = person('grants', round)
        const tokens = await beginMany(sub, racers)
        const listed = await grantsOf(sub)
        const distinct = new Set(listed.map(({ id }) => id)).size
        await cluster.ask(3, `/people/${encodeURIComponent(sub)}/revoke/web`, { method: 'POST' })
        const alive = await Promise.all(tokens.map(token => isAlive(String(token))))
        return { listed: distinct, left: (await grantsOf(sub)).length, alive: alive.filter(Boolean).length }
      },
      { listed: racers, left: 0, alive: 0 }
    ))

  it('leave nothing alive that is not listed, when grants begin while they are taken back', () =>
    everyRound(
      'grants that are taken back as they begin',
      async round => {
        const sub = person('taken back', round)
        let isOver = false
        const takingBack = async () => {
          for (let node = 0; !isOver; node++)
            await cluster.ask(node, `/people/${encodeURIComponent(sub)}/revoke/web`, { method: 'POST' })
        }
        const taking = takingBack()
        const tokens = await beginMany(sub, racers)
        isOver = true
        await taking
        const alive = await Promise.all(tokens.flatMap(token => (token === undefined ? [] : [isAlive(token)])))
        return { unlisted: alive.filter(Boolean).length - (await grantsOf(sub)).length }
      },
      { unlisted: 0 }
    ))

  it('list every grant of a person where list and code are one step', async () => {
    const running = engine
    if (running === undefined) throw new Error('the engine does not run')
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(running.store)))
    try {
      const servers = await Promise.all(stores.map(async store => (await tokens({ store: scopedStore(store, 'whole') })).server))
      const serverOf = (index: number): TokenServer => {
        const server = servers[index % servers.length]
        if (server === undefined) throw new Error('there is no such server')
        return server
      }
      const ids = Array.from({ length: racers }, (_, index) => `g${index}`)
      const record = { client_id: 'web', sub: 'somebody', scope: [], resources: [], auth_method: 'none' }
      await Promise.all(ids.map((id, index) => keepGrant(serverOf(index), id, record, 3600)))
      const listed = async () => (await personGrants(serverOf(1)).grants('somebody')).map(({ id }) => id).sort()
      expect(await listed()).toEqual(ids.toSorted())
      await Promise.all(
        servers.flatMap((server, index) => [
          personGrants(server).revokeGrants('somebody', 'web'),
          keepGrant(server, `late ${index}`, record, 3600)
        ])
      )
      const alive = await Promise.all(servers.map((server, index) => server.store.get(grantKey(`late ${index}`))))
      expect(await listed()).toEqual(alive.flatMap((found, index) => (found === undefined ? [] : [`late ${index}`])))
      for (const id of ids) expect(await serverOf(2).store.get(grantKey(id))).toBeUndefined()
    } finally {
      await Promise.all(stores.map(store => store.close()))
    }
  })
})
