/**
 * A client with a secret becomes one without, while it asks four processes for tokens all the time: the platform's credential is
 * added, its first use is seen, the secret is taken back, the review has nothing more to say, and not one request fails.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { AddedCredential, CredentialInfo } from 'clientele'
import { setTimeout as pause } from 'node:timers/promises'
import { basic, startCluster, type Cluster, type Request } from './cluster.ts'
import { engines, type RunningEngine } from './engines.ts'
import { platformToken, ruleOf } from './platform.ts'

jest.setTimeout(180_000)

const secret = basic('mover', 'the secret of the one who moves')
const form = { grant_type: 'client_credentials' }
/** Longer than any process goes by what it read of a client before. */
const seen = 1500

describe.each(['Redis', 'PostgreSQL'])('on %s', name => {
  let engine: RunningEngine | undefined
  let cluster: Cluster

  beforeAll(async () => {
    engine = await (engines[name] as () => Promise<RunningEngine>)()
    const mover = { client_id: 'mover', client_secret: 'the secret of the one who moves', grant_types: ['client_credentials'] }
    cluster = await startCluster(engine.store, [mover], { credentials: true })
  })
  afterAll(async () => {
    await (cluster as Cluster | undefined)?.stop()
    await engine?.stop()
  })

  /** Calls a function of `server.credentials` of one process. */
  async function operate<T>(node: number, call: string, ...given: unknown[]): Promise<T> {
    const { status, body } = await cluster.ask(node, `/credentials/${call}`, { json: given })
    expect(status).toBe(200)
    return body as T
  }
  const list = () => operate<CredentialInfo[]>(1, 'listCredentials', 'mover')

  /** Asks one process after the other until it is stopped. */
  function load(first: () => Promise<Request>) {
    const state = { way: first, running: true, asked: 0 }
    const failures: unknown[] = []
    const worker = async (): Promise<void> => {
      while (state.running) {
        const request = await state.way()
        const { status, body } = await cluster.ask(state.asked++, '/oauth2/token', request)
        if (status !== 200) failures.push([status, body])
      }
    }
    const done = Promise.all([worker(), worker(), worker(), worker()])
    return { state, failures, stop: () => ((state.running = false), done) }
  }

  async function until<T>(find: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const found = await find()
      if (found !== undefined) return found
      await pause(100)
    }
  }

  it('moves from a secret to what its platform says, under load, without one failure', async () => {
    const bySecret = () => Promise.resolve({ form, headers: secret })
    const byPlatform = async () => ({ form: { ...form, client_id: 'mover', ...(await platformToken('moving')) } })
    const { state, failures, stop } = load(bySecret)
    await until(async () => (await list()).find(({ credential, last_used_at }) => credential === 'secret:1' && last_used_at))
    const added = await operate<AddedCredential>(0, 'addFederated', 'mover', ruleOf('moving'), { label: 'the job' })
    await operate(0, 'allowMethod', 'mover', 'federated_jwt')
    await pause(seen)
    const unused = (await list()).find(({ credential }) => credential === added.credential)
    expect(unused).toMatchObject({ state: 'live', label: 'the job' })
    expect(unused).not.toHaveProperty('last_used_at')
    state.way = byPlatform
    await until(async () =>
      (await list()).find(({ credential, last_used_at }) => credential === added.credential && last_used_at)
    )
    const [old] = (await list()).filter(({ credential }) => credential === 'secret:1')
    await operate(2, 'revokeCredential', 'mover', old?.id)
    await pause(seen)
    const refused = await Promise.all(
      Array.from({ length: cluster.size }, (_, node) => cluster.ask(node, '/oauth2/token', { form, headers: secret }))
    )
    expect(refused.map(({ status }) => status)).toEqual(Array(cluster.size).fill(401))
    expect(await operate<unknown[]>(3, 'review', 'mover')).toEqual([])
    await stop()
    expect(failures).toEqual([])
    expect(state.asked).toBeGreaterThan(20)
    expect((await list()).filter(({ state }) => state === 'live').map(({ credential }) => credential)).not.toContain('secret:1')
  })
})
