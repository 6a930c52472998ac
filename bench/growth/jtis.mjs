/** How long it takes to use up a jti, and to refuse a used one, beside so many others: in a process of its own, for its memory. */
import { memoryStore } from '../../dist/lib/index.js'
import { open } from './databases.mjs'
import { atATime, jtiKey, randomBelow } from './shared.mjs'

const operations = 5_000
const concurrency = 32
const ttl = 3600

async function timed(store, keys, expected) {
  const times = []
  await atATime(concurrency, keys.length, async index => {
    const begun = performance.now()
    if ((await store.add(jtiKey(keys[index]), null, ttl)) !== expected) throw new Error(`jti ${keys[index]} was judged wrongly`)
    times.push(performance.now() - begun)
  })
  return times
}

process.once('message', async ({ engine, address, live, first }) => {
  const store = engine === 'memory' ? memoryStore() : await open(engine, address)
  if (engine === 'memory') for (let index = 0; index < live; index++) await store.add(jtiKey(index), null, ttl)
  const fresh = Array.from({ length: operations }, (_, index) => first + index)
  const random = randomBelow(live)
  await timed(
    store,
    fresh.slice(0, 500).map(index => index + 1e9),
    true
  )
  const before = process.cpuUsage()
  const answer = { fresh: await timed(store, fresh, true), used: await timed(store, fresh.map(random), false) }
  const { user, system } = process.cpuUsage(before)
  globalThis.gc()
  process.send({ ...answer, cpu: (user + system) / (2 * operations), rss: process.memoryUsage().rss }, () => process.exit(0))
})
