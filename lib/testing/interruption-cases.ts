/** Connections break in the middle of operations: what was answered holds, what was not either happened or did not. */
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { batchOf, inOneStep } from '../stores/batch.ts'
import type { Json, Key, Store } from '../stores/store.ts'
import { code, forEachOf, valueOf, versionOf, type CaseContext, type CaseDefinition } from './store-case.ts'

const needs = 'interruptions'
/** Milliseconds. */
const patience = 15_000

/** The operation's answer, or undefined where it rejected. An operation that does neither is a fault. */
async function answerOf<T>(operation: Promise<T>): Promise<T | undefined> {
  const abandoned = new AbortController()
  const hangs = wait(patience, 'hangs', { signal: abandoned.signal, ref: false }).catch(() => 'settled')
  const settled = operation.then(
    answer => answer,
    () => undefined
  )
  const first = await Promise.race([settled, hangs])
  abandoned.abort()
  ok(first !== 'hangs', 'an operation neither answered nor rejected')
  return settled
}

/** Asks until the store answers again. */
async function recovered<T>(operation: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patience
  for (;;) {
    try {
      return await operation()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await wait(50)
    }
  }
}

const keys: readonly Key[] = Array.from({ length: 600 }, (_, index) => ({ ...code, id: `${index}`, grant: `g${index % 20}` }))

/** Runs an operation for every key, a few at a time, and breaks the connections in the middle, twice. */
async function interrupted<T>(
  context: CaseContext,
  stores: readonly [Store, ...Store[]],
  operation: (store: Store, key: Key, index: number) => Promise<T>
): Promise<(T | undefined)[]> {
  const answers: (T | undefined)[] = []
  let next = 0
  const worker = async (store: Store) => {
    for (let index = next++; index < keys.length; index = next++) {
      if (index === 200 || index === 400) void context.interrupt()
      answers[index] = await answerOf(operation(store, keys[index] ?? code, index))
    }
  }
  await Promise.all(Array.from({ length: 24 }, (_, index) => worker(stores[index % stores.length] ?? stores[0])))
  return answers
}

export const interruptionCases: readonly CaseDefinition[] = [
  {
    name: 'a store finds its way back after its connections broke',
    needs,
    async run(context) {
      const store = await context.open()
      await store.set(code, 'before', 60)
      await context.interrupt()
      strictEqual(await recovered(() => valueOf(store, code)), 'before')
      await recovered(() => store.set(code, 'after', 60))
      strictEqual(await valueOf(store, code), 'after')
    }
  },
  {
    name: 'add, interrupted: what was added is there, and is added by nobody else',
    needs,
    async run(context) {
      const stores = await context.several()
      const added = await interrupted(context, stores, (store, key, index) => store.add(key, index, 60))
      for (const [index, key] of keys.entries()) {
        const again = await recovered(() => stores[0].add(key, -1, 60))
        if (added[index] === true) strictEqual(again, false)
        deepStrictEqual(await valueOf(stores[0], key), again ? -1 : index)
      }
    }
  },
  {
    name: 'take, interrupted: what was taken is spent, and is taken by nobody else',
    needs,
    async run(context) {
      const stores = await context.several()
      await forEachOf([...keys.entries()], ([index, key]) => stores[0].set(key, index, 60))
      const taken = await interrupted(context, stores, (store, key) => store.take(key))
      for (const [index, key] of keys.entries()) {
        const again = await recovered(() => stores[0].take(key))
        if (taken[index] !== undefined) deepStrictEqual([taken[index].outcome, again.outcome], ['taken', 'spent'])
        deepStrictEqual(await stores[0].take(key), { outcome: 'spent' })
      }
    }
  },
  {
    name: 'swap, interrupted: what was swapped is there, and nothing in between is',
    needs,
    async run(context) {
      const stores = await context.several()
      await forEachOf(keys, key => stores[0].set(key, 'old', 60))
      const versions = await forEachOf(keys, key => versionOf(stores[0], key))
      const swapped = await interrupted(context, stores, (store, key, index) => store.swap(key, versions[index] ?? '', 'new', 60))
      for (const [index, key] of keys.entries()) {
        const found: Json | undefined = await recovered(() => valueOf(stores[0], key))
        ok(found === 'new' || (found === 'old' && swapped[index] !== true), `${index}: ${JSON.stringify(found)}`)
        strictEqual(await stores[0].swap(key, versions[index] ?? '', 'newer', 60), found === 'old')
      }
    }
  },
  {
    name: 'a batch, interrupted: all of it is there or nothing is, and what was answered holds',
    needs,
    async run(context) {
      const stores = await context.several()
      const follows = (key: Key): Key => ({ ...key, kind: 'access_token' })
      // done one after the other, a store has no more to promise than that what it answered holds
      const whole =
        (await batchOf(stores[0])?.([
          { operation: 'delete', key: code },
          { operation: 'delete', key: follows(code) }
        ])) === 'done'
      const batches = await interrupted(context, stores, (store, key, index) =>
        inOneStep(store, [
          { operation: 'add', key, value: index, ttl: 60 },
          { operation: 'set', key: follows(key), value: index, ttl: 60 }
        ])
      )
      for (const [index, key] of keys.entries()) {
        const found = await recovered(async () => [await valueOf(stores[0], key), await valueOf(stores[0], follows(key))])
        if (batches[index] === true) deepStrictEqual(found, [index, index])
        else if (whole) ok(found[0] === found[1], `${index}: ${JSON.stringify(found)}`)
        strictEqual(await stores[0].add(key, 'another', 60), found[0] === undefined)
      }
    }
  },
  {
    name: 'deleteGrant, interrupted: a grant that was ended stays so, and one that was not is whole',
    needs,
    async run(context) {
      const stores = await context.several()
      await forEachOf(keys, key => stores[0].set(key, 1, 60))
      const ended = new Set<string | undefined>()
      await interrupted(context, stores, async (store, { grant = '' }, index) => {
        if (index % 3 !== 0) return
        await store.deleteGrant(grant)
        ended.add(grant)
      })
      const found = await recovered(() => forEachOf(keys, key => valueOf(stores[0], key)))
      for (const grant of new Set(keys.map(key => key.grant))) {
        const left = new Set(found.filter((_, index) => keys[index]?.grant === grant))
        strictEqual(left.size, 1)
        if (ended.has(grant)) strictEqual(left.has(undefined), true)
      }
    }
  }
]
