/** No value comes back changed, and none can be changed from outside. */
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict'
import type { Json, Key } from '../stores/store.ts'
import { expectAbsent, expectTaken, valueOf, type CaseDefinition } from './store-case.ts'

const key: Key = { kind: 'grant', id: 'digest' }

const values: readonly (readonly [string, Json])[] = [
  ['null', null],
  ['false', false],
  ['zero', 0],
  ['an empty string', ''],
  ['a fraction', 0.1],
  ['the largest safe integer', Number.MAX_SAFE_INTEGER],
  ['a tiny number', 5e-324],
  ['a huge number', 1.7976931348623157e308],
  ['an empty list', []],
  ['an empty object', {}],
  ['nested lists and objects', { a: [1, [2, { b: null }]], c: { d: { e: [] } } }],
  ['every awkward character', { text: '\0\b\t\n\u001f"\\/\u007f\u2028\u2029é日😀\ud800' }],
  ['awkward member names', { '': 1, 'a.b': 2, $set: 3, constructor: 4, toString: 5, ' ': 6 }],
  ['a member named __proto__', JSON.parse('{"__proto__":{"admin":true},"a":1}') as Json],
  ['strings that look like other things', ['null', 'true', '1', '2026-01-01T00:00:00.000Z', '[object Object]']],
  ['64 KiB of text', '€'.repeat(65_536 / 4)],
  ['members in an order of their own', { z: 1, a: 2, m: 3 }]
]

const unchanged = values.map(([name, value]): CaseDefinition => ({
  name: `${name} comes back as it was`,
  async run(context) {
    const store = await context.open()
    const added = { ...key, id: 'added' }
    await store.set(key, value, 60)
    await store.add(added, value, 60)
    const record = await store.get(key)
    strictEqual(JSON.stringify(record?.value), JSON.stringify(value))
    await expectTaken(store, added, value)
    strictEqual(await store.swap(key, record?.version ?? '', [value], 60), true)
    strictEqual(JSON.stringify(await valueOf(store, key)), JSON.stringify([value]))
  }
}))

export const valueCases: readonly CaseDefinition[] = [
  ...unchanged,
  {
    name: 'members that are undefined are left out',
    async run(context) {
      const store = await context.open()
      await store.set(key, { kept: 1, dropped: undefined }, 60)
      deepStrictEqual(Object.keys((await valueOf(store, key)) as object), ['kept'])
    }
  },
  {
    name: 'what is no JSON at all is rejected with a TypeError, and nothing is written',
    async run(context) {
      const store = await context.open()
      await rejects(store.set(key, undefined as unknown as Json, 60), TypeError)
      await rejects(store.add(key, (() => 1) as unknown as Json, 60), TypeError)
      await expectAbsent(store, key)
    }
  },
  {
    name: 'a record does not change with the object that was written',
    async run(context) {
      const store = await context.open()
      const written = { scope: ['read'], nested: { admin: false } }
      const writing = store.set(key, written, 60)
      written.scope.push('write')
      await writing
      written.nested.admin = true
      deepStrictEqual(await valueOf(store, key), { scope: ['read'], nested: { admin: false } })
    }
  },
  {
    name: 'a record does not change with the object that was read',
    async run(context) {
      const store = await context.open()
      await store.set(key, { scope: ['read'] }, 60)
      const read = (await valueOf(store, key)) as { scope: string[] }
      try {
        read.scope.push('write')
      } catch (error) {
        ok(error instanceof TypeError) // a store may hand out frozen objects instead of copies
      }
      deepStrictEqual(await valueOf(store, key), { scope: ['read'] })
    }
  }
]
