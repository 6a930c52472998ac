import { describe, expect, it } from '@jest/globals'
import { InvalidRequestError } from '../../../lib/errors.ts'
import { readHeader, unreadable } from '../../../lib/certificates/proxy/header.ts'

const request = (rawHeaders: string[], headers: Record<string, string | string[]>) => ({ rawHeaders, headers })

describe('readHeader', () => {
  it('gives the value, and an empty one for none', () => {
    expect(readHeader(request(['X-Cert', 'a'], { 'x-cert': 'a' }), 'x-cert')).toBe('a')
    expect(readHeader(request(['X-Certs', 'a'], { 'x-certs': 'a' }), 'x-cert')).toBe('')
    expect(readHeader(request(['X-Cert', ''], { 'x-cert': '' }), 'x-cert')).toBe('')
  })

  it.each([
    [['X-Cert', 'a', 'x-cert', 'b'], 'a, b'],
    [['X-Cert', '', 'X-CERT', ''], ', '],
    [['X-Cert', '', 'X-CERT', 'a'], ', a']
  ])('refuses two of it: %j', (raw, joined) => {
    const twice = request(raw, { 'x-cert': joined })
    expect(() => readHeader(twice, 'x-cert')).toThrow(InvalidRequestError)
    expect(readHeader(twice, 'x-cert', true)).toBe(joined)
  })

  it('refuses more than 64 KiB', () => {
    expect(readHeader(request([], { 'x-cert': 'a'.repeat(65_536) }), 'x-cert')).toHaveLength(65_536)
    expect(() => readHeader(request([], { 'x-cert': 'a'.repeat(65_537) }), 'x-cert')).toThrow('could not be read')
  })
})

describe('unreadable', () => {
  it('says the same to every caller, and the rest to the operator', () => {
    const cause = new Error('cause')
    expect(unreadable('is odd', cause)).toMatchObject({
      status: 400,
      message: 'the client certificate could not be read',
      reason: 'the certificate header is odd',
      cause
    })
  })
})
