import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { setTimeout as pause } from 'node:timers/promises'
import { createCluster } from 'redis'
import { redisStore } from '../../lib/stores/redis.ts'
import { storeContract } from '../../lib/testing/store.ts'
import { startRedisCluster, type RedisCluster } from '../engines/redis-server.ts'

let cluster: RedisCluster
let prefixes = 0
/** Of machines that do much else at the same time. */
const timeout = 20_000
const newPrefix = () => `case-${(prefixes += 1)}:`

beforeAll(async () => {
  cluster = await startRedisCluster()
})
afterAll(() => cluster.stop())

describe('redisStore keeps the store contract on a cluster of three', () => {
  storeContract(it, {
    start: newPrefix,
    open: prefix => redisStore({ url: cluster.urls, prefix, timeout }),
    interrupt: () => {
      for (const { cli } of cluster.nodes) cli('client', 'kill', 'type', 'normal')
    }
  })
})

describe('redisStore on a cluster', () => {
  const tokens = Array.from({ length: 60 }, (_, index) => ({ kind: 'access_token', id: 'digest', grant: `grant ${index}` }))

  it('finds the others when it knows one node, and spreads over all of them', async () => {
    const [url = ''] = cluster.urls
    const prefix = newPrefix()
    const store = await redisStore({ url, prefix, timeout })
    await Promise.all(tokens.map((key, index) => store.set(key, index, 60)))
    for (const { cli } of cluster.nodes) expect(cli('keys', `${prefix}*`).trim().split('\n').length).toBeGreaterThan(10)
    await store.close()
  })

  it('works by a cluster client it was given, and leaves it open', async () => {
    const client = createCluster({ rootNodes: cluster.urls.map(url => ({ url })) })
    await client.connect()
    const store = await redisStore({ client, prefix: newPrefix(), timeout })
    await Promise.all(tokens.map((key, index) => store.set(key, index, 60)))
    expect((await Promise.all(tokens.map(key => store.get(key)))).map(record => record?.value)).toEqual(
      tokens.map((_, index) => index)
    )
    await store.close()
    await client.set('still', 'open')
    client.destroy()
  })

  it('goes on with the other nodes while one is down, and with all of them when it is back, nothing lost', async () => {
    const [first] = cluster.nodes
    if (first === undefined) throw new Error('there is no cluster')
    // without replicas a cluster stops altogether unless it is told to serve what it can
    for (const { cli } of cluster.nodes) cli('config', 'set', 'cluster-require-full-coverage', 'no')
    const store = await redisStore({ url: cluster.urls, prefix: newPrefix(), timeout: 500 })
    await Promise.all(tokens.map((key, index) => store.set(key, index, 600)))
    await first.kill()
    const during = await Promise.allSettled(tokens.map(key => store.get(key)))
    expect(new Set(during.map(({ status }) => status))).toEqual(new Set(['fulfilled', 'rejected']))
    await first.start()
    const recovered = async () => {
      const found = await Promise.allSettled(tokens.map(key => store.get(key)))
      return found.every((outcome, index) => outcome.status === 'fulfilled' && outcome.value?.value === index)
    }
    while (!(await recovered())) await pause(100)
    await store.close()
  })
})
