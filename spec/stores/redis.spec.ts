import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { redisStore } from '../../lib/stores/redis.ts'
import { storeContract } from '../../lib/testing/store.ts'
import { startRedis, type RedisServer } from '../engines/redis-server.ts'

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
