import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ExpiringTable } from '../../lib/stores/memory/expiring-table.ts'
import { ConfigurationError } from '../../lib/options.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { bytesOf } from '../../lib/stores/memory/size.ts'
import type { Key } from '../../lib/stores/store.ts'
import { storeContract } from '../../lib/testing/store.ts'

describe('memoryStore keeps the store contract', () => {
  storeContract(it, {
    start: () => ({ now: Date.UTC(2026, 0, 1) }),
    open: time => memoryStore({ clock: () => time.now }),
    pass: (time, seconds) => void (time.now += seconds * 1000),
    shared: false
  })
})

const jti = (index: number): Key => ({ kind: 'client_assertion', id: `jti ${index}` })

describe('memoryStore', () => {
  it('tells the time by Date.now unless given a clock', async () => {
    const store = memoryStore()
    await store.set(jti(1), 'live', 60)
    expect((await store.get(jti(1)))?.value).toBe('live')
  })

  it('finds a record again that the clock, set back, calls live', async () => {
    let now = 1_000_000
    const store = memoryStore({ clock: () => now })
    await store.add(jti(1), null, 60)
    now -= 3_600_000
    expect(await store.add(jti(1), null, 60)).toBe(false)
  })

  describe('maxEntries', () => {
    it.each([0, -1, 1.5, NaN, Infinity, '5', null])('is not %p', maxEntries => {
      expect(() => memoryStore({ maxEntries: maxEntries as number })).toThrow(
        new ConfigurationError('maxEntries', 'must be a whole number greater than 0')
      )
    })

    it('refuses one record more and drops none of those it has', async () => {
      const store = memoryStore({ clock: () => 0, maxEntries: 2 })
      await store.add(jti(1), null, 60)
      await store.set(jti(2), null, 60)
      await expect(store.add(jti(3), null, 60)).rejects.toThrow('the memory store is full: it holds 2 records')
      await expect(store.set(jti(3), null, 60)).rejects.toThrow('full')
      expect(await store.add(jti(1), null, 60)).toBe(false)
      expect(await store.add(jti(2), null, 60)).toBe(false)
    })

    it('lets records be replaced, swapped, taken, deleted and ended while full', async () => {
      const store = memoryStore({ clock: () => 0, maxEntries: 1 })
      const key = { ...jti(1), grant: 'g1' }
      await store.set(key, 1, 60)
      await store.set(key, 2, 60)
      expect(await store.swap(key, (await store.get(key))?.version ?? '', 3, 60)).toBe(true)
      await store.deleteGrant('g1')
      expect(await store.get(key)).toBeUndefined()
      expect(await store.add(key, 4, 60)).toBe(false)
    })

    it('makes room of what has expired before it refuses', async () => {
      let now = 0
      const store = memoryStore({ clock: () => now, maxEntries: 500 })
      for (let index = 0; index < 500; index++) await store.add(jti(index), null, 60)
      now += 120_000
      for (let index = 500; index < 1_000; index++) expect(await store.add(jti(index), null, 60)).toBe(true)
    })
  })

  describe('maxBytes', () => {
    const full = /^the memory store is full: its records take all of maxBytes, \d+ bytes$/
    const request = (index: number): Key => ({ kind: 'interaction', id: `request ${index}` })
    const large = { state: 'x'.repeat(10_000) }
    const bounded = (maxBytes: number) => {
      const time = { now: 0 }
      return { time, store: memoryStore({ clock: () => time.now, maxBytes }) }
    }

    it.each([0, -1, 1.5, NaN, Infinity, '5', null])('is not %p', maxBytes => {
      expect(() => memoryStore({ maxBytes: maxBytes as number })).toThrow(
        new ConfigurationError('maxBytes', 'must be a whole number greater than 0')
      )
    })

    it('is guessed where it was meant', () => {
      expect(() => memoryStore({ maxByte: 1 } as object)).toThrow('maxByte is not a known option; did you mean maxBytes?')
    })

    it.each([
      ['ASCII', 'x', 45, 50],
      ['anything else', 'x€', 22, 25]
    ])('bounds what large records of %s take, and drops none of those there are', async (_, text, least, most) => {
      const { store } = bounded(500_000)
      let kept = 0
      while (kept < 1_000) {
        const state = text.repeat(10_000 / text.length)
        const written = await store.set(request(kept), { state }, 60).catch((error: unknown) => error)
        if (written !== undefined) {
          expect(written).toEqual(expect.objectContaining({ message: expect.stringMatching(full) }))
          break
        }
        kept++
      }
      expect(kept).toBeGreaterThanOrEqual(least)
      expect(kept).toBeLessThanOrEqual(most)
      for (let index = 0; index < kept; index++) expect(await store.get(request(index))).toBeDefined()
    })

    it('bounds small records, seen ids and records of grants too', async () => {
      for (const keyOf of [
        (index: number) => jti(index),
        (index: number) => ({ kind: 'dpop_proof', id: `${String(index).padStart(42, 'A')}A` }),
        (index: number) => ({ kind: 'access_token', id: `${index}`, grant: `g${index}` })
      ]) {
        const { store } = bounded(100_000)
        const outcomes = await Promise.allSettled(Array.from({ length: 3_000 }, (_, index) => store.add(keyOf(index), null, 60)))
        const kept = outcomes.filter(({ status }) => status === 'fulfilled').length
        expect(kept).toBeGreaterThan(100)
        expect(kept).toBeLessThan(2_000)
        expect(await store.add(keyOf(0), null, 60)).toBe(false)
      }
    })

    it('lets records be replaced by what is no larger, swapped, taken, deleted and ended while full', async () => {
      const { store } = bounded(25_000)
      const family = { kind: 'refresh_family', id: 'f', grant: 'g1' }
      await store.set(family, { generation: 1 }, 60)
      await store.set(request(1), large, 60)
      await store.set(request(2), large, 60)
      await expect(store.set(request(3), large, 60)).rejects.toThrow(full)
      await expect(store.set(request(1), { state: 'x'.repeat(20_000) }, 60)).rejects.toThrow(full)
      expect((await store.get(request(1)))?.value).toEqual(large)
      await store.set(request(1), { state: 'y'.repeat(10_000) }, 60)
      expect(await store.swap(family, (await store.get(family))?.version ?? '', { generation: 2 }, 60)).toBe(true)
      expect(await store.take(request(2))).toMatchObject({ outcome: 'taken' })
      await store.set(request(3), large, 60)
      await store.delete(request(3))
      await store.deleteGrant('g1')
      expect(await store.get(family)).toBeUndefined()
      await store.set(request(4), large, 60)
    })

    it('makes room of what has expired before it refuses', async () => {
      const { store, time } = bounded(500_000)
      for (let index = 0; index < 45; index++) await store.set(request(index), large, 60)
      time.now += 120_000
      for (let index = 100; index < 145; index++) await store.set(request(index), large, 60)
      await expect(Promise.all(Array.from({ length: 10 }, (_, index) => store.set(request(index), large, 60)))).rejects.toThrow(
        full
      )
    })

    it('is half of the heap unless given: megabytes of anything are no matter', async () => {
      const store = memoryStore()
      for (let index = 0; index < 500; index++) await store.set(request(index), large, 60)
      expect(await store.get(request(0))).toBeDefined()
    })
  })
})

describe('ExpiringTable', () => {
  it('knows how much memory its entries take, whatever became of them', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd')
    const step = fc.record({
      does: fc.constantFrom('place', 'place', 'remove', 'spend', 'endGroup', 'sweep'),
      name,
      text: fc.constantFrom('null', '"x"', '"é"', undefined),
      group: fc.constantFrom('g', 'h', undefined),
      expires: fc.integer({ min: 1, max: 10_000 })
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const table = new ExpiringTable()
        const held = new Map<string, number>()
        for (const { does, name, text, group, expires } of steps) {
          const entry = table.find(name, 0)
          if (does === 'place') held.set(table.place(name, { text, expires, group }, 0).name, bytesOf(name, text, group))
          else if (does === 'endGroup') table.endGroup('g')
          else if (does === 'sweep') table.sweep(expires, 2)
          else if (entry !== undefined && does === 'spend') table.spend(entry)
          else if (entry !== undefined && does === 'remove') table.remove(entry)
          const under = [...held.keys()].map(each => table.bytesUnder(each))
          expect(table.bytes).toBe(under.reduce((sum, bytes) => sum + bytes, 0))
        }
        table.endGroup('g')
        for (let before = -1; before !== table.size;) {
          before = table.size
          table.sweep(100_000, 5)
        }
        expect([table.size, table.bytes]).toEqual([0, 0])
      })
    )
  })

  const tensOfThousands = 50_000
  const fill = (table: ExpiringTable, expiresOf: (index: number) => number, group?: (index: number) => string) => {
    for (let index = 0; index < tensOfThousands; index++) {
      table.place(`entry ${index}`, { text: 'null', expires: expiresOf(index), group: group?.(index) }, 0)
    }
  }
  const sweepAll = (table: ExpiringTable, now: number, steps: number) => {
    let sweeps = 0
    for (let before = -1; before !== table.size; sweeps++) {
      before = table.size
      table.sweep(now, steps)
      expect(before - table.size).toBeLessThanOrEqual(steps)
    }
    return sweeps
  }

  it('gives back 50,000 expired entries in steps, and their groups', () => {
    const table = new ExpiringTable()
    fill(
      table,
      index => 1 + (index % 3_600_000),
      index => `group ${index % 1_000}`
    )
    expect([table.size, table.groupCount]).toEqual([tensOfThousands, 1_000])
    expect(sweepAll(table, 4_000_000, 1_000)).toBe(tensOfThousands / 1_000 + 1)
    expect([table.size, table.groupCount]).toEqual([0, 0])
  })

  it('keeps what has not expired, and is at most a 256th of the time to live late with the rest', () => {
    const table = new ExpiringTable()
    fill(table, index => (index % 2 === 0 ? 60_000 : 3_600_000))
    sweepAll(table, 59_999, 1_000)
    expect(table.size).toBe(tensOfThousands)
    sweepAll(table, 60_000 + 60_000 / 128, 1_000)
    expect(table.size).toBe(tensOfThousands / 2)
    expect(table.find('entry 1', 60_000)?.text).toBe('null')
    expect(table.find('entry 0', 59_999)).toBeUndefined()
  })

  it('ends a group of 50,000 entries at once and gives their memory back in steps', () => {
    const table = new ExpiringTable()
    fill(
      table,
      () => 3_600_000,
      () => 'group'
    )
    table.endGroup('group')
    expect(table.find('entry 7', 0)).toBeUndefined()
    table.place('entry 7', { text: '"new"', expires: 3_600_000, group: 'group' }, 0)
    sweepAll(table, 0, 1_000)
    expect([table.size, table.groupCount]).toEqual([1, 1])
    expect(table.find('entry 7', 0)?.text).toBe('"new"')
  })

  it('holds one entry however often it is replaced', () => {
    const table = new ExpiringTable()
    for (let index = 0; index < tensOfThousands; index++) {
      table.place('family', { text: `${index}`, expires: index + 86_400_000, group: 'grant' }, index)
    }
    expect([table.size, table.groupCount]).toEqual([1, 1])
    table.sweep(10 * 86_400_000, 1)
    expect([table.size, table.groupCount]).toEqual([0, 0])
  })

  it('finds its way after entries were removed in any order', () => {
    const table = new ExpiringTable()
    fill(
      table,
      index => 1_000 + (index % 77) * 1_000,
      index => `group ${index % 10}`
    )
    for (let index = 0; index < tensOfThousands; index += 3) {
      const entry = table.find(`entry ${index}`, 0)
      if (entry !== undefined) table.remove(entry)
    }
    table.endGroup('group 4')
    sweepAll(table, 40_000, 1_000)
    for (let index = 0; index < tensOfThousands; index += 101) {
      const expected = index % 3 !== 0 && index % 10 !== 4 && 1_000 + (index % 77) * 1_000 > 40_000
      expect(table.find(`entry ${index}`, 40_000) !== undefined).toBe(expected)
    }
    sweepAll(table, 100_000, 1_000)
    expect([table.size, table.groupCount]).toEqual([0, 0])
  })
})
