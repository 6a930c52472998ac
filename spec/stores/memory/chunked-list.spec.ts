import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ChunkedList } from '../../../lib/stores/memory/chunked-list.ts'

/** More than one chunk holds. */
const many = 2_500

function filled(length: number): ChunkedList<number> {
  const list = new ChunkedList<number>()
  for (let value = 0; value < length; value++) list.push(value)
  return list
}

describe('ChunkedList', () => {
  it('answers a push with the index, chunk after chunk', () => {
    const list = new ChunkedList<number>()
    const indexes = Array.from({ length: many }, (_, value) => list.push(value))
    expect(indexes).toEqual(Array.from({ length: many }, (_, index) => index))
    expect([list.length, list.last()]).toEqual([many, many - 1])
  })

  it('gives everything back from its end, and then nothing', () => {
    const list = filled(many)
    const popped = Array.from({ length: many }, () => list.pop())
    expect(popped).toEqual(Array.from({ length: many }, (_, index) => many - 1 - index))
    expect([list.length, list.last(), list.pop(), list.length]).toEqual([0, undefined, undefined, 0])
  })

  it.each([-1, many, many + 10_000, 0.5 + many])('replaces nothing at %d, where there is nothing', index => {
    expect(() => filled(many).replace(index, 0)).toThrow(RangeError)
  })

  it('is an array that is pushed to, popped and replaced in', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 1_500 }) }) },
      fc.record({ pop: fc.integer({ min: 1, max: 1_500 }) }),
      fc.record({ replace: fc.nat(), by: fc.nat() })
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        const list = new ChunkedList<number>()
        const model: number[] = []
        const same = (given: unknown, expected: unknown): void => {
          // expect() for each of a million values takes half a minute
          if (given !== expected) expect(given).toBe(expected)
        }
        for (const given of steps) {
          if ('push' in given) for (let value = 0; value < given.push; value++) same(list.push(value), model.push(value) - 1)
          else if ('pop' in given) for (let time = 0; time < given.pop; time++) same(list.pop(), model.pop())
          else if (model.length > 0) {
            const index = given.replace % model.length
            model[index] = given.by
            list.replace(index, given.by)
          }
          expect([list.length, list.last()]).toEqual([model.length, model.at(-1)])
        }
        while (model.length > 0) same(list.pop(), model.pop())
      }),
      { numRuns: 50 }
    )
  })
})
