/** Of any number of callers, in any number of stores on the same data, one wins. */
import { deepStrictEqual, notStrictEqual, strictEqual } from 'node:assert/strict'
import type { Key, Store } from '../stores/store.ts'
import { code, count, expectValue, valueOf, versionOf, type CaseContext, type CaseDefinition } from './store-case.ts'

const contenders = 100
const rounds = 5

interface Round {
  /** A key of this round alone. */
  readonly key: Key
  readonly store: Store
  /** Runs the operation as often as there are contenders, spread over the stores, all at once. */
  readonly race: <T>(operation: (store: Store, contender: number) => Promise<T>) => Promise<T[]>
}

async function eachRound(context: CaseContext, run: (round: Round) => Promise<void>): Promise<void> {
  const stores = await context.several()
  const storeOf = (contender: number) => stores[contender % stores.length] ?? stores[0]
  for (let index = 0; index < rounds; index++) {
    await run({
      key: { ...code, id: `round ${index}`, grant: `grant ${index}` },
      store: stores[0],
      race: operation =>
        Promise.all(Array.from({ length: contenders }, (_, contender) => operation(storeOf(contender), contender)))
    })
  }
}

const isTrue = (answer: boolean): boolean => answer

export const raceCases: readonly CaseDefinition[] = [
  {
    name: 'add is won by one of many',
    run: context =>
      eachRound(context, async ({ key, store, race }) => {
        const won = await race((node, contender) => node.add(key, contender, 60))
        strictEqual(count(won, isTrue), 1)
        await expectValue(store, key, won.indexOf(true))
      })
  },
  {
    name: 'add without a grant is won by one of many',
    run: context =>
      eachRound(context, async ({ key: { kind, id }, store, race }) => {
        const won = await race((node, contender) => node.add({ kind, id }, contender, 60))
        strictEqual(count(won, isTrue), 1)
        await expectValue(store, { kind, id }, won.indexOf(true))
      })
  },
  {
    name: 'add is won by one of many once more when the record has expired',
    async run(context) {
      const stores = await context.several()
      await stores[0].add(code, null, context.tick)
      await context.pass(context.tick)
      const won = await Promise.all(
        Array.from({ length: contenders }, (_, index) => (stores[index % stores.length] ?? stores[0]).add(code, index, 60))
      )
      strictEqual(count(won, isTrue), 1)
      await expectValue(stores[0], code, won.indexOf(true))
    }
  },
  {
    name: 'take is won by one of many, and the others learn that it is spent',
    run: context =>
      eachRound(context, async ({ key, store, race }) => {
        await store.set(key, 'the grant', 60)
        const taken = await race(node => node.take(key))
        strictEqual(
          count(taken, ({ outcome }) => outcome === 'taken'),
          1
        )
        strictEqual(
          count(taken, ({ outcome }) => outcome === 'spent'),
          contenders - 1
        )
      })
  },
  {
    name: 'swap is won by one of many that have the same version',
    run: context =>
      eachRound(context, async ({ key, store, race }) => {
        await store.set(key, 'start', 60)
        const version = await versionOf(store, key)
        const won = await race((node, contender) => node.swap(key, version, contender, 60))
        strictEqual(count(won, isTrue), 1)
        await expectValue(store, key, won.indexOf(true))
      })
  },
  {
    name: 'no swap is lost among many that read, change and write',
    async run(context) {
      const stores = await context.several()
      await stores[0].set(code, 0, 60)
      const increment = async (store: Store) => {
        for (;;) {
          const record = await store.get(code)
          if (record !== undefined && (await store.swap(code, record.version, Number(record.value) + 1, 60))) return
        }
      }
      const workers = Array.from({ length: 8 }, async (_, worker) => {
        for (let turn = 0; turn < 10; turn++) await increment(stores[worker % stores.length] ?? stores[0])
      })
      await Promise.all(workers)
      strictEqual(await valueOf(stores[0], code), 80)
    }
  },
  {
    name: 'take and swap of one record are not both won',
    run: context =>
      eachRound(context, async ({ key, store, race }) => {
        await store.set(key, 'start', 60)
        const version = await versionOf(store, key)
        const answers = await race(async (node, contender) => {
          if (contender % 2 === 0) return (await node.take(key)).outcome
          return (await node.swap(key, version, 'swapped', 60)) ? 'swapped' : 'not swapped'
        })
        strictEqual(
          count(answers, answer => answer === 'taken'),
          1
        )
        strictEqual(await store.get(key), undefined)
        deepStrictEqual(await store.take(key), { outcome: 'spent' })
      })
  },
  {
    name: 'set, however many do it at once, leaves the record of one of them, with one version',
    run: context =>
      eachRound(context, async ({ key, store, race }) => {
        await race((node, contender) => node.set(key, contender, 60))
        const record = await store.get(key)
        notStrictEqual(record, undefined)
        strictEqual(await store.swap(key, record?.version ?? '', 'next', 60), true)
        await expectValue(store, key, 'next')
      })
  }
]
