/** A record is there until its time to live has passed, and absent from then on. */
import { rejects, strictEqual } from 'node:assert/strict'
import type { Store } from '../stores/store.ts'
import {
  code,
  expectAbsent,
  expectOutcome,
  expectTaken,
  expectValue,
  forEachOf,
  valueOf,
  versionOf,
  type CaseContext,
  type CaseDefinition
} from './store-case.ts'

const day = 86_400

/**
 * Writes a record that lives four ticks, and lets two of them pass. Answers whether it still has to live: a machine
 * that was busy elsewhere may come back after it has expired, and then nothing is shown.
 */
async function halfway(context: CaseContext, write: (ttl: number) => Promise<unknown>): Promise<() => boolean> {
  const begun = context.now()
  const ttl = 4 * context.tick
  await write(ttl)
  await context.pass(2 * context.tick)
  return () => context.now() - begun < ttl
}

async function expectWhile(lives: () => boolean, store: Store, value: unknown): Promise<void> {
  const found = await valueOf(store, code)
  if (lives()) strictEqual(found, value)
}

const anyClock: readonly CaseDefinition[] = [
  {
    name: 'a record lives for its time and no longer',
    async run(context) {
      const store = await context.open()
      const lives = await halfway(context, ttl => store.set(code, 'kept', ttl))
      await expectWhile(lives, store, 'kept')
      await context.pass(2 * context.tick)
      await expectAbsent(store, code)
    }
  },
  {
    name: 'the time to live counts from the last write',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 2 * context.tick)
      const lives = await halfway(context, ttl => store.set(code, 2, ttl))
      await expectWhile(lives, store, 2)
      await store.set(code, 3, context.tick)
      await context.pass(context.tick)
      await expectAbsent(store, code)
    }
  },
  {
    name: 'nothing happens to an expired record: swap, take and add find none',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, context.tick)
      const version = await versionOf(store, code)
      await context.pass(context.tick)
      strictEqual(await store.swap(code, version, 2, 60), false)
      await expectOutcome(store, code, 'absent')
      strictEqual(await store.add(code, 3, 60), true)
      await expectValue(store, code, 3)
    }
  },
  {
    name: 'add does not prolong what is there',
    async run(context) {
      const store = await context.open()
      const lives = await halfway(context, ttl => store.add(code, null, ttl))
      const again = await store.add(code, null, 60)
      if (!lives()) return
      strictEqual(again, false)
      await context.pass(2 * context.tick)
      strictEqual(await store.add(code, null, 60), true)
    }
  },
  {
    name: 'a taken record is spent until it would have expired, and absent from then on',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 4 * context.tick)
      await expectTaken(store, code, 1)
      await expectOutcome(store, code, 'spent')
      await context.pass(4 * context.tick)
      await expectOutcome(store, code, 'absent')
      strictEqual(await store.add(code, 2, 60), true)
      await expectTaken(store, code, 2)
    }
  },
  {
    name: 'swap gives the record a time to live of its own',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 4 * context.tick)
      strictEqual(await store.swap(code, await versionOf(store, code), 2, 60), true)
      await context.pass(4 * context.tick)
      await expectValue(store, code, 2)
      strictEqual(await store.swap(code, await versionOf(store, code), 3, context.tick), true)
      await context.pass(context.tick)
      await expectAbsent(store, code)
    }
  },
  {
    name: 'a thousand records that expire together are all absent, and written again like new ones',
    async run(context) {
      const store = await context.open()
      const keys = Array.from({ length: 1_000 }, (_, index) => ({ kind: 'client_assertion', id: `jti ${index}` }))
      await forEachOf(keys, key => store.set(key, null, context.tick))
      await context.pass(context.tick)
      const added = await forEachOf(keys, key => store.add(key, null, 60))
      strictEqual(added.includes(false), false)
    }
  },
  ...[0, -1, NaN, Infinity, -Infinity].map((ttl): CaseDefinition => ({
    name: `a time to live of ${ttl} is rejected with a RangeError, and nothing is written`,
    async run(context) {
      const store = await context.open()
      await rejects(store.set(code, 1, ttl), RangeError)
      await rejects(store.add(code, 1, ttl), RangeError)
      await expectAbsent(store, code)
      await store.set(code, 'kept', 60)
      await rejects(store.swap(code, await versionOf(store, code), 2, ttl), RangeError)
      await expectValue(store, code, 'kept')
    }
  }))
]

const exactClock: readonly CaseDefinition[] = [
  {
    name: 'a record lives to the last millisecond',
    needs: 'a clock',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 60)
      await context.pass(59.999)
      await expectValue(store, code, 1)
      await context.pass(0.001)
      await expectAbsent(store, code)
    }
  },
  {
    name: 'a taken record is spent to the last millisecond',
    needs: 'a clock',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 60)
      await context.pass(30)
      await expectTaken(store, code, 1)
      await context.pass(29.999)
      await expectOutcome(store, code, 'spent')
      await context.pass(0.001)
      await expectOutcome(store, code, 'absent')
    }
  },
  {
    name: 'parts of a second and many years are times to live like others',
    needs: 'a clock',
    async run(context) {
      const store = await context.open()
      const long = { ...code, id: 'long' }
      await store.set(code, 'short', 0.5)
      await store.set(long, 'long', 50 * 365 * day)
      await context.pass(0.499)
      await expectValue(store, code, 'short')
      await context.pass(0.001)
      await expectAbsent(store, code)
      await context.pass(49 * 365 * day)
      await expectValue(store, long, 'long')
    }
  }
]

export const lifetimeCases: readonly CaseDefinition[] = [...anyClock, ...exactClock]
