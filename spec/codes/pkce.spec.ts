import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isCodeChallenge, verifyCodeChallenge } from '../../lib/codes/pkce.ts'

// RFC 7636 Appendix B
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

const challengeOf = (value: string) => createHash('sha256').update(value).digest('base64url')

describe('verifyCodeChallenge', () => {
  it('takes the verifier of RFC 7636 Appendix B', () => {
    expect(verifyCodeChallenge(verifier, challenge)).toBe(true)
  })

  it.each([43, 44, 127, 128])('takes a verifier of %i characters', length => {
    const long = 'aZ09-._~'.repeat(16).slice(0, length)
    expect(verifyCodeChallenge(long, challengeOf(long))).toBe(true)
  })

  it.each([
    ['empty', ''],
    ['42 characters', 'a'.repeat(42)],
    ['129 characters', 'a'.repeat(129)],
    ['a space', `${'a'.repeat(42)} `],
    ['a line break at the end', `${'a'.repeat(43)}\n`],
    ['a plus sign', `${'a'.repeat(43)}+`],
    ['a slash', `${'a'.repeat(43)}/`],
    ['padding', `${'a'.repeat(43)}=`],
    ['a letter outside ASCII', `${'a'.repeat(43)}ä`],
    ['a null', `${'a'.repeat(43)}\0`]
  ])('refuses a verifier of the wrong syntax even where its hash fits: %s', (_, wrong) => {
    expect(verifyCodeChallenge(wrong, challengeOf(wrong))).toBe(false)
  })

  it.each([
    ['the challenge itself, as plain would have it', challenge],
    ['another case', verifier.toLowerCase()],
    ['one character more', `${verifier}A`],
    ['another last character', `${verifier.slice(0, -1)}l`]
  ])('refuses %s', (_, wrong) => {
    expect(verifyCodeChallenge(wrong, challenge)).toBe(false)
  })

  it.each([
    ['empty', ''],
    ['a prefix', challenge.slice(0, 42)],
    ['padded', `${challenge}=`],
    ['plain', verifier],
    ['another case', challenge.toUpperCase()]
  ])('refuses a challenge that is %s', (_, wrong) => {
    expect(verifyCodeChallenge(verifier, wrong)).toBe(false)
  })

  it('takes a verifier for its own challenge alone', () => {
    const verifiers = fc.stringMatching(/^[A-Za-z0-9\-._~]{43,128}$/)
    fc.assert(
      fc.property(verifiers, verifiers, (one, another) => {
        expect(verifyCodeChallenge(one, challengeOf(one))).toBe(true)
        expect(verifyCodeChallenge(another, challengeOf(one))).toBe(one === another)
      })
    )
  })
})

describe('isCodeChallenge', () => {
  it.each([challenge, 'a'.repeat(43)])('is true for %s', value => expect(isCodeChallenge(value)).toBe(true))

  it.each([
    '',
    'a'.repeat(42),
    'a'.repeat(44),
    `${'a'.repeat(42)}=`,
    `${'a'.repeat(42)}+`,
    `${'a'.repeat(42)}.`,
    `${'a'.repeat(43)}\n`
  ])('is false for %j', value => expect(isCodeChallenge(value)).toBe(false))
})
