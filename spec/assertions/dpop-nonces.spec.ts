import { describe, expect, it } from '@jest/globals'
import { createHmac } from 'node:crypto'
import { dpopNonces, offerDpopNonce } from '../../lib/assertions/dpop-nonces.ts'

const now = 1_750_000_020_000
const issuer = 'https://as.example.com'
const mac = (data: Uint8Array) => createHmac('sha256', 'key').update(data).digest()
const at = (time: number, of = issuer) => dpopNonces(mac, of, () => time)

describe('dpopNonces', () => {
  it.each([
    ['of this period', 0, true],
    ['of the period before', -60_000, true],
    ['of two periods before', -120_000, false],
    ['of the period to come', 60_000, false]
  ])('%s are valid: %s', (_name, offset, valid) => {
    expect(at(now).isValid(at(now + offset).current())).toBe(valid)
  })

  it.each(['', 'x', 'A'.repeat(24), 'ä', '\u0000', ' '])('nobody issued %j', guess => {
    expect(at(now).isValid(guess)).toBe(false)
  })

  it('are no other server’s, with the same keys either', () => {
    expect(at(now).isValid(at(now, 'https://as.example.com/acme').current())).toBe(false)
  })

  it('are made once a period', () => {
    let made = 0
    let time = now
    const nonces = dpopNonces(
      data => {
        made += 1
        return mac(data)
      },
      issuer,
      () => time
    )
    expect(new Set([nonces.current(), nonces.current()]).size).toBe(1)
    expect(made).toBe(1)
    time += 60_000
    expect(nonces.current()).toBe(at(time).current())
    expect(made).toBe(2)
  })
})

describe('offerDpopNonce', () => {
  const offered = (policy: Parameters<typeof offerDpopNonce>[1]) => {
    const headers: [string, string][] = []
    offerDpopNonce({ setHeader: (name, value) => headers.push([name, value]) }, policy)
    return headers
  }

  it('puts the current nonce on an answer, where nonces are asked for', () => {
    expect(offered({ nonces: at(now) })).toEqual([['DPoP-Nonce', at(now).current()]])
    expect(offered({ nonces: undefined })).toEqual([])
  })
})
