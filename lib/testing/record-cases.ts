/** Cases of the answer of each operation, one caller at a time. */
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

const other = { ...code, id: 'other' }

const reading: readonly CaseDefinition[] = [
  {
    name: 'get finds nothing that was never written',
    async run(context) {
      await expectAbsent(await context.open(), code)
    }
  },
  {
    name: 'get finds what was written, and the newer of two writes',
    async run(context) {
      const store = await context.open()
      await store.set(code, 'first', 60)
      await expectValue(store, code, 'first')
      await store.set(code, { second: true }, 60)
      await expectValue(store, code, { second: true })
    }
  },
  {
    name: 'every write changes the version, also one of the same value, and nothing else does',
    async run(context) {
      const store = await context.open()
      await store.set(code, 'same', 60)
      const first = await versionOf(store, code)
      strictEqual(await versionOf(store, code), first)
      await store.set(code, 'same', 60)
      notStrictEqual(await versionOf(store, code), first)
    }
  },
  {
    name: 'no version comes twice for one key, also not after a deletion',
    async run(context) {
      const store = await context.open()
      await store.set(code, 'same', 60)
      const first = await versionOf(store, code)
      await store.delete(code)
      await store.set(code, 'same', 60)
      notStrictEqual(await versionOf(store, code), first)
      strictEqual(await store.swap(code, first, 'late', 60), false)
    }
  }
]

const deleting: readonly CaseDefinition[] = [
  {
    name: 'delete removes one record, and minds not that there is none',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 60)
      await store.set(other, 2, 60)
      await store.delete(code)
      await store.delete(code)
      await expectAbsent(store, code)
      await expectValue(store, other, 2)
    }
  },
  {
    name: 'add writes again what was deleted',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 60)
      await store.delete(code)
      strictEqual(await store.add(code, 2, 60), true)
      await expectValue(store, code, 2)
    }
  }
]

const adding: readonly CaseDefinition[] = [
  {
    name: 'add writes only where there is nothing',
    async run(context) {
      const store = await context.open()
      strictEqual(await store.add(code, 'first', 60), true)
      strictEqual(await store.add(code, 'second', 60), false)
      await expectValue(store, code, 'first')
    }
  },
  {
    name: 'add works without a grant as with one',
    async run(context) {
      const store = await context.open()
      const jti = { kind: 'client_assertion', id: 'digest of a jti' }
      strictEqual(await store.add(jti, null, 60), true)
      strictEqual(await store.add(jti, null, 60), false)
      await expectTaken(store, jti, null)
      strictEqual(await store.add(jti, null, 60), false)
    }
  }
]

const taking: readonly CaseDefinition[] = [
  {
    name: 'take gives the value once, and says that it is spent from then on',
    async run(context) {
      const store = await context.open()
      await store.set(code, { sub: 'alice' }, 60)
      await expectTaken(store, code, { sub: 'alice' })
      await expectOutcome(store, code, 'spent')
      await expectOutcome(store, code, 'spent')
    }
  },
  {
    name: 'take finds nothing where nothing was',
    async run(context) {
      await expectOutcome(await context.open(), code, 'absent')
    }
  },
  {
    name: 'take gives null as a value like any other',
    async run(context) {
      const store = await context.open()
      await store.set(code, null, 60)
      await expectTaken(store, code, null)
      await expectOutcome(store, code, 'spent')
    }
  },
  {
    name: 'take leaves a record that get does not find, swap does not change and add does not replace',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 60)
      const version = await versionOf(store, code)
      await store.take(code)
      await expectAbsent(store, code)
      strictEqual(await store.swap(code, version, 2, 60), false)
      strictEqual(await store.add(code, 3, 60), false)
      await expectOutcome(store, code, 'spent')
    }
  },
  {
    name: 'take forgets that a record was spent when it is written anew or deleted',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 60)
      await store.take(code)
      await store.set(code, 2, 60)
      await expectTaken(store, code, 2)
      await store.delete(code)
      await expectOutcome(store, code, 'absent')
    }
  }
]

const swapping: readonly CaseDefinition[] = [
  {
    name: 'swap replaces the record of that version, once',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 60)
      const version = await versionOf(store, code)
      strictEqual(await store.swap(code, version, 2, 120), true)
      strictEqual(await store.swap(code, version, 3, 120), false)
      await expectValue(store, code, 2)
      notStrictEqual(await versionOf(store, code), version)
    }
  },
  {
    name: 'swap leaves a record of another version as it is',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 60)
      const version = await versionOf(store, code)
      await store.set(code, 2, 60)
      strictEqual(await store.swap(code, version, 3, 60), false)
      await expectValue(store, code, 2)
    }
  },
  {
    name: "swap does not take another record's version",
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 60)
      await store.set(other, 1, 60)
      strictEqual(await store.swap(code, await versionOf(store, other), 2, 60), false)
      await expectValue(store, code, 1)
    }
  },
  ...['no such version', '', 0, -1].map(
    version =>
      ({
        name: `swap takes ${JSON.stringify(version)} for no version of anything`,
        async run(context) {
          const store = await context.open()
          strictEqual(await store.swap(code, version, 1, 60), false)
          await store.set(code, 1, 60)
          strictEqual(await store.swap(code, version, 2, 60), false)
        }
      }) satisfies CaseDefinition
  )
]

const closing: readonly CaseDefinition[] = [
  {
    name: 'close makes every other operation reject, and closing again is no error',
    async run(context) {
      const store = await context.open()
      await store.set(code, 1, 60)
      await store.close()
      await store.close()
      await expectClosed(store, code)
    }
  }
]

export const recordCases: readonly CaseDefinition[] = [...reading, ...deleting, ...adding, ...taking, ...swapping, ...closing]
