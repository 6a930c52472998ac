/** Several stores on the same data see the same records, and closing loses none. */
import { notStrictEqual, strictEqual } from 'node:assert/strict'
import {
  code,
  expectAbsent,
  expectClosed,
  expectOutcome,
  expectTaken,
  expectValue,
  versionOf,
  type CaseDefinition
} from './store-case.ts'

const needs = 'shared data'
const other = { ...code, id: 'other' }

export const durabilityCases: readonly CaseDefinition[] = [
  {
    name: 'many stores open on new data at the same moment, and all of them work',
    needs,
    async run(context) {
      const stores = await Promise.all(Array.from({ length: 8 }, () => context.open()))
      const added = await Promise.all(stores.map((store, index) => store.add({ ...code, id: `${index}` }, index, 60)))
      strictEqual(added.includes(false), false)
      for (const [index, store] of stores.entries()) await expectValue(store, { ...code, id: `${7 - index}` }, 7 - index)
    }
  },
  {
    name: 'what one store did, another finds done',
    needs,
    async run(context) {
      const [one, another] = [await context.open(), await context.open()]
      await one.set(code, 1, 60)
      await expectValue(another, code, 1)
      strictEqual(await another.add(code, 2, 60), false)
      strictEqual(await another.swap(code, await versionOf(one, code), 3, 60), true)
      await expectValue(one, code, 3)
      await expectTaken(another, code, 3)
      await expectOutcome(one, code, 'spent')
      await one.delete(code)
      await expectOutcome(another, code, 'absent')
      await one.set(other, 4, 60)
      await another.deleteGrant('g1')
      await expectAbsent(one, other)
      strictEqual(await one.add(other, 5, 60), false)
    }
  },
  {
    name: 'closing one store leaves the others open',
    needs,
    async run(context) {
      const [one, another] = [await context.open(), await context.open()]
      await one.set(code, 1, 60)
      await one.close()
      await expectClosed(one, code)
      await expectValue(another, code, 1)
    }
  },
  {
    name: 'records, used ones and ended grants are still there after a restart',
    needs,
    async run(context) {
      const before = await context.open()
      const ended = { ...code, grant: 'g2' }
      await before.set(code, { kept: true }, 600)
      const version = await versionOf(before, code)
      await before.set(other, 1, 600)
      await before.take(other)
      await before.add({ kind: 'client_assertion', id: 'jti' }, null, 600)
      await before.set(ended, 1, 600)
      await before.deleteGrant('g2')
      await before.close()
      const after = await context.open()
      await expectValue(after, code, { kept: true })
      strictEqual(await versionOf(after, code), version)
      await expectOutcome(after, other, 'spent')
      strictEqual(await after.add({ kind: 'client_assertion', id: 'jti' }, null, 600), false)
      await expectAbsent(after, ended)
      strictEqual(await after.add(ended, 1, 60), false)
      strictEqual(await after.swap(code, version, 'next', 60), true)
    }
  },
  {
    name: 'what expired while every store was closed is absent after a restart',
    needs,
    async run(context) {
      const before = await context.open()
      await before.set(code, 1, context.tick)
      await before.set(other, 2, 60)
      await before.close()
      await context.pass(context.tick)
      const after = await context.open()
      await expectAbsent(after, code)
      strictEqual(await after.add(code, 3, 60), true)
      await expectValue(after, other, 2)
    }
  },
  {
    name: 'no version comes twice for one key, also not after a restart',
    needs,
    async run(context) {
      const seen = new Set()
      for (let restart = 0; restart < 3; restart++) {
        const store = await context.open()
        for (let write = 0; write < 3; write++) {
          await store.set(code, 'same', 60)
          const version = await versionOf(store, code)
          notStrictEqual(version, 'there is no record')
          strictEqual(seen.has(version), false)
          seen.add(version)
        }
        if (restart === 1) await store.delete(code)
        await store.close()
      }
    }
  }
]
