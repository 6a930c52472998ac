/** No key is taken for another, whatever characters it has. */
import { deepStrictEqual, strictEqual } from 'node:assert/strict'
import type { Key } from '../stores/store.ts'
import { expectAbsent, expectValue, forEachOf, type CaseDefinition } from './store-case.ts'

const key: Key = { kind: 'grant', id: 'digest' }

/** Texts that separators, patterns, paths, prototypes, queries and encodings stumble over. */
const tricky: readonly string[] = [
  ...[
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
    '[a]'
  ],
  ...['a\0b', '\0', 'a\nb', 'a\r\nb', "a'b", 'a"b', "'; DROP TABLE records; --", '${a}', '__proto__', 'constructor'],
  ...['undefined', 'null', 'é', 'e\u0301', 'İ', 'ı', 'ß', 'ss', '日本語', '😀', '👩‍👩‍👧', '\u2028', '\ufeff', '\uffff'],
  ...['\ud800', '\udc00', '\ufffd', 'x'.repeat(511), 'x'.repeat(512), '😀'.repeat(256)]
]

const separators = [':', '/', '.', ',', '|', '-', '_', '+', '{', '}', '"', '\\', '\0', '\n']

/** Every way in which two parts of a key might run into one another. */
function keysAround(text: string): readonly Key[] {
  return [
    { kind: 'k', id: text },
    { kind: 'k', id: text, grant: 'g' },
    { kind: 'k', id: 'i', grant: text },
    { kind: text, id: 'i' },
    { kind: 'a', id: `${text}b` },
    { kind: `a${text}`, id: 'b' },
    { kind: 'k', id: `${text}i`, grant: 'h' },
    { kind: 'k', id: 'i', grant: `h${text}` },
    { kind: text, id: text, grant: text }
  ]
}

function keysWith(separator: string): readonly Key[] {
  const parts = ['', 'a', '0', '1', separator, `${separator}0`, `a${separator}`, `a${separator}0`, `1${separator}a`]
  const grants = [undefined, ...parts]
  return parts.flatMap(kind =>
    parts.flatMap(id => grants.map((grant): Key => (grant === undefined ? { kind, id } : { kind, id, grant })))
  )
}

export const keyCases: readonly CaseDefinition[] = [
  {
    name: 'no key is taken for another, whatever characters they have',
    async run(context) {
      const store = await context.open()
      const distinct = new Map(
        tricky.flatMap(keysAround).map(each => [JSON.stringify([each.kind, each.id, each.grant]), each] as const)
      )
      await forEachOf([...distinct], ([text, each]) => store.set(each, text, 60))
      for (const [text, each] of distinct) await expectValue(store, each, text)
      await forEachOf([...distinct.values()], each => store.delete(each))
      for (const each of distinct.values()) await expectAbsent(store, each)
    }
  },
  ...separators.map((separator): CaseDefinition => ({
    name: `the parts of a key are kept apart where they contain ${JSON.stringify(separator)}`,
    async run(context) {
      const store = await context.open()
      const keys = keysWith(separator)
      const added = await forEachOf(keys, each => store.add(each, null, 60))
      deepStrictEqual(
        keys.filter((_, index) => added[index] !== true),
        []
      )
    }
  })),
  {
    name: 'deleteGrant ends the grant it names and no other, whatever characters its name has',
    async run(context) {
      const store = await context.open()
      for (const [index, grant] of tricky.entries()) {
        const ended = { ...key, kind: `k${index}`, grant }
        const stays = { ...ended, grant: `${grant}.` }
        await store.set(ended, 'ended', 60)
        await store.set(stays, 'stays', 60)
        await store.deleteGrant(grant)
        await expectAbsent(store, ended)
        await expectValue(store, stays, 'stays')
        strictEqual(await store.add(ended, 1, 60), false)
      }
    }
  },
  {
    name: 'a key without a grant belongs to no grant, whatever it is called',
    async run(context) {
      const store = await context.open()
      await store.set(key, 1, 60)
      await store.set({ ...key, grant: 'undefined' }, 2, 60)
      await store.deleteGrant('undefined')
      await expectValue(store, { kind: key.kind, id: key.id }, 1)
    }
  }
]
