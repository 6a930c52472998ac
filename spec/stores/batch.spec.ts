/** A batch stands for the operations that are called otherwise: it goes round nothing that was put before those. */
import { describe, expect, it } from '@jest/globals'
import { batchOf, inOneStep } from '../../lib/stores/batch.ts'
import { guardedStore } from '../../lib/stores/guarded.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { scopedStore } from '../../lib/stores/scoped.ts'
import { ConfigurationError } from '../../lib/options.ts'
import { storeCheck, type Batch, type BatchStore, type Key, type Store } from '../../lib/stores/store.ts'
import { storeContract } from '../../lib/testing/store.ts'

const grant: Key = { kind: 'grant', id: 'g1', grant: 'g1' }
const token: Key = { kind: 'access_token', id: 'digest', grant: 'g1' }
const steps: Batch = [
  { operation: 'add', key: grant, value: 1, ttl: 60 },
  { operation: 'set', key: token, value: 2, ttl: 60 }
]

/** The store of somebody who never heard of batches: eight functions. */
function plainStore(behind: Store, calls: string[] = []): Store {
  const told = <T>(name: string, answer: T): T => {
    calls.push(name)
    return answer
  }
  return {
    get: key => told('get', behind.get(key)),
    set: (key, value, ttl) => told('set', behind.set(key, value, ttl)),
    add: (key, value, ttl) => told('add', behind.add(key, value, ttl)),
    take: key => told('take', behind.take(key)),
    swap: (key, version, value, ttl) => told('swap', behind.swap(key, version, value, ttl)),
    delete: key => told('delete', behind.delete(key)),
    deleteGrant: id => told('deleteGrant', behind.deleteGrant(id)),
    close: () => behind.close()
  }
}

describe.each<[string, (store: Store) => Store]>([
  ['a store of eight functions', store => plainStore(store)],
  ['a scope of a store of eight functions', store => scopedStore(plainStore(store), 'a')]
])('%s keeps the store contract', (_, wrap) => {
  storeContract(it, {
    start: () => ({ now: Date.UTC(2026, 0, 1) }),
    open: time => wrap(memoryStore({ clock: () => time.now })),
    pass: (time, seconds) => void (time.now += seconds * 1000),
    shared: false
  })
})

describe('a batch', () => {
  const counted = (behind: Store) => {
    const calls: string[] = []
    return { calls, plain: plainStore(behind, calls) }
  }

  it.each<[string, (store: Store, told: () => void) => Store]>([
    ['inherits a store', (store, told) => Object.assign(Object.create(store) as Store, { set: tellingSet(store, told) })],
    [
      'inherits from what does',
      (store, told) => Object.create(Object.assign(Object.create(store) as Store, { set: tellingSet(store, told) })) as Store
    ],
    [
      'is a store with another operation',
      (store, told) =>
        Object.assign(store, {
          set: tellingSet(
            Object.create(Object.getPrototypeOf(store) as object, Object.getOwnPropertyDescriptors(store)) as Store,
            told
          )
        })
    ],
    [
      'is a Proxy of one operation',
      (store, told) =>
        new Proxy(store, {
          get: (target, name, receiver) =>
            name === 'set' ? tellingSet(target, told) : (Reflect.get(target, name, receiver) as unknown)
        })
    ],
    [
      'inherits from a Proxy',
      (store, told) =>
        Object.create(
          new Proxy(store, {
            get: (target, name, receiver) =>
              name === 'set' ? tellingSet(target, told) : (Reflect.get(target, name, receiver) as unknown)
          })
        ) as Store
    ],
    [
      'has the members of a scope',
      (store, told) => {
        const scope = scopedStore(store, 'a')
        return { ...scope, set: tellingSet(scope, told) }
      }
    ],
    [
      'has the members of a guarded store',
      (store, told) => {
        const guarded = guardedStore(store)
        return { ...guarded, set: tellingSet(guarded, told) }
      }
    ],
    [
      'is a scope into which another operation was put',
      (store, told) => Object.assign(scopedStore(store, 'a'), { set: tellingSet(scopedStore(store, 'a'), told) })
    ],
    [
      'is a guarded store into which another operation was put',
      (store, told) => Object.assign(guardedStore(store), { set: tellingSet(guardedStore(store), told) })
    ],
    ['has eight functions', (store, told) => ({ ...plainStore(store), set: tellingSet(store, told) })]
  ])('goes round no wrapper that %s', async (_, wrap) => {
    for (const through of [
      (store: Store) => store,
      guardedStore,
      (store: Store) => scopedStore(store, 'b'),
      (store: Store) => guardedStore(scopedStore(store, 'b'))
    ]) {
      let told = 0
      const store = through(wrap(memoryStore(), () => (told += 1)))
      expect(await inOneStep(store, steps)).toBe(true)
      expect(told).toBe(1)
      expect(await inOneStep(store, steps)).toBe(false)
      expect(told).toBe(1)
      expect((await store.get(token))?.value).toBe(2)
    }
  })

  it.each<[string, (store: Store) => Store]>([
    ['the store itself', store => store],
    ['one that inherits it and changes nothing', store => Object.create(store) as Store],
    ['a scope, guarded', store => guardedStore(scopedStore(store, 'a'))],
    [
      'a wrapper with a batch of its own',
      store => ({ ...plainStore(store), batch: (given: Batch) => batchOf(store)?.(given) ?? Promise.resolve('apart') })
    ]
  ])('is one step of %s', async (_, wrap) => {
    const behind = memoryStore()
    const asked: Batch[] = []
    const store = wrap(
      Object.assign(Object.create(behind) as Store, { batch: (given: Batch) => (asked.push(given), batchOf(behind)?.(given)) })
    )
    expect(await inOneStep(store, steps)).toBe(true)
    expect(asked).toHaveLength(1)
  })

  it('is one after the other, in order, where a store has none, and ends at the first that says no', async () => {
    const { calls, plain } = counted(memoryStore())
    const swap = { operation: 'swap', key: grant, version: 'none', value: 3, ttl: 60 } as const
    expect(await inOneStep(plain, [...steps, { operation: 'delete', key: token }])).toBe(true)
    expect(await inOneStep(plain, steps)).toBe(false)
    expect(await inOneStep(plain, [swap, { operation: 'set', key: token, value: 3, ttl: 60 }])).toBe(false)
    expect(calls).toEqual(['add', 'set', 'delete', 'add', 'swap'])
  })

  it('is one after the other where the store cannot do these in one step', async () => {
    const { calls, plain } = counted(memoryStore())
    expect(
      await inOneStep(
        withBatch(plain, () => Promise.resolve('apart')),
        steps
      )
    ).toBe(true)
    expect(calls).toEqual(['add', 'set'])
  })

  it.each([true, undefined, null, 1, 'yes', {}])('is not done where the store answers %p', async answer => {
    const { calls, plain } = counted(memoryStore())
    expect(
      await inOneStep(
        withBatch(plain, () => Promise.resolve(answer as 'done')),
        steps
      )
    ).toBe(false)
    expect(calls).toEqual([])
  })

  it('of one step is that operation', async () => {
    const { calls, plain } = counted(memoryStore())
    const odd = withBatch(plain, () => Promise.reject(new Error('not asked')))
    expect(await inOneStep(odd, [steps[0]])).toBe(true)
    expect(await inOneStep(odd, [steps[0]])).toBe(false)
    expect(calls).toEqual(['add', 'add'])
  })

  it('is a function, or left out', () => {
    expect(() => storeCheck.read({ ...plainStore(memoryStore()), batch: true }, 'store')).toThrow(
      new ConfigurationError('store', 'must implement the Store contract; its batch must be a function or left out')
    )
  })
})

function withBatch(store: Store, batch: BatchStore['batch']): BatchStore {
  return { ...store, batch }
}

function tellingSet(behind: Store, told: () => void): Store['set'] {
  return (key, value, ttl) => {
    told()
    return behind.set(key, value, ttl)
  }
}

describe('a full memory store', () => {
  const third: Key = { kind: 'access_token', id: 'third' }

  it.each([
    ['records', { maxEntries: 3 }],
    ['bytes', { maxBytes: 2_000 }]
  ])('does all of a batch or nothing, by %s', async (_, bounds) => {
    const store = memoryStore({ clock: () => 0, ...bounds })
    const value = 'x'.repeat(600)
    await store.set(third, value, 60)
    const two = (at: number): Batch => [
      { operation: 'add', key: { ...grant, id: `${at}` }, value, ttl: 60 },
      { operation: 'set', key: { ...token, id: `${at}` }, value, ttl: 60 }
    ]
    if ('maxEntries' in bounds) expect(await inOneStep(store, two(1))).toBe(true)
    await expect(inOneStep(store, two(2))).rejects.toThrow('the memory store is full')
    expect(await store.get({ ...grant, id: '2' })).toBeUndefined()
    expect(await store.get({ ...token, id: '2' })).toBeUndefined()
    // what says no is refused, and not out of room
    expect(await inOneStep(store, [{ operation: 'add', key: third, value, ttl: 60 }, ...([two(3)[1]] as const)] as Batch)).toBe(
      false
    )
    // replacing what is there takes no more
    expect(
      await inOneStep(store, [
        { operation: 'set', key: third, value, ttl: 60 },
        { operation: 'delete', key: token }
      ])
    ).toBe(true)
    expect((await store.get(third))?.value).toBe(value)
  })
})
