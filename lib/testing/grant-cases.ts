/** Cases of grants: every record of a grant ends with it. */
import { deepStrictEqual, strictEqual } from 'node:assert/strict'
import type { Key, Store, StoredRecord } from '../stores/store.ts'
import { expectAbsent, expectOutcome, expectValue, forEachOf, versionOf, type CaseDefinition } from './store-case.ts'

const hour = 3_600
const token: Key = { kind: 'access_token', id: 'digest', grant: 'g1' }
const tokens = (count: number): readonly Key[] =>
  Array.from({ length: count }, (_, index) => ({ ...token, id: `token ${index}` }))

async function expectWritesRefused(store: Store, version: StoredRecord['version']): Promise<void> {
  await store.set(token, 2, 10)
  await expectAbsent(store, token)
  strictEqual(await store.add(token, 2, 10), false)
  strictEqual(await store.swap(token, version, 2, 10), false)
  await expectOutcome(store, token, 'absent')
}

async function expectAllAbsent(store: Store, keys: readonly Key[]): Promise<void> {
  const found = await forEachOf(keys, key => store.get(key))
  deepStrictEqual(
    found.filter(record => record !== undefined),
    []
  )
}

const ending: readonly CaseDefinition[] = [
  {
    name: 'deleteGrant ends every record of the grant, of whatever kind, spent ones too',
    async run(context) {
      const store = await context.open()
      const code: Key = { kind: 'authorization_code', id: 'c', grant: 'g1' }
      const second = { ...token, id: 'second' }
      await store.set(token, 1, 60)
      await store.set(second, 2, 60)
      await store.set(code, 3, 60)
      await store.take(code)
      await store.deleteGrant('g1')
      await expectAllAbsent(store, [token, second])
      await expectOutcome(store, token, 'absent')
      await expectOutcome(store, code, 'absent')
    }
  },
  {
    name: 'deleteGrant leaves other grants, and records without one, as they are',
    async run(context) {
      const store = await context.open()
      const others: Key[] = [
        ...['g2', 'g', 'g11', 'G1', ''].map(grant => ({ ...token, grant })),
        { kind: token.kind, id: token.id },
        { kind: 'g1', id: 'g1' }
      ]
      for (const [index, key] of others.entries()) await store.set(key, index, 60)
      await store.deleteGrant('g1')
      for (const [index, key] of others.entries()) await expectValue(store, key, index)
    }
  },
  {
    name: 'deleteGrant ends a grant of 2,000 records',
    async run(context) {
      const store = await context.open()
      const keys = tokens(2_000)
      await forEachOf(keys, key => store.set(key, 1, 60))
      await store.deleteGrant('g1')
      await expectAllAbsent(store, keys)
    }
  },
  {
    name: 'deleteGrant ends a record that was written, deleted, taken and written again',
    async run(context) {
      const store = await context.open()
      await store.set(token, 1, 60)
      await store.delete(token)
      await store.set(token, 2, 60)
      await store.take(token)
      await store.set(token, 3, 60)
      await store.deleteGrant('g1')
      await expectOutcome(store, token, 'absent')
    }
  }
]

const refusing: readonly CaseDefinition[] = [
  {
    name: 'an ended grant takes no writes, and says so where there is an answer',
    async run(context) {
      const store = await context.open()
      await store.set(token, 1, 60)
      const version = await versionOf(store, token)
      await store.deleteGrant('g1')
      await expectWritesRefused(store, version)
      await context.pass(2 * context.tick)
      await expectWritesRefused(store, version)
    }
  },
  {
    name: 'an ended grant takes no writes when nothing of it had been written before',
    async run(context) {
      const store = await context.open()
      await store.deleteGrant('g1')
      await store.set(token, 1, 60)
      await expectAbsent(store, token)
    }
  },
  {
    name: 'deleting a record of an ended grant is no error and brings nothing back',
    async run(context) {
      const store = await context.open()
      await store.set(token, 1, 60)
      await store.deleteGrant('g1')
      await store.deleteGrant('g1')
      await store.delete(token)
      await expectWritesRefused(store, 'any')
    }
  },
  {
    name: 'an ended grant takes no writes for an hour',
    needs: 'a clock',
    async run(context) {
      const store = await context.open()
      await store.set(token, 1, 60)
      const version = await versionOf(store, token)
      await store.deleteGrant('g1')
      await context.pass(hour - 1)
      await expectWritesRefused(store, version)
    }
  },
  {
    name: 'the hour of an ended grant counts from the last time it was ended',
    needs: 'a clock',
    async run(context) {
      const store = await context.open()
      await store.deleteGrant('g1')
      await context.pass(hour - 60)
      await store.deleteGrant('g1')
      await context.pass(hour - 60)
      strictEqual(await store.add(token, 1, 60), false)
    }
  },
  {
    name: 'the end of the hour does not bring back a record that would have outlived it',
    needs: 'a clock',
    async run(context) {
      const store = await context.open()
      await store.set(token, 1, 48 * hour)
      await store.deleteGrant('g1')
      await context.pass(24 * hour)
      await expectAbsent(store, token)
    }
  }
]

const racing: readonly CaseDefinition[] = [
  {
    name: 'what is written while the grant ends is absent: the end came first, or it came after',
    async run(context) {
      const stores = await context.several()
      const keys = tokens(200)
      const write = (key: Key, index: number) => (stores[index % stores.length] ?? stores[0]).set(key, 1, 60)
      await Promise.all([
        ...keys.slice(0, 100).map(write),
        (stores[1] ?? stores[0]).deleteGrant('g1'),
        ...keys.slice(100).map(write)
      ])
      for (const store of stores) await expectAllAbsent(store, keys)
    }
  },
  {
    name: 'what is swapped, added or taken while the grant ends is absent',
    async run(context) {
      const stores = await context.several()
      const [first] = stores
      const last = stores.at(-1) ?? first
      const added = { ...token, id: 'added' }
      const taken = { ...token, id: 'taken' }
      await first.set(token, 'first', 60)
      await first.set(taken, 'first', 60)
      const version = await versionOf(first, token)
      await Promise.all([
        first.swap(token, version, 'second', 60),
        last.deleteGrant('g1'),
        first.add(added, 1, 60),
        first.take(taken)
      ])
      await expectAllAbsent(first, [token, added])
      await expectOutcome(first, taken, 'absent')
    }
  }
]

export const grantCases: readonly CaseDefinition[] = [...ending, ...refusing, ...racing]
