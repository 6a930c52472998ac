import { describe, expect, it } from '@jest/globals'
import { memoryStore, type Key, type Store } from '../../lib/index.ts'
import { cachedRecords } from '../../lib/stores/cached-records.ts'

const keyOf = (id: string): Key => ({ kind: 'spec', id })

/** A cache with a clock of its own, over a store that counts its questions and may be told to wait. */
function cache(maxAge = 10) {
  const state = { now: 1_800_000_000_000, asked: 0, gate: Promise.resolve() as Promise<unknown> }
  const kept = memoryStore()
  const store: Store = {
    ...kept,
    set: kept.set.bind(kept),
    get: async key => {
      state.asked += 1
      const found = await kept.get(key)
      await state.gate
      return found
    }
  }
  const clock = () => state.now
  const valueOf = ({ name }: { name: string }) => ({ named: name })
  const records = cachedRecords<{ name: string }, { named: string }>({ store, clock, maxAge, keyOf, valueOf })
  return { state, records, write: (name: string, id = 'a') => kept.set(keyOf(id), { name }, 3600) }
}

describe('a cached record', () => {
  it('is known until it is too old, and is the same object while it is the same record', async () => {
    const { state, records, write } = cache()
    await write('first')
    const known = await records.load('a')
    expect(known.value).toEqual({ named: 'first' })
    state.now += 9_999
    expect(records.cached('a')).toBe(known)
    state.now += 1
    expect(records.cached('a')).toBeUndefined()
    expect((await records.load('a')).value).toBe(known.value)
    await write('second')
    expect((await records.load('a')).value).toEqual({ named: 'second' })
  })

  it('is unknown to a clock that was put back, and where the age is 0', async () => {
    const { state, records } = cache()
    await records.load('a')
    state.now -= 1
    expect(records.cached('a')).toBeUndefined()
    const never = cache(0)
    await never.records.load('a')
    expect(never.records.cached('a')).toBeUndefined()
  })

  it('is asked for once for all who ask at the same time', async () => {
    const { state, records, write } = cache()
    await write('first')
    const all = await Promise.all(Array.from({ length: 50 }, () => records.load('a')))
    expect([state.asked, new Set(all).size]).toEqual([1, 1])
  })

  it('is asked for ahead of time by who wants that, and by nobody else', async () => {
    const { state, records, write } = cache()
    await write('first')
    await records.load('a')
    state.now += 6_000
    await write('second')
    expect(records.cached('a')?.value).toEqual({ named: 'first' })
    expect(state.asked).toBe(1)
    expect(records.cachedAhead('a')?.value).toEqual({ named: 'first' })
    expect(records.cachedAhead('a')?.value).toEqual({ named: 'first' })
    await new Promise(resolve => setImmediate(resolve))
    expect([state.asked, records.cached('a')?.value]).toEqual([2, { named: 'second' }])
  })

  it('is not kept where it was asked for before a change', async () => {
    const { state, records, write } = cache()
    let pass: (value: unknown) => void = () => undefined
    state.gate = new Promise(resolve => (pass = resolve))
    await write('first')
    const before = records.load('a')
    await new Promise(resolve => setImmediate(resolve))
    await write('second')
    records.forget('a')
    const after = records.load('a')
    pass(undefined)
    expect([(await before).value, (await after).value]).toEqual([{ named: 'first' }, { named: 'second' }])
    expect(records.cached('a')?.value).toEqual({ named: 'second' })
  })

  it('is driven out by none that is not there', async () => {
    const { records, write } = cache()
    await write('first')
    await records.load('a')
    for (let index = 0; index < 10_001; index++) await records.load(`made up ${index}`)
    expect(records.cached('a')?.value).toEqual({ named: 'first' })
    expect(records.cached('made up 0')).toBeUndefined()
    expect(records.cached('made up 10000')).toEqual({ version: undefined, value: undefined })
  })

  it('is not known where the store rejects, and is asked for again', async () => {
    const { state, records, write } = cache()
    await write('first')
    state.gate = Promise.reject(new Error('down'))
    await expect(records.load('a')).rejects.toThrow('down')
    state.gate = Promise.resolve()
    expect((await records.load('a')).value).toEqual({ named: 'first' })
  })
})
