import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { ExpiringTable } from '../../../lib/stores/memory/expiring-table.ts'
import { bytesOf } from '../../../lib/stores/memory/size.ts'

describe('ExpiringTable', () => {
  it('is as it was where there is no memory for what is to be written', () => {
    const table = new ExpiringTable()
    for (const name of ['a', 'b', 'c']) table.place(name, { text: '1', expires: 100, group: 'g' }, 0)
    const before = [table.size, table.bytes, table.groupCount]
    const text = 'x'.repeat(100_000)
    const allocate = jest.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation(() => {
      throw new RangeError('Array buffer allocation failed')
    })
    for (const [name, group] of [
      ['b', 'g'],
      ['new', 'g'],
      ['new', 'of its own'],
      ['new', undefined]
    ] as const)
      // prettier-ignore
      expect(() => table.place(name, { text, expires: 50, group }, 0)).toThrow(RangeError)
    allocate.mockRestore()
    expect([table.size, table.bytes, table.groupCount]).toEqual(before)
    const b = table.find('b', 'g', 0)
    expect([b !== undefined && table.textOf(b), table.find('new', undefined, 0)]).toEqual(['1', undefined])
    table.place('b', { text, expires: 60, group: 'g' }, 0)
    table.remove(table.find('a', 'g', 0) ?? NaN)
    table.sweep(1_000, 10)
    expect([table.size, table.bytes, table.groupCount]).toEqual([0, 0, 0])
  })

  it('does what plain maps do, and knows how much memory its entries take', () => {
    const step = fc.record({
      does: fc.constantFrom('place', 'place', 'place', 'remove', 'spend', 'endGroup', 'sweep'),
      name: fc.constantFrom('a', 'b', 'ab', '', 'é', '€'),
      text: fc.constantFrom('null', '"x"', '"é"', `"${'long'.repeat(3_000)}"`, undefined),
      group: fc.constantFrom('g', 'h', '', '€', undefined),
      expires: fc.integer({ min: 1, max: 10_000 })
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const table = new ExpiringTable()
        const plain = new Map<string, { name: string; group: string | undefined; text: string | undefined; version: number }>()
        const ended: number[] = []
        const bytesOfEach = (entries: Iterable<{ name: string; group: string | undefined; text: string | undefined }>) =>
          [...entries].reduce((sum, { name, text, group }) => sum + bytesOf(name, text, group), 0)
        for (const { does, name, text, group, expires } of steps) {
          const id = JSON.stringify([name, group])
          const entry = table.find(name, group, 0)
          const known = plain.get(id)
          if (does === 'place') {
            const placed = table.place(name, { text, expires, group }, 0)
            plain.set(id, { name, group, text, version: table.versionOf(placed) })
          } else if (does === 'endGroup' && group !== undefined) {
            table.endGroup(group)
            const members = [...plain].filter(([, member]) => member.group === group)
            ended.push(bytesOfEach(members.map(([, member]) => member)))
            for (const [member] of members) plain.delete(member)
          } else if (does === 'sweep') {
            // what has ended goes first, and nothing has expired
            table.sweep(0, 1_000)
            ended.length = 0
          } else if (entry !== undefined && does === 'spend') {
            expect(table.spend(entry)).toBe(known?.text)
            if (known !== undefined) known.text = undefined
          } else if (entry !== undefined && does === 'remove') {
            table.remove(entry)
            plain.delete(id)
          }
          expect(table.bytes).toBe(bytesOfEach(plain.values()) + ended.reduce((sum, bytes) => sum + bytes, 0))
          for (const each of plain.values()) {
            const found = table.find(each.name, each.group, 0) ?? NaN
            expect([table.textOf(found), table.versionOf(found)]).toEqual([each.text, each.version])
            expect(table.isSpent(found)).toBe(each.text === undefined)
          }
          expect(table.has(name, group)).toBe(plain.has(id))
        }
        for (const group of ['g', 'h', '', '€']) table.endGroup(group)
        for (let before = -1; before !== table.size;) {
          before = table.size
          table.sweep(100_000, 5)
        }
        expect([table.size, table.bytes, table.groupCount]).toEqual([0, 0, 0])
      })
    )
  })

  const tensOfThousands = 50_000
  const textUnder = (table: ExpiringTable, name: string, group: string | undefined, now: number) => {
    const entry = table.find(name, group, now)
    return entry === undefined ? undefined : table.textOf(entry)
  }
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
    expect(textUnder(table, 'entry 1', undefined, 60_000)).toBe('null')
    expect(table.find('entry 0', undefined, 59_999)).toBeUndefined()
  })

  it('ends a group of 50,000 entries at once and gives their memory back in steps', () => {
    const table = new ExpiringTable()
    fill(
      table,
      () => 3_600_000,
      () => 'group'
    )
    table.endGroup('group')
    expect(table.find('entry 7', 'group', 0)).toBeUndefined()
    table.place('entry 7', { text: '"new"', expires: 3_600_000, group: 'group' }, 0)
    sweepAll(table, 0, 1_000)
    expect([table.size, table.groupCount]).toEqual([1, 1])
    expect(textUnder(table, 'entry 7', 'group', 0)).toBe('"new"')
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
      const entry = table.find(`entry ${index}`, `group ${index % 10}`, 0)
      if (entry !== undefined) table.remove(entry)
    }
    table.endGroup('group 4')
    sweepAll(table, 40_000, 1_000)
    for (let index = 0; index < tensOfThousands; index += 101) {
      const expected = index % 3 !== 0 && index % 10 !== 4 && 1_000 + (index % 77) * 1_000 > 40_000
      expect(table.find(`entry ${index}`, `group ${index % 10}`, 40_000) !== undefined).toBe(expected)
    }
    sweepAll(table, 100_000, 1_000)
    expect([table.size, table.groupCount]).toEqual([0, 0])
  })
})
