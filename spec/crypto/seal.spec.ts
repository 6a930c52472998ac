import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { open, seal } from '../../lib/crypto/seal.ts'

const key = randomBytes(32)

describe('what is sealed', () => {
  it('is opened again, whatever it is, and looks like nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.string({ maxLength: 20 }), (text, bound) => {
        const sealed = seal(key, bound, text)
        expect(sealed).toMatch(/^[\w-]+$/)
        expect(open(key, bound, sealed)).toBe(text)
      })
    )
    expect(seal(key, 'spec', 'the token')).not.toBe(seal(key, 'spec', 'the token'))
  })

  it('is opened with no other key, for nothing else, and in no other form', () => {
    const sealed = seal(key, 'spec', 'the token')
    const bytes = Buffer.from(sealed, 'base64url')
    expect(open(key, 'another', sealed)).toBeUndefined()
    expect(open(randomBytes(32), 'spec', sealed)).toBeUndefined()
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(open(key, 'spec', changed.toString('base64url'))).toBeUndefined()
    }
    for (const broken of ['', 'x', sealed.slice(0, 30), sealed.slice(0, -4)]) expect(open(key, 'spec', broken)).toBeUndefined()
  })
})
