import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { claimMismatch, hasClaims, isSubject } from '../../../lib/assertions/workloads/claim-rules.ts'
import { isUnderPattern, patternProblem, prefixesOf } from '../../../lib/clients/subject-pattern.ts'
import type { ClaimRules } from '../../../lib/clients/federated-credential.ts'
import { anyCharacter } from '../../support/checks/any-character.ts'

const holds = (claims: ClaimRules, token: object) => hasClaims({ issuer: 'https://idp.example', claims }, token as never)
const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean())
const own = (name: string, value: unknown): object => Object.fromEntries([[name, value]])

describe('claims of a rule', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])('are the token’s own: %s', name => {
    for (const wanted of ['', 'x', true, 0]) expect(holds(own(name, wanted) as ClaimRules, {})).toBe(false)
    expect(holds(own(name, own('name', 'Object')) as ClaimRules, {})).toBe(false)
    expect(holds(own(name, 'mine') as ClaimRules, own(name, 'mine'))).toBe(true)
    expect(holds(own('a', own(name, 'mine')) as ClaimRules, { a: own(name, 'mine') })).toBe(true)
  })

  it('are compared by value and type', () => {
    fc.assert(
      fc.property(scalar, scalar, (wanted, value) => {
        expect(holds({ claim: wanted }, { claim: value })).toBe(wanted === value)
        expect(holds({ claim: [wanted, 'other'] }, { claim: value })).toBe(wanted === value || value === 'other')
        expect(holds({ claim: wanted }, { claim: [wanted] })).toBe(false)
        expect(holds({ claim: wanted }, { claim: { claim: wanted } })).toBe(false)
      })
    )
  })

  it('are all wanted, however deep, and whatever else there is', () => {
    const depth = 40
    const nest = (value: unknown, by: number): object => (by === 0 ? { v: value } : { n: nest(value, by - 1), more: by })
    const rule = (value: unknown, by: number): ClaimRules => (by === 0 ? { v: value } : { n: rule(value, by - 1) }) as ClaimRules
    expect(holds(rule('x', depth), nest('x', depth))).toBe(true)
    expect(holds(rule('x', depth), nest('y', depth))).toBe(false)
    expect(holds(rule('x', depth), nest('x', depth - 1))).toBe(false)
  })

  it('match any of a huge list, and tell of none but the one that does not match', () => {
    const many = Array.from({ length: 100_000 }, (_, index) => `v${index}`)
    expect(holds({ claim: many }, { claim: 'v99999' })).toBe(true)
    const rule = { issuer: 'https://idp.example', claims: { good: 'a', 'kubernetes.io': { namespace: 'ci' } } }
    const token = { good: 'a', secret: 'hidden', 'kubernetes.io': { namespace: 'prod', pod: 'hidden' } }
    expect(claimMismatch(rule, token)).toEqual({ claim: 'kubernetes.io › namespace', expected: '"ci"', received: '"prod"' })
  })
})

describe('a subject', () => {
  it.each([
    ['repo:acme/app:*', 'repo:acme/app:ref:main', true],
    ['repo:acme/app:*', 'repo:acme/app-evil:ref:main', false],
    ['repo:acme/app:*', 'repo:acme/app:', false],
    ['repo:acme/app:*', 'repo:acme/app', false],
    ['repo:acme/app', 'repo:acme/app', true],
    ['repo:acme/app', 'repo:acme/app/', false],
    ['repo:acme/app', 'REPO:acme/app', false]
  ])('%s is %s: %s', (subject, sub, is) => {
    expect(isSubject({ issuer: 'https://idp.example', subject }, { sub })).toBe(is)
  })

  const segment = fc.string({ unit: anyCharacter, minLength: 1, maxLength: 6 }).map(text => text.replaceAll('*', '-'))
  it('below a pattern is found by one of its prefixes, whatever characters are in it, and by no other', () => {
    fc.assert(
      fc.property(fc.array(segment, { minLength: 2, maxLength: 5 }), fc.constantFrom(':', '/'), (segments, separator) => {
        const sub = segments.join(separator)
        const prefixes = prefixesOf(sub)
        expect(prefixes).toContain(`${segments[0] ?? ''}${separator}`)
        for (const prefix of prefixes) {
          expect(isUnderPattern(`${prefix}*`, sub)).toBe(true)
          expect(patternProblem(`${prefix}*`)).toBeUndefined()
          expect(isUnderPattern(`${prefix}*`, prefix)).toBe(false)
          expect(isUnderPattern(`${prefix}*`, prefix.slice(0, -1))).toBe(false)
        }
        // half a segment is no pattern
        expect(patternProblem(`${sub}x*`)).toEqual(expect.stringMatching(/^may have/))
        expect(isUnderPattern(`${sub}${separator}*`, `${sub}x${separator}y`)).toBe(false)
      })
    )
  })

  it('is text', () => {
    for (const sub of [undefined, null, 1, ['a'], { a: 1 }])
      expect(isSubject({ issuer: 'https://idp.example', subject: 'a' }, { sub })).toBe(false)
  })
})
