import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readDigest } from '../../../lib/stores/memory/digest-id.ts'

function wordsOf(id: string): readonly number[] | undefined {
  const words = new Uint32Array(8)
  return readDigest(id, words) ? [...words] : undefined
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

describe('readDigest', () => {
  it('reads the 32 bytes of any digest', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes => {
        const buffer = Buffer.from(bytes)
        const expected = Array.from({ length: 8 }, (_, index) => buffer.readUInt32BE(index * 4))
        expect(wordsOf(buffer.toString('base64url'))).toEqual(expected)
      })
    )
  })

  it('reads no id that is not what 32 bytes are in base64url', () => {
    const character = fc.oneof(
      { weight: 60, arbitrary: fc.constantFrom(...alphabet.split('')) },
      { weight: 1, arbitrary: fc.constantFrom('+', '/', '=', ' ', '\0', '\u007f', '\u0080', 'é', '\uff21', '\ud800') }
    )
    fc.assert(
      fc.property(fc.string({ unit: character, minLength: 43, maxLength: 43 }), id => {
        const isDigest = Buffer.from(id, 'base64url').toString('base64url') === id
        expect(wordsOf(id) !== undefined).toBe(isDigest)
      }),
      { numRuns: 1_000 }
    )
  })

  const digest = 'B'.repeat(42) + 'A'
  it.each([
    ['nothing', ''],
    ['one character less', digest.slice(1)],
    ['one character more', `A${digest}`],
    ['padding', `${digest}=`],
    ['two bits more than 32 bytes', digest.slice(0, -1) + 'B'],
    ...Array.from({ length: 43 }, (_, at) => [`no base64url at ${at}`, `${digest.slice(0, at)}+${digest.slice(at + 1)}`])
  ])('does not read %s', (_, id) => {
    expect(wordsOf(id)).toBeUndefined()
  })
})
