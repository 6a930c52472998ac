/**
 * Cases of batches. A store without them passes what is asked of one after the other too; that nothing in between is
 * ever seen is asked of those that have them.
 */
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict'
import { batchOf, inOneStep } from '../stores/batch.ts'
import type { Batch, Key, Store } from '../stores/store.ts'
import { code, count, expectAbsent, expectOutcome, expectValue, valueOf, versionOf, type CaseDefinition } from './store-case.ts'

const hour = 3_600
const grant: Key = { kind: 'grant', id: 'g1', grant: 'g1' }
const token: Key = { kind: 'access_token', id: 'digest', grant: 'g1' }
const jti: Key = { kind: 'client_assertion', id: 'jti' }
const loose: Key = { kind: 'access_token', id: 'of no grant' }
const contenders = 100

const set = (key: Key, value: number | string = 1, ttl = 60) => ({ operation: 'set', key, value, ttl }) as const
const add = (key: Key, value: number | null = null, ttl = 60) => ({ operation: 'add', key, value, ttl }) as const
const remove = (key: Key) => ({ operation: 'delete', key }) as const

/** Asks for one step, and says what came of it; undefined where this store does not do these in one. */
async function asOne(store: Store, steps: Batch): Promise<'done' | 'refused' | undefined> {
  const outcome = await batchOf(store)?.(steps)
  return outcome === 'apart' ? undefined : outcome
}

const deciding: readonly CaseDefinition[] = [
  {
    name: 'a batch whose first step is added, swapped or set does the rest',
    async run(context) {
      const store = await context.open()
      strictEqual(await inOneStep(store, [add(jti), set(loose)]), true)
      strictEqual(await inOneStep(store, [set(grant, 'first'), set(token, 1)]), true)
      const swap = { operation: 'swap', key: grant, version: await versionOf(store, grant), value: 'second', ttl: 60 } as const
      strictEqual(await inOneStep(store, [swap, set(token, 2), remove(loose)]), true)
      await expectValue(store, jti, null)
      await expectValue(store, grant, 'second')
      await expectValue(store, token, 2)
      await expectAbsent(store, loose)
      strictEqual(await inOneStep(store, [remove(token), set(loose, 3)]), true)
      await expectAbsent(store, token)
      await expectValue(store, loose, 3)
    }
  },
  {
    name: 'a batch whose first step says no leaves everything as it was',
    async run(context) {
      const store = await context.open()
      await store.add(jti, null, 60)
      await store.set(token, 'kept', 60)
      await store.set(grant, 'first', 60)
      const before = await versionOf(store, grant)
      await store.set(grant, 'second', 60)
      strictEqual(await inOneStep(store, [add(jti, 2), set(loose), remove(token)]), false)
      const swap = { operation: 'swap', key: grant, version: before, value: 'third', ttl: 60 } as const
      strictEqual(await inOneStep(store, [swap, set(loose), remove(token)]), false)
      strictEqual(await inOneStep(store, [{ ...swap, key: loose }, set(jti, 2)]), false)
      await expectValue(store, jti, null)
      await expectValue(store, grant, 'second')
      await expectValue(store, token, 'kept')
      await expectAbsent(store, loose)
    }
  },
  {
    name: 'a step of a batch has versions, and is taken, swapped and found spent, as any other write',
    async run(context) {
      const store = await context.open()
      strictEqual(await inOneStep(store, [add(jti, 1), set(token, 1)]), true)
      const versions = [await versionOf(store, jti), await versionOf(store, token)]
      strictEqual(new Set(versions).size, 2)
      strictEqual(await store.swap(token, versions[1] ?? '', 2, 60), true)
      strictEqual(await inOneStep(store, [set(loose), set(token, 1)]), true)
      strictEqual(await store.swap(token, versions[1] ?? '', 3, 60), false)
      deepStrictEqual(await store.take(jti), { outcome: 'taken', value: 1 })
      strictEqual(await inOneStep(store, [add(jti, 2), set(token, 'not written')]), false)
      await expectOutcome(store, jti, 'spent')
      await expectValue(store, token, 1)
    }
  },
  {
    name: 'each step of a batch has a time to live of its own, and what has expired is in no way',
    async run(context) {
      const store = await context.open()
      strictEqual(
        await inOneStep(store, [add(jti, null, context.tick), set(token, 1, 10 * context.tick), set(loose, 1, context.tick)]),
        true
      )
      await context.pass(context.tick)
      await expectAbsent(store, jti)
      await expectAbsent(store, loose)
      await expectValue(store, token, 1)
      strictEqual(await inOneStep(store, [add(jti), set(token, 2)]), true)
      strictEqual(await inOneStep(store, [add(jti), set(token, 3)]), false)
      await expectValue(store, token, 2)
    }
  },
  {
    name: 'a batch with a time to live or value that is none rejects, and leaves nothing behind',
    async run(context) {
      const store = await context.open()
      if ((await asOne(store, [set(grant), set(token)])) === undefined) return
      for (const wrong of [set(token, 2, 0), set(token, 2, Number.NaN), { ...set(token), value: undefined as unknown as null }])
        await rejects(async () => asOne(store, [set(grant, 'written'), wrong]))
      await expectValue(store, grant, 1)
      await expectValue(store, token, 1)
    }
  },
  {
    name: 'a batch at a closed store rejects',
    async run(context) {
      const store = await context.open()
      await store.close()
      await rejects(async () => inOneStep(store, [set(grant), set(token)]))
    }
  }
]

const ending: readonly CaseDefinition[] = [
  {
    name: 'a batch writes nothing of a grant that has ended, and says so where its first step is of it',
    async run(context) {
      const store = await context.open()
      await store.set(grant, 'first', 60)
      const version = await versionOf(store, grant)
      await store.deleteGrant('g1')
      const swap = { operation: 'swap', key: grant, version, value: 'second', ttl: 60 } as const
      strictEqual(await inOneStep(store, [swap, set(loose)]), false)
      strictEqual(await inOneStep(store, [add(grant), set(loose)]), false)
      await expectAbsent(store, loose)
      // an end that came first is no error of a set
      strictEqual(await inOneStep(store, [set(grant), set(token), set(loose)]), true)
      await expectAbsent(store, grant)
      await expectAbsent(store, token)
      await expectValue(store, loose, 1)
      strictEqual(await inOneStep(store, [add(jti), set(token)]), true)
      await expectAbsent(store, token)
    }
  },
  {
    name: 'a batch writes nothing of a grant that has ended for an hour',
    needs: 'a clock',
    async run(context) {
      const store = await context.open()
      strictEqual(await inOneStep(store, [set(grant, 1, 48 * hour), set(token, 1, 48 * hour)]), true)
      await store.deleteGrant('g1')
      await context.pass(hour - 1)
      strictEqual(await inOneStep(store, [set(grant), set(token)]), true)
      await expectAbsent(store, grant)
      await context.pass(24 * hour)
      await expectAbsent(store, token)
    }
  },
  {
    name: 'what batches write while the grant ends is absent, all of it',
    async run(context) {
      const stores = await context.several()
      const storeOf = (index: number) => stores[index % stores.length] ?? stores[0]
      await stores[0].set(grant, 'first', 60)
      const version = await versionOf(stores[0], grant)
      const tokens = Array.from({ length: contenders }, (_, index): Key => ({ ...token, id: `token ${index}` }))
      const write = (key: Key, index: number) =>
        inOneStep(storeOf(index), [
          index % 2 === 0 ? { operation: 'swap', key: grant, version, value: index, ttl: 60 } : set({ ...grant, id: `${index}` }),
          set(key)
        ])
      await Promise.all([
        ...tokens.slice(0, contenders / 2).map(write),
        storeOf(1).deleteGrant('g1'),
        ...tokens.slice(contenders / 2).map((key, index) => write(key, index + contenders / 2))
      ])
      for (const key of [grant, ...tokens]) await expectAbsent(stores[0], key)
    }
  }
]

const racing: readonly CaseDefinition[] = [
  {
    name: 'a batch that adds is won by one of many, and only the winner’s other steps are done',
    async run(context) {
      const stores = await context.several()
      for (const used of [jti, { ...jti, grant: 'g1' }]) {
        const keys = Array.from({ length: contenders }, (_, index): Key => ({ ...token, id: `${used.grant ?? ''} ${index}` }))
        const won = await Promise.all(
          keys.map((key, index) => inOneStep(stores[index % stores.length] ?? stores[0], [add(used), set(key, index)]))
        )
        strictEqual(count(won, Boolean), 1)
        for (const [index, key] of keys.entries())
          strictEqual(await valueOf(stores[0], key), won[index] === true ? index : undefined)
      }
    }
  },
  {
    name: 'a batch that swaps is won by one of many with the same version, and only the winner’s other steps are done',
    async run(context) {
      const stores = await context.several()
      await stores[0].set(grant, 'start', 60)
      const version = await versionOf(stores[0], grant)
      const keys = Array.from({ length: contenders }, (_, index): Key => ({ ...token, id: `token ${index}` }))
      const won = await Promise.all(
        keys.map((key, index) =>
          inOneStep(stores[index % stores.length] ?? stores[0], [
            { operation: 'swap', key: grant, version, value: index, ttl: 60 },
            set(key, index)
          ])
        )
      )
      strictEqual(count(won, Boolean), 1)
      await expectValue(stores[0], grant, won.indexOf(true))
      for (const [index, key] of keys.entries())
        strictEqual(await valueOf(stores[0], key), won[index] === true ? index : undefined)
    }
  },
  {
    name: 'batches and single operations of one record are not both won',
    async run(context) {
      const stores = await context.several()
      await stores[0].set(code, 'start', 60)
      const version = await versionOf(stores[0], code)
      const answers = await Promise.all(
        Array.from({ length: contenders }, async (_, index) => {
          const store = stores[index % stores.length] ?? stores[0]
          if (index % 3 === 0) return (await store.take(code)).outcome === 'taken'
          if (index % 3 === 1) return store.swap(code, version, index, 60)
          return inOneStep(store, [{ operation: 'swap', key: code, version, value: index, ttl: 60 }, set(token, index)])
        })
      )
      // whoever swapped left something that one more caller could take
      const won = [...answers.keys()].filter(index => answers[index] === true)
      strictEqual(won.filter(index => index % 3 === 0).length, 1)
      ok(won.filter(index => index % 3 !== 0).length <= 1)
      const winner = won.find(index => index % 3 === 2)
      strictEqual(await valueOf(stores[0], token), winner)
      await expectOutcome(stores[0], code, 'spent')
    }
  },
  {
    name: 'batches on the same records, in whichever order they name them, all end, and leave the records of one of them',
    async run(context) {
      const stores = await context.several()
      const pair = [token, { ...token, id: 'second' }] as const
      if ((await asOne(stores[0], [set(pair[0], 'start'), set(pair[1], 'start')])) === undefined) return
      for (let round = 0; round < 5; round++) {
        await Promise.all(
          Array.from({ length: contenders }, (_, index) => {
            const [one, other] = index % 2 === 0 ? pair : [pair[1], pair[0]]
            return asOne(stores[index % stores.length] ?? stores[0], [set(one, index), set(other, index)])
          })
        )
        strictEqual(await valueOf(stores[0], pair[0]), await valueOf(stores[0], pair[1]))
      }
    }
  },
  {
    name: 'nobody finds a part of a batch done and another not',
    async run(context) {
      const stores = await context.several()
      const keys = Array.from({ length: contenders }, (_, index) => ({
        first: { ...grant, id: `grant ${index}` },
        second: { ...token, id: `token ${index}` }
      }))
      const [probe] = keys
      if (probe === undefined || (await asOne(stores[0], [set(probe.first), set(probe.second)])) === undefined) return
      const watched = keys.slice(1)
      const writing = Promise.all(watched.map(({ first, second }) => asOne(stores[0], [set(first), set(second)])))
      const reader = stores.at(-1) ?? stores[0]
      for (const { first, second } of watched.toReversed()) {
        // the first is written no later than the second: who finds the second finds the first
        const [there, before] = [await reader.get(second), await reader.get(first)]
        if (there !== undefined) ok(before !== undefined, 'the second record was there without the first')
        const [early, late] = [await reader.get(first), await reader.get(second)]
        if (early !== undefined) ok(late !== undefined, 'the first record was there without the second')
      }
      await writing
    }
  }
]

export const batchCases: readonly CaseDefinition[] = [...deciding, ...ending, ...racing]
