import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Pieces, bytesOfPiece } from '../../../lib/stores/memory/pieces.ts'

interface Piece {
  readonly name: string
  readonly text: string | undefined
  readonly place: number
}

/** Pieces by their owners, moved as they are told to be. */
function owned() {
  const kept = new Map<number, Piece>()
  const pieces = new Pieces((owner, place) => {
    const piece = kept.get(owner)
    if (piece !== undefined) kept.set(owner, { ...piece, place })
  })
  return { kept, pieces }
}

const string = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  // more than a segment holds, more than shares one, and what fills them
  fc.constantFrom('x'.repeat(70_000), '€'.repeat(9_000), 'y'.repeat(1_500), 'z'.repeat(4_000), '\ud800', '')
)

const step = fc.record({
  does: fc.constantFrom('write', 'write', 'write', 'rewrite', 'free'),
  name: string,
  text: fc.option(string, { nil: undefined }),
  pick: fc.nat()
})

describe('Pieces', () => {
  it('keep names and texts of any characters, wherever they are moved', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 200, size: 'max' }), steps => {
        const { kept, pieces } = owned()
        for (const [owner, { does, name, text, pick }] of steps.entries()) {
          const chosen = [...kept.keys()][pick % Math.max(1, kept.size)] ?? NaN
          const piece = kept.get(chosen)
          if (does === 'write') kept.set(owner, { name, text, place: pieces.write(owner, name, text) })
          else if (piece !== undefined && does === 'free') {
            kept.delete(chosen)
            pieces.free(piece.place)
          } else if (piece !== undefined && pieces.rewrite(piece.place, text)) kept.set(chosen, { ...piece, text })
        }
        for (const { name, text, place } of kept.values()) {
          expect(pieces.nameAt(place) === name && pieces.isNamed(place, name)).toBe(true)
          const likeIt = name === '' ? 'a' : name.slice(0, -1) + (name.endsWith('a') ? 'b' : 'a')
          expect(pieces.isNamed(place, `${name}.`) || pieces.isNamed(place, likeIt)).toBe(false)
          expect(pieces.textAt(place) === text && pieces.hasTextAt(place) === (text !== undefined)).toBe(true)
          expect(pieces.bytesAt(place)).toBe(bytesOfPiece(name, text))
        }
      }),
      { numRuns: 60 }
    )
  })

  it('take little more memory than they need, however they come and go', () => {
    const { kept, pieces } = owned()
    const text = 'x'.repeat(280)
    const write = (owner: number) => kept.set(owner, { name: `${owner}`, text, place: pieces.write(owner, `${owner}`, text) })
    for (let owner = 0; owner < 20_000; owner++) write(owner)
    // nearly in the order they came
    for (let owner = 20_000; owner < 120_000; owner++) {
      write(owner)
      const gone = owner - 20_000 + ((owner * 7_919) % 1_000)
      const piece = kept.get(gone)
      kept.delete(gone)
      if (piece !== undefined) pieces.free(piece.place)
    }
    const needed = [...kept.values()].reduce((sum, { place }) => sum + pieces.bytesAt(place), 0)
    expect(pieces.bytes).toBeLessThan(needed * 1.4)
    for (const [owner, { place }] of kept) expect(pieces.isNamed(place, `${owner}`)).toBe(true)
    for (const owner of [...kept.keys()]) {
      const { place } = kept.get(owner) ?? { place: NaN }
      kept.delete(owner)
      pieces.free(place)
    }
    // the one that is written to stays
    expect(pieces.bytes).toBe(65_536)
  })

  it('take little more where few stay among many that do not', () => {
    const { kept, pieces } = owned()
    for (let owner = 0; owner < 2_000; owner++) {
      kept.set(owner, { name: `${owner}`, text: 'stays', place: pieces.write(owner, `${owner}`, 'stays') })
      for (let times = 0; times < 8; times++) pieces.free(pieces.write(-2, 'goes', 'x'.repeat(7_000)))
    }
    const needed = [...kept.values()].reduce((sum, { place }) => sum + pieces.bytesAt(place), 0)
    expect(pieces.bytes).toBeLessThan(needed * 1.4 + 2 * 65_536)
    for (const [owner, { place }] of kept) expect(pieces.isNamed(place, `${owner}`)).toBe(true)
  })
})
