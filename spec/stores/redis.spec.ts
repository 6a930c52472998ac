import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient, RESP_TYPES } from 'redis'
import { ConfigurationError } from '../../lib/options.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { storeContract } from '../../lib/testing/store.ts'
import type { Key } from '../../lib/stores/store.ts'
import { startRedis, type RedisServer } from '../engines/redis-server.ts'
import { startProxy } from '../engines/silent-proxy.ts'

let server: RedisServer
let prefixes = 0
/** Of machines that do much else at the same time. */
const timeout = 20_000
const newPrefix = () => `case-${(prefixes += 1)}:`

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

describe('redisStore keeps the store contract', () => {
  storeContract(it, {
    start: newPrefix,
    open: prefix => redisStore({ url: server.url, prefix, timeout }),
    interrupt: () => void server.cli('client', 'kill', 'type', 'normal')
  })
})

const token: Key = { kind: 'access_token', id: 'token', grant: 'g1' }
const jti: Key = { kind: 'client_assertion', id: 'jti' }

/** Milliseconds until it rejects. */
async function rejection(operation: Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await expect(operation).rejects.toThrow()
  return performance.now() - begun
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await pause(20)
}

describe('redisStore', () => {
  it.each([
    [{}, ConfigurationError, 'url or client must be given, and not both'],
    [{ url: 'redis://localhost', client: {} as never }, ConfigurationError, 'url or client must be given, and not both'],
    [{ url: 'http://localhost' }, ConfigurationError, 'url must be one address that starts with redis:// or rediss://'],
    [{ url: 'redis://a b' }, ConfigurationError, 'url must'],
    [{ url: [] }, ConfigurationError, 'url must'],
    [{ url: ['redis://localhost', 'localhost'] }, ConfigurationError, 'url must'],
    [{ url: 'redis://localhost', prefix: '{a}' }, ConfigurationError, 'prefix must be a string without braces'],
    [
      { url: 'redis://localhost', timeout: 0 },
      ConfigurationError,
      'timeout must be a whole number of milliseconds from 1 to 60000'
    ]
  ] as const)('rejects %p', async (options, type, message) => {
    const opening = redisStore(options)
    await expect(opening).rejects.toThrow(message)
    await expect(opening).rejects.toBeInstanceOf(type)
  })

  it('rejects where nothing listens', async () => {
    await expect(redisStore({ url: 'redis://127.0.0.1:1' })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('leaves nothing in the server that has no end', async () => {
    const prefix = newPrefix()
    const store = await redisStore({ url: server.url, prefix, timeout })
    await store.set(token, 1, 60)
    await store.add({ ...token, id: 'spent' }, 1, 60)
    await store.take({ ...token, id: 'spent' })
    await store.add(jti, null, 60)
    await store.set({ ...token, grant: 'g2' }, 1, 60)
    await store.deleteGrant('g2')
    const names = server.cli('keys', `${prefix}*`).trim().split('\n')
    expect(names).toHaveLength(6)
    for (const name of names) expect(Number(server.cli('pttl', name))).toBeGreaterThan(0)
    expect(names.join()).not.toMatch(/access_token|g1|jti/)
    await store.close()
  })

  it('refuses writes of an ended grant for an hour, and longer where a record of it could still be there', async () => {
    const prefix = newPrefix()
    const store = await redisStore({ url: server.url, prefix, timeout })
    const secondsOf = async (ttl: number | undefined) => {
      const grant = `grant of ${ttl}`
      if (ttl !== undefined) await store.set({ ...token, grant }, 1, ttl)
      await store.deleteGrant(grant)
      const names = server.cli('keys', `${prefix}*`).trim().split('\n')
      const ended = names.find(name => server.cli('get', name).trim() === 'ended') ?? ''
      const seconds = Number(server.cli('pttl', ended)) / 1000
      for (const name of names) server.cli('del', name)
      return Math.round(seconds / 60) * 60
    }
    expect(await secondsOf(undefined)).toBe(3_600)
    expect(await secondsOf(60)).toBe(3_600)
    expect(await secondsOf(86_400)).toBe(86_400)
    await store.close()
  })

  it('works by a client it was given, also one that answers with bytes, and leaves it open', async () => {
    const client = createClient({ url: server.url, commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } })
    await client.connect()
    const store = await redisStore({ client, prefix: newPrefix(), timeout })
    await store.set(token, { sub: 'alice' }, 60)
    const record = await store.get(token)
    expect(record?.value).toEqual({ sub: 'alice' })
    expect(await store.swap(token, record?.version ?? '', 2, 60)).toBe(true)
    expect(await store.take(token)).toEqual({ outcome: 'taken', value: 2 })
    expect(await store.take(token)).toEqual({ outcome: 'spent' })
    await store.close()
    await expect(store.get(token)).rejects.toThrow('the store is closed')
    expect(String(await client.ping())).toBe('PONG')
    client.destroy()
  })
})

describe('when Redis fails', () => {
  it('every operation rejects within its time while the server is silent, and works again when it is not', async () => {
    const store = await redisStore({ url: server.url, prefix: newPrefix(), timeout: 300 })
    await store.set(token, 1, 600)
    server.freeze()
    const took = await Promise.all(
      [store.get(token), store.set(token, 2, 60), store.add(jti, 1, 60), store.take(jti), store.deleteGrant('g2')].map(rejection)
    )
    expect(Math.max(...took)).toBeLessThan(3_000)
    server.thaw()
    await until(async () => (await store.get(token)) !== undefined)
    expect(await store.add({ ...jti, id: 'after' }, null, 60)).toBe(true)
    await store.close()
  })

  it('finds a new way to a server whose connections fell silent', async () => {
    const proxy = await startProxy(server.port)
    const store = await redisStore({ url: `redis://127.0.0.1:${proxy.port}`, prefix: newPrefix(), timeout: 300 })
    await store.set(token, 1, 600)
    proxy.silence()
    await rejection(store.get(token))
    await until(async () => (await store.get(token)) !== undefined)
    await store.close()
    proxy.close()
  })

  it('rejects at once while the server is down, and has everything that was answered when it is back', async () => {
    const store = await redisStore({ url: server.url, prefix: newPrefix(), timeout: 2_000 })
    await store.set(token, 'kept', 600)
    await store.add(jti, null, 600)
    await store.take(jti)
    await server.kill()
    await until(async () => (await rejection(store.get(token))) < 500)
    expect(await rejection(store.add({ ...jti, id: 'lost' }, null, 60))).toBeLessThan(500)
    await server.start()
    await until(async () => (await store.get(token)) !== undefined)
    expect((await store.get(token))?.value).toBe('kept')
    expect(await store.take(jti)).toEqual({ outcome: 'spent' })
    // what was rejected while it was down is not done later
    expect(await store.add({ ...jti, id: 'lost' }, null, 60)).toBe(true)
    await store.close()
  })
})
