import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { growingCache } from '../../lib/stores/growing-cache.ts'

const count = 1_000

describe('growingCache', () => {
  it('keeps so many entries, those used last', () => {
    const cache = growingCache<number>(3)
    for (const entry of [1, 2, 3]) cache.set(String(entry), entry)
    cache.get('1')
    cache.set('4', 4)
    expect([...cache.rvalues()].toSorted()).toEqual([1, 3, 4])
  })

  it('keeps so much altogether, and never more entries than without', () => {
    const cache = growingCache<{ readonly size: number }>(10, { most: 100, sizeOf: ({ size }) => size })
    for (let entry = 0; entry < count; entry++) cache.set(String(entry), { size: 1 })
    expect(cache.size).toBe(10)
    cache.set('large', { size: 95 })
    expect([...cache.rvalues()]).toEqual([{ size: 95 }])
    cache.set('too large', { size: 101 })
    expect(cache.has('too large')).toBe(false)
  })

  it.each([1, 3, 16, 17, 40])('does what a list does that has the one used last at its end, and %i of them', most => {
    const key = fc.nat({ max: 60 }).map(String)
    const step = fc.record({ does: fc.constantFrom('set', 'set', 'get', 'get', 'delete', 'has'), key })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), fc.boolean(), (steps, bySize) => {
        const cache = growingCache<number>(most, bySize ? { most: most * 10, sizeOf: () => 10 } : undefined)
        const list: string[] = []
        const values = new Map<string, number>()
        const take = (used: string) => list.splice(list.indexOf(used), list.includes(used) ? 1 : 0).length === 1
        for (const [index, { does, key: used }] of steps.entries()) {
          if (does === 'set') {
            take(used)
            cache.set(used, index)
            values.set(used, index)
            list.push(used)
            if (list.length > most) list.shift()
          } else if (does === 'get') {
            const known = cache.get(used)
            expect(known !== undefined).toBe(take(used))
            if (known !== undefined) list.push(used)
          } else if (does === 'delete') expect(cache.delete(used)).toBe(take(used))
          else expect(cache.has(used)).toBe(list.includes(used))
          expect([...cache.rvalues()]).toEqual(list.map(one => values.get(one)))
          expect(cache.size).toBe(list.length)
        }
      }),
      { numRuns: 50 }
    )
  })

  it('is empty before anything was put in', () => {
    const cache = growingCache<number>(3)
    expect([cache.size, cache.get('1'), cache.has('1'), cache.delete('1'), [...cache.rvalues()]]).toEqual([
      ...[0, undefined, false, false],
      []
    ])
    cache.set('1', 1)
    expect([cache.size, cache.get('1'), cache.has('1'), [...cache.rvalues()], cache.delete('1'), cache.size]).toEqual([
      ...[1, 1, true, [1]],
      ...[true, 0]
    ])
  })

  it('sets nothing aside for what is not there yet', () => {
    const used = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
    const before = used()
    const caches = Array.from({ length: 20 }, () => growingCache<number>(100_000))
    // room for all at once would be two megabytes each
    expect((used() - before) / caches.length).toBeLessThan(200_000)
  })
})
