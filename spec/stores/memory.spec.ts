import { describe, expect, it } from '@jest/globals'
import { ConfigurationError } from '../../lib/options.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
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
