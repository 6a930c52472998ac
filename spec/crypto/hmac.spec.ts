import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createHmac } from 'node:crypto'
import { hmacSha256 } from '../../lib/crypto/hmac.ts'
import { anyCharacter } from '../support/checks/any-character.ts'

describe('hmacSha256', () => {
  it.each([
    // RFC 4231 §4.2, §4.3, §4.7: a key shorter than a block, a text in two pieces, and a key longer than a block
    ['0b'.repeat(20), '', 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    ['4a656665', 'what do ya want ', 'for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    [
      'aa'.repeat(131),
      '',
      'Test Using Larger Than Block-Size Key - Hash Key First',
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'
    ]
  ])('is the published one for the key %s', (key, prefix, data, expected) => {
    expect(hmacSha256(Buffer.from(key, 'hex'))(prefix, Buffer.from(data)).toString('hex')).toBe(expected)
  })

  it('is what Node makes of any key and data, call after call', () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    fc.assert(
      fc.property(bytes, fc.array(fc.tuple(fc.string({ unit: anyCharacter }), bytes), { maxLength: 4 }), (key, calls) => {
        const mac = hmacSha256(key)
        for (const [prefix, data] of calls)
          expect(mac(prefix, data)).toEqual(createHmac('sha256', key).update(prefix, 'utf8').update(data).digest())
      })
    )
  })
})
