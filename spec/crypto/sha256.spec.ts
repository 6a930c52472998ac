import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { sha256 } from '../../lib/crypto/sha256.ts'
import { anyCharacter } from '../support/checks/any-character.ts'

describe('sha256', () => {
  it('is the published digest of a known text', () => {
    // FIPS 180-2, appendix B.1
    expect(sha256('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  it('is the digest of the UTF-8 of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), text => {
        expect(sha256(text)).toEqual(createHash('sha256').update(text, 'utf8').digest())
      })
    )
  })
})
