import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { NamedRows, none, owner, ownColumns } from '../../../lib/stores/memory/named-rows.ts'

/** A word and a double of the user's. */
const word = ownColumns
const double = ownColumns + 2
const width = ownColumns + 4

const step = fc.record({
  does: fc.constantFrom('add', 'add', 'remove', 'rewrite'),
  name: fc.nat({ max: 60 }).map(String),
  of: fc.constantFrom(none, 0, 1, 7),
  text: fc.option(fc.string({ unit: 'binary', maxLength: 20 }), { nil: undefined }),
  value: fc.integer()
})

function add(rows: NamedRows, name: string, of: number, text?: string): number {
  return rows.add(name, text, of, rows.spreadOf(name, of))
}

function remove(rows: NamedRows, row: number): void {
  rows.withdraw(row)
  rows.drop(row)
}

describe('NamedRows', () => {
  it('do what a plain map does', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 300, size: 'max' }), steps => {
        const rows = new NamedRows(width)
        const plain = new Map<string, { of: number; name: string; text: string | undefined; value: number }>()
        for (const { does, name, of, text, value } of steps) {
          const id = `${of} ${name}`
          const known = plain.get(id)
          const row = rows.find(name, of)
          expect(row !== none).toBe(known !== undefined)
          if (known === undefined) {
            if (does !== 'add') continue
            const added = add(rows, name, of, text)
            rows.set(added, word, value)
            rows.setDouble(added, double, value / 3)
            plain.set(id, { of, name, text, value })
          } else if (does === 'remove') {
            remove(rows, row)
            plain.delete(id)
          } else if (does === 'rewrite') {
            rows.rewrite(row, text)
            plain.set(id, { ...known, text })
          }
          expect(rows.size).toBe(plain.size)
        }
        for (const { of, name, text, value } of plain.values()) {
          const row = rows.find(name, of)
          expect([rows.get(row, owner), rows.get(row, word), rows.getDouble(row, double)]).toEqual([of, value, value / 3])
          expect(rows.textOf(row) === text).toBe(true)
        }
      }),
      { numRuns: 60 }
    )
  })

  it('find each of many, and give their memory back with them', () => {
    const rows = new NamedRows(width)
    const many = 20_000
    const numbers = Array.from({ length: many }, (_, index) => add(rows, `row ${index}`, index % 3))
    expect(new Set(numbers).size).toBe(many)
    for (let index = 0; index < many; index++) expect(rows.find(`row ${index}`, index % 3) === numbers[index]).toBe(true)
    const full = rows.bytes
    for (let index = 0; index < many; index++) if (index % 100 !== 0) remove(rows, numbers[index] ?? none)
    for (let index = 0; index < many; index += 100) expect(rows.find(`row ${index}`, index % 3)).toBe(numbers[index])
    for (let index = 0; index < many; index += 100) remove(rows, numbers[index] ?? none)
    expect(rows.size).toBe(0)
    expect(rows.bytes).toBeLessThan(full / 10)
  })

  it('are not found once they were withdrawn, and another may have the name', () => {
    const rows = new NamedRows(width)
    const first = add(rows, 'a', none, 'one')
    rows.withdraw(first)
    expect(rows.find('a', none)).toBe(none)
    const second = add(rows, 'a', none, 'two')
    expect([rows.find('a', none), rows.textOf(first), rows.textOf(second)]).toEqual([second, 'one', 'two'])
    rows.drop(first)
    expect([rows.find('a', none), rows.textOf(second), rows.size]).toEqual([second, 'two', 1])
  })
})
