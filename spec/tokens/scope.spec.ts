import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isScopeToken, parseScope, scopeBeyond } from '../../lib/tokens/scope.ts'
import { anyCharacter } from '../support/checks/any-character.ts'

describe('parseScope', () => {
  it.each([
    ['openid', ['openid']],
    ['openid email', ['openid', 'email']],
    ['b a b', ['b', 'a']],
    ["api:read/#[]~!'()*", ["api:read/#[]~!'()*"]],
    ['__proto__ constructor', ['__proto__', 'constructor']]
  ])('reads %j', (scope, values) => {
    expect(parseScope(scope)).toEqual(values)
  })

  it.each(['', ' ', ' a', 'a ', 'a  b', 'a\tb', 'a\nb', 'a"', 'a\\b', 'ä', 'a\u00a0b', '\u0000', 'a\u007f', 'a,b '])(
    'refuses %j',
    scope => {
      expect(parseScope(scope)).toBeUndefined()
    }
  )

  it('gives back what was joined, each value once', () => {
    const value = fc.stringMatching(/^[\x21\x23-\x5B\x5D-\x7E]{1,12}$/)
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), values => {
        expect(parseScope(values.join(' '))).toEqual([...new Set(values)])
      })
    )
  })

  it('never throws, and never lets a character through that RFC 6749 §3.3 does not have', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), text => {
        for (const value of parseScope(text) ?? []) expect(value).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/)
      })
    )
  })
})

describe('isScopeToken', () => {
  it.each(['', 'a b', 'ä', '"', '\\', '\n', 'a\n'])('is false for %j', value => expect(isScopeToken(value)).toBe(false))
  it.each(['a', 'urn:x:y', 'api.read'])('is true for %j', value => expect(isScopeToken(value)).toBe(true))
})

describe('scopeBeyond', () => {
  it('names what was not allowed, comparing whole values in their case', () => {
    expect(scopeBeyond(['a', 'A', 'ab', 'b'], ['a', 'abc'])).toEqual(['A', 'ab', 'b'])
    expect(scopeBeyond(['a'], ['a'])).toEqual([])
    expect(scopeBeyond([], [])).toEqual([])
  })
})
