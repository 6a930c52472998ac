import fc from 'fast-check'

const firstSurrogate = 0xd800
const surrogates = 0x800

/**
 * What `fc.string({ unit: 'binary' })` is made of, every code point but halves of pairs, and drawn the same way. But that spends
 * more than a second and a hundred megabytes in each spec file on a table from each of a million characters to its number.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.nat({ max: 0x10ffff - surrogates }).map(
  index => String.fromCodePoint(index < firstSurrogate ? index : index + surrogates),
  character => {
    const codePoint = typeof character === 'string' ? character.codePointAt(0) : undefined
    const isOne = codePoint !== undefined && String.fromCodePoint(codePoint) === character
    if (!isOne || /\p{Surrogate}/u.test(character)) throw new Error('this is not one character')
    return codePoint < firstSurrogate ? codePoint : codePoint - surrogates
  }
)
