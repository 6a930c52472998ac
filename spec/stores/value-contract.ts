/** The part of the store contract about keys and values: nothing is mixed up, nothing comes back changed. */
import { describe, expect, it } from '@jest/globals'
import type { Json, Key, Store } from '../../lib/stores/store.ts'

const key: Key = { kind: 'grant', id: 'digest' }

/** Texts that separators, patterns, paths, prototypes, queries and encodings stumble over. */
const tricky = [
  '',
  ' ',
  'a',
  'A',
  'a ',
  ' a',
  'a:b',
  'a:',
  ':a',
  '1:a',
  'a/b',
  '../a',
  'a\\b',
  'a%3Ab',
  'a*',
  'a%',
  'a_',
  '{a}',
  '{}',
  '[a]',
  'a\0b',
  '\0',
  'a\nb',
  'a\r\nb',
  "a'b",
  'a"b',
  "'; DROP TABLE records; --",
  '${a}',
  '__proto__',
  'constructor',
  'undefined',
  'null',
  'é',
  'e\u0301',
  'İ',
  'ı',
  'ß',
  'ss',
  '日本語',
  '😀',
  '👩‍👩‍👧',
  '\u2028',
  '\ufeff',
  '\uffff',
  'x'.repeat(511),
  'x'.repeat(512),
  '😀'.repeat(256)
]

const values: [string, Json][] = [
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
  ['every awkward character', { text: '\0\b\t\n\u001f"\\/\u007f\u2028\u2029é日😀' }],
  ['awkward member names', { '': 1, 'a.b': 2, $set: 3, constructor: 4, toString: 5, ' ': 6 }],
  ['a member named __proto__', JSON.parse('{"__proto__":{"admin":true},"a":1}') as Json],
  ['strings that look like other things', ['null', 'true', '1', '2026-01-01T00:00:00.000Z', '[object Object]']],
  ['64 KiB of text', '€'.repeat(65_536 / 4)],
  ['members in an order of their own', { z: 1, a: 2, m: 3 }]
]

export function valueContract(currentStore: () => Store): void {
  describe('keys', () => {
    it('never takes one key for another, whatever characters they have', async () => {
      const store = currentStore()
      const keys: Key[] = tricky.flatMap((text): Key[] => [
        { kind: 'k', id: text },
        { kind: 'k', id: text, grant: 'g' },
        { kind: 'k', id: 'i', grant: text },
        { kind: text, id: 'i' },
        { kind: 'a', id: `${text}b` },
        { kind: `a${text}`, id: 'b' },
        { kind: 'k', id: `${text}i`, grant: 'h' },
        { kind: 'k', id: 'i', grant: `h${text}` },
        { kind: text, id: text, grant: text }
      ])
      const distinct = new Map(keys.map(each => [JSON.stringify([each.kind, each.id, each.grant]), each]))
      for (const [text, each] of distinct) await store.set(each, text, 60)
      for (const [text, each] of distinct) expect((await store.get(each))?.value).toBe(text)
      for (const each of distinct.values()) await store.delete(each)
      for (const each of distinct.values()) expect(await store.get(each)).toBeUndefined()
    })

    // an engine that joins a key's parts has to keep apart what a separator, or a length, in one of them would make alike
    it.each([':', '/', '.', ',', '|', '-', '_', '+', '{', '}', '"', '\\', '\0', '\n'])(
      'keeps the parts of a key apart where they contain %j',
      async separator => {
        const store = currentStore()
        const parts = ['', 'a', '0', '1', separator, `${separator}0`, `a${separator}`, `a${separator}0`, `1${separator}a`]
        const keys = parts.flatMap(kind =>
          parts.flatMap(id =>
            [undefined, ...parts].map((grant): Key => (grant === undefined ? { kind, id } : { kind, id, grant }))
          )
        )
        const added = await Promise.all(keys.map(each => store.add(each, null, 60)))
        expect(keys.filter((_, index) => added[index] !== true)).toEqual([])
      }
    )

    it.each(tricky)('ends the grant %j and no other', async grant => {
      const store = currentStore()
      await store.set({ ...key, grant }, 'ended', 60)
      await store.set({ ...key, grant: `${grant}.` }, 'stays', 60)
      await store.deleteGrant(grant)
      expect(await store.get({ ...key, grant })).toBeUndefined()
      expect((await store.get({ ...key, grant: `${grant}.` }))?.value).toBe('stays')
      expect(await store.add({ ...key, grant }, 1, 60)).toBe(false)
    })

    it('takes a grant of undefined for none', async () => {
      const store = currentStore()
      await store.set(key, 1, 60)
      await store.set({ ...key, grant: 'undefined' }, 2, 60)
      await store.deleteGrant('undefined')
      expect((await store.get({ kind: key.kind, id: key.id }))?.value).toBe(1)
    })
  })

  describe('values', () => {
    it.each(values)('returns %s as it was', async (_, value) => {
      const store = currentStore()
      const other = { ...key, id: 'added' }
      await store.set(key, value, 60)
      await store.add(other, value, 60)
      const record = await store.get(key)
      expect(JSON.stringify(record?.value)).toBe(JSON.stringify(value))
      expect(await store.take(other)).toEqual({ outcome: 'taken', value })
      expect(await store.swap(key, record?.version ?? '', [value], 60)).toBe(true)
      expect(JSON.stringify((await store.get(key))?.value)).toBe(JSON.stringify([value]))
    })

    it('drops members that are undefined', async () => {
      const store = currentStore()
      await store.set(key, { kept: 1, dropped: undefined }, 60)
      expect(Object.keys((await store.get(key))?.value as object)).toEqual(['kept'])
    })

    it('rejects what is no JSON at all', async () => {
      const store = currentStore()
      await expect(store.set(key, undefined as unknown as Json, 60)).rejects.toThrow(TypeError)
      await expect(store.add(key, (() => 1) as unknown as Json, 60)).rejects.toThrow(TypeError)
      expect(await store.get(key)).toBeUndefined()
    })

    it('keeps a record from changes to the object that was written', async () => {
      const store = currentStore()
      const written = { scope: ['read'], nested: { admin: false } }
      await store.set(key, written, 60)
      written.scope.push('write')
      written.nested.admin = true
      expect((await store.get(key))?.value).toEqual({ scope: ['read'], nested: { admin: false } })
    })

    it('keeps a record from changes to the object that was read', async () => {
      const store = currentStore()
      await store.set(key, { scope: ['read'] }, 60)
      const read = (await store.get(key))?.value as { scope: string[] }
      try {
        read.scope.push('write')
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError) // a store may hand out frozen objects instead of copies
      }
      expect((await store.get(key))?.value).toEqual({ scope: ['read'] })
    })
  })
}
