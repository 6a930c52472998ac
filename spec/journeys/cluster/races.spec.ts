/**
 * Four server processes on one store, and two hundred requests at once, spread over them, that all want the same thing: one gets
 * it, every time. `CLUSTER_ROUNDS=50 npm run test:engines -- spec/journeys/cluster/races` for as many rounds as you like.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { makeDpopKey, prove, type DpopKey } from '../../support/clients/dpop.ts'
import { assertion, clients, credentials } from './clients.ts'
import { codeFor, redemption, startCluster, tokenEndpoint, type Cluster, type Request } from './cluster.ts'
import { engines, type RunningEngine } from './engines.ts'
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
})
