/**
 * While the database is held still, or is down, every token request is answered 503 within the time the store has; nobody gets a
 * token, and nothing is accepted twice. When it is back so is the server, which was never started again.
 */
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { generateKeys, type Store } from 'clientele'
import Database from 'libsql'
import { makeDpopKey, prove } from '../../support/clients/dpop.ts'
import { application } from './application.ts'
import { assertion, clients, credentials } from './clients.ts'
import { ask, codeFor, redemption, tokenEndpoint, type Answer, type Request } from './cluster.ts'
import { engines, openStore, type RunningEngine } from './engines.ts'
import { workloads } from './platform.ts'
import { report } from './report.ts'
import { deviceCodeGrantType } from './setup.ts'

jest.setTimeout(120_000)

/** Milliseconds an operation of the store may take, and what a busy machine may add to a request. */
const timeout = 1_000
const slack = 2_000

let engine: RunningEngine | undefined
let store: Store | undefined
let listener: Server | undefined

afterEach(async () => {
  listener?.closeAllConnections()
  listener?.close()
  await store?.close()
  await engine?.stop()
})

async function serve(name: string): Promise<RunningEngine & { readonly port: number }> {
  engine = await (engines[name] as () => Promise<RunningEngine>)()
  store = await openStore(engine.store, timeout)
  listener = createServer(application(store, { clients, workloads, keys: await generateKeys(['ES256']) }))
  listener.keepAliveTimeout = 600_000
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return { ...engine, port: (listener.address() as AddressInfo).port }
}

const token = (form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = credentials): Request => ({
  form,
  headers
})
const clientCredentials = { grant_type: 'client_credentials' }

interface Prepared {
  /** Good as often as they are sent. */
  readonly lasting: Readonly<Record<string, Request>>
  /** Good once, and not used yet. */
  readonly fresh: Readonly<Record<string, Request>>
  /** Were good once. */
  readonly used: Readonly<Record<string, Request>>
  readonly all: Readonly<Record<string, Request>>
}

/** Everything a token can be asked for with, while all is well. */
async function prepare(send: (path: string, request?: Request) => Promise<Answer>): Promise<Prepared> {
  const cluster = { ask: (_node: number, path: string, request?: Request) => send(path, request) }
  const dpop = await makeDpopKey()
  const proof = async () => ({ ...credentials, dpop: await prove(dpop, 'POST', tokenEndpoint, Date.now()) })
  const code = async () => token(redemption(await codeFor(cluster, 0, 'web', 'alice')))
  const asserted = async () => token({ ...clientCredentials, ...(await assertion()) }, {})
  const device = await send('/oauth2/device_authorization', { form: { scope: 'openid' }, headers: credentials })
  await send(`/approve/${device.body['user_code'] ?? ''}`, { method: 'POST' })
  const used = {
    'a used code': await code(),
    'a used assertion': await asserted(),
    'a used proof': token(clientCredentials, await proof())
  }
  const answers = await Promise.all(Object.values(used).map(request => send('/oauth2/token', request)))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  const bought = await send('/oauth2/token', await code())
  const lasting = {
    'a secret': token(clientCredentials),
    'a refresh token': token({ grant_type: 'refresh_token', refresh_token: bought.body['refresh_token'] ?? '' })
  }
  const fresh = {
    'a code': await code(),
    'an assertion': await asserted(),
    'a proof': token(clientCredentials, await proof()),
    'a device code': token({ grant_type: deviceCodeGrantType, device_code: device.body['device_code'] ?? '' })
  }
  return { lasting, fresh, used, all: { ...lasting, ...fresh, ...used } }
}

/** Another process that writes, and does not come to an end. */
function holdUp(file: string): () => void {
  const other = new Database(file)
  other.exec('begin immediate')
  return () => {
    other.exec('rollback')
    other.close()
  }
}

type Outage = (running: RunningEngine) => Promise<() => Promise<void>>

const outages: readonly (readonly [string, string, Outage])[] = [
  ...['PostgreSQL', 'Redis'].flatMap(name => [
    [
      name,
      'held still',
      ({ server }: RunningEngine) => {
        server?.freeze()
        return Promise.resolve(() => Promise.resolve(server?.thaw()))
      }
    ] as const,
    [
      name,
      'killed',
      async ({ server }: RunningEngine) => {
        await server?.kill()
        return async () => server?.start()
      }
    ] as const
  ]),
  [
    'SQLite',
    'held up by another process',
    ({ store: { address } }: RunningEngine) => {
      const letGo = holdUp(String(address))
      return Promise.resolve(() => {
        letGo()
        return Promise.resolve()
      })
    }
  ]
]

describe.each(outages)('%s, %s', (name, how, outage) => {
  it('costs every token request an answer within its time, and nothing else', async () => {
    const running = await serve(name)
    const send = (path: string, request?: Request) => ask(running.port, path, request)
    const prepared = await prepare(send)

    const end = await outage(running)
    let slowest = 0
    const during = await Promise.all(
      Object.entries(prepared.all).map(async ([what, request]) => {
        const begun = performance.now()
        const { status, body, retryAfter } = await send('/oauth2/token', request)
        slowest = Math.max(slowest, performance.now() - begun)
        return [what, { status, error: body['error'], token: body['access_token'], comeBack: Number(retryAfter) > 0 }]
      })
    )
    const unavailable = { status: 503, error: 'temporarily_unavailable', token: undefined, comeBack: true }
    expect(Object.fromEntries(during)).toEqual(Object.fromEntries(Object.keys(prepared.all).map(what => [what, unavailable])))
    expect(slowest).toBeLessThan(timeout + slack)
    await end()

    /** The answer, once it is one. */
    const insist = async (request: Request): Promise<Answer> => {
      for (;;) {
        const answer = await send('/oauth2/token', request)
        if (answer.status !== 503) return answer
        await pause(50)
      }
    }
    for (const request of Object.values(prepared.used)) expect([400, 401]).toContain((await insist(request)).status)
    for (const request of Object.values(prepared.lasting)) expect((await insist(request)).status).toBe(200)
    let lost = 0
    for (const request of Object.values(prepared.fresh)) {
      // what was sent while nobody answered may have been done or not; it is not done again
      const answers = [await insist(request), await insist(request)].map(({ status }) => status)
      if (answers[0] !== 200) lost += 1
      expect([400, 401]).toContain(answers[1])
    }
    const refresh = prepared.lasting['a refresh token'] ?? {}
    const successors = [await insist(refresh), await insist(refresh)]
    expect(new Set(successors.map(({ status, body }) => `${status} ${body['refresh_token'] ?? ''}`)).size).toBe(1)
    report({ test: 'outage', engine: name, outage: how, slowest503: Math.round(slowest), timeout, spentWithoutAnswer: lost })
  })
})
