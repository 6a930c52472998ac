import { afterAll, beforeAll, describe, it } from '@jest/globals'
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
