import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { nameOf } from '../../../lib/stores/memory/record-name.ts'
import type { Key } from '../../../lib/stores/store.ts'
import { anyCharacter } from '../../support/checks/any-character.ts'

const text = fc.string({ unit: anyCharacter, maxLength: 12 })
const piece = fc.oneof(text, fc.constantFrom('', '1', '@', '@@', ':', '1:', '-', 'AB', '2:AB'))
const key = fc.record({ kind: piece, id: piece, grant: fc.option(piece, { nil: undefined }) })
const keyOf = ({ grant, ...rest }: { kind: string; id: string; grant: string | undefined }): Key =>
  grant === undefined ? rest : { ...rest, grant }

/** The same keys have one name, and others of their grant another; none is that of a deleted grant's mark. */
function expectNamesOfTheirOwn(one: Key, other: Key): void {
  const isSame = one.kind === other.kind && one.id === other.id
  expect(nameOf(one) === nameOf(other)).toBe(isSame)
  expect(nameOf(one)).not.toMatch(/^-/)
}

describe('names of records in memory', () => {
  it('are those of one key each, whatever its parts are made of', () => {
    fc.assert(fc.property(key, key, (one, other) => expectNamesOfTheirOwn(keyOf(one), keyOf(other))))
    // parts that are put together differently
    fc.assert(
      fc.property(piece, piece, piece, (a, b, c) => {
        expectNamesOfTheirOwn({ kind: a, id: b + c }, { kind: a + b, id: c })
        expectNamesOfTheirOwn({ kind: a, grant: b, id: c }, { kind: a, id: b + c })
      })
    )
  })

  it('are shorter than kinds, and stay what they are when there are more kinds than have a mark', () => {
    const kind = '22:https://as.example.comaccess_token'
    const id = 'Sg3cD3k8g__HHB7sqHA4lknlxCVlGaY5hI0SRAZ2yUc'
    const before = nameOf({ kind, id })
    expect(before).toHaveLength(3 + id.length)
    const names = Array.from({ length: 5_000 }, (_, index) => nameOf({ kind: `kind ${index}`, id }))
    expect(new Set(names).size).toBe(5_000)
    expect(names.at(-1)).toBe(`9:kind 4999${id}`)
    expect(nameOf({ kind, id })).toBe(before)
    expect(names).toEqual(Array.from({ length: 5_000 }, (_, index) => nameOf({ kind: `kind ${index}`, id })))
    for (const one of [names[0], names.at(-1)]) expect(names.filter(name => name === one)).toHaveLength(1)
  })
})
