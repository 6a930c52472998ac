import { describe, expect, it } from '@jest/globals'
import { isProvedBy, readConfirmationClaim } from '../../lib/tokens/confirmation.ts'

describe('isProvedBy', () => {
  it.each([
    [true, undefined, undefined],
    [true, undefined, { jkt: 'k' }],
    [true, { jkt: 'k' }, { jkt: 'k' }],
    [true, { jkt: 'k' }, { jkt: 'k', 'x5t#S256': 'c' }],
    [true, { jkt: 'k', 'x5t#S256': 'c' }, { jkt: 'k', 'x5t#S256': 'c' }],
    [false, { jkt: 'k' }, undefined],
    [false, { jkt: 'k' }, { jkt: 'K' }],
    [false, { jkt: 'k' }, { 'x5t#S256': 'k' }],
    [false, { 'x5t#S256': 'c' }, { jkt: 'c' }],
    [false, { jkt: 'k', 'x5t#S256': 'c' }, { jkt: 'k' }]
  ])('%p: %j by %j', (expected, bound, proved) => {
    expect(isProvedBy(bound, proved)).toBe(expected)
  })
})

describe('readConfirmationClaim', () => {
  it.each([[undefined], [{ jkt: 'k' }], [{ 'x5t#S256': 'c' }], [{ jkt: 'k', 'x5t#S256': 'c' }]])('understands %j', cnf => {
    expect(readConfirmationClaim(cnf)).toEqual(cnf)
  })

  it.each([
    [null],
    ['k'],
    [[]],
    [['k']],
    [{}],
    [{ jkt: '' }],
    [{ jkt: 7 }],
    [{ jwk: {} }],
    [{ jkt: 'k', kid: '1' }],
    [{ JKT: 'k' }]
  ])('does not take %j for nothing', cnf => {
    expect(readConfirmationClaim(cnf)).toBe('unknown')
  })
})
