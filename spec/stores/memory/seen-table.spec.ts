import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { hash } from 'node:crypto'
import type { Spread } from '../../../lib/stores/memory/seen-segment.ts'
import { SeenTable } from '../../../lib/stores/memory/seen-table.ts'
import { runs } from '../../support/checks/runs.ts'

const idOf = (index: number): string => hash('sha256', `jti ${index}`, 'base64url')
const ids = Array.from({ length: 40 }, (_, index) => idOf(index))

/** Ways in which keys may meet: all at one place, at the last place of the last segment, at a few places. */
const meetings: Record<string, Spread | undefined> = {
  'spread as they are in use': undefined,
  'all at the first place': () => 0,
  'all at the last place': () => -1,
  'at a few places of a few segments': ({ words }) => Math.imul((words[3] ?? 0) & 3, 0x40000001)
}

interface Step {
  readonly operation: 'add' | 'remove' | 'sweep' | 'makeRoom' | 'pass'
  readonly kind: string
  readonly id: string
  readonly by: number
}

const steps = fc.array(
  fc.record<Step>({
    operation: fc.oneof(
      { weight: 8, arbitrary: fc.constant('add' as const) },
      { weight: 3, arbitrary: fc.constantFrom('remove', 'sweep', 'makeRoom', 'pass') }
    ),
    kind: fc.constantFrom('client_assertion', 'dpop_proof'),
    id: fc.constantFrom(...ids),
    by: fc.integer({ min: 1, max: 50 })
  }),
  { minLength: 1, maxLength: 300, size: 'max' }
)

function compare(spread: Spread | undefined, run: readonly Step[]): void {
  const table = new SeenTable(spread)
  const plain = new Map<string, number>()
  let now = 1_000
  for (const { operation, kind, id, by } of run) {
    const name = `${kind} ${id}`
    const expires = plain.get(name) ?? 0
    if (operation === 'pass') now += by
    else if (operation === 'sweep') table.sweep(now, by)
    else if (operation === 'makeRoom') {
      // what is counted here and takes up no room any more has expired
      const given = plain.size - table.size
      const expired = [...plain.values()].filter(each => each <= now).length
      table.makeRoom(now, by)
      expect(plain.size - table.size).toBeGreaterThanOrEqual(Math.min(given + by, expired))
    } else if (operation === 'remove') {
      const removed = table.remove(kind, id)
      if (expires > now) expect(removed).toBe(expires)
      plain.delete(name)
    } else {
      expect(table.add(kind, id, now + by + 0.5, now)).toBe(expires <= now)
      if (expires <= now) plain.set(name, now + by + 0.5)
    }
    const live = [...plain].filter(([, each]) => each > now)
    const forgotten = live.filter(([each, until]) => table.expiryOf(...(each.split(' ') as [string, string])) !== until)
    expect(forgotten).toEqual([])
    expect(table.size).toBeGreaterThanOrEqual(live.length)
    expect(table.size).toBeLessThanOrEqual(plain.size)
  }
}

describe('SeenTable', () => {
  it.each(Object.entries(meetings))('does what a plain map does with keys %s', (_, spread) => {
    fc.assert(
      fc.property(steps, run => {
        compare(spread, run)
      }),
      { numRuns: runs(20) }
    )
  })

  it('grows in small steps to little more than its records need, and back to nothing', () => {
    const table = new SeenTable()
    const count = 20_000
    const indices = Array.from({ length: count }, (_, index) => index)
    const growths = indices.map(index => {
      const before = table.capacity
      return table.add('jti', idOf(index), index % 4 === 1 ? 1_001 : 1_000, 0) ? table.capacity - before : NaN
    })
    expect(Math.max(...growths)).toBeLessThan(count / 500)
    expect(table.capacity).toBeLessThan(count * 1.45)
    expect(indices.filter(index => table.add('jti', idOf(index), 1_000, 0))).toEqual([])

    let sweeps = 0
    for (; table.size > count / 4; sweeps++) table.sweep(1_000, 16)
    expect(sweeps).toBeLessThan(count / 8)
    expect(table.capacity).toBeLessThan(count * 0.7)
    expect(indices.filter(index => index % 4 === 1 && table.expiryOf('jti', idOf(index)) !== 1_001)).toEqual([])
    let largest = 0
    for (; table.size > 0; sweeps++) {
      const before = table.size
      table.sweep(1_001, 16)
      largest = Math.max(largest, before - table.size)
    }
    expect(largest).toBeLessThan(count / 500)
    expect(table.capacity).toBe(0)
    expect(sweeps).toBeLessThan(count / 4)
  })

  it('shrinks as records are removed one by one', () => {
    const table = new SeenTable(() => 0)
    for (let index = 0; index < 1_000; index++) table.add('jti', idOf(index), 1_000, 0)
    for (let index = 0; index < 990; index++) expect(table.remove('jti', idOf(index))).toBe(1_000)
    expect(table.capacity).toBeLessThan(40)
    for (let index = 990; index < 1_000; index++) expect(table.expiryOf('jti', idOf(index))).toBe(1_000)
  })

  it('does not grow with ids that come and go', () => {
    const table = new SeenTable(() => 0)
    for (let now = 0; now < 5_000; now++) {
      table.add('jti', idOf(now), now + 20, now)
      table.sweep(now, 16)
      if (now % 3 === 0) table.remove('jti', idOf(now))
    }
    expect(table.capacity).toBeLessThan(100)
  })

  it('tells 65,534 kinds apart, takes no more of them at a time, and forgets those that have nothing left', () => {
    const table = new SeenTable()
    const most = 65_534
    for (let index = 0; index < most; index++) table.add(`kind ${index}`, idOf(0), 1_000, 0)
    expect(table.add('one more', idOf(0), 1_000, 0)).toBe('unfit')
    expect(table.size).toBe(most)
    expect(table.add('kind 7', idOf(1), 1_000, 0)).toBe(true)
    table.remove('kind 9', idOf(0))
    expect(table.add('one more', idOf(1), 1_000, 0)).toBe(true)
    expect(table.expiryOf('one more', idOf(0))).toBeUndefined()
    expect(table.expiryOf('kind 9', idOf(1))).toBeUndefined()
    expect(table.expiryOf('kind 8', idOf(0))).toBe(1_000)
  })

  it('takes ids that are digests, and no others', () => {
    const table = new SeenTable()
    for (const id of ['', 'jti', `${idOf(0)}=`, 'é'.repeat(43)]) expect(table.add('jti', id, 1_000, 0)).toBe('unfit')
    expect([table.size, table.capacity]).toEqual([0, 0])
  })
})
