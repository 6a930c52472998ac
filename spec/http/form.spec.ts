import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { OAuthError } from '../../lib/errors.ts'
import { ParameterCollector, parseForm } from '../../lib/http/form.ts'
import { requestedResources } from '../../lib/client-request.ts'

const parse = (text: string | Uint8Array, maxParameters = 100) =>
  parseForm(typeof text === 'string' ? Buffer.from(text) : text, maxParameters)

function refusal(text: string | Uint8Array, maxParameters = 100): OAuthError {
  try {
    parse(text, maxParameters)
  } catch (error) {
    if (error instanceof OAuthError) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('parseForm', () => {
  it.each([
    ['nothing', '', {}],
    ['one pair', 'a=1', { a: '1' }],
    ['an escape', 'scope=read%20write', { scope: 'read write' }],
    ['a plus', 'scope=read+write', { scope: 'read write' }],
    ['an escaped plus', 'a=1%2B1', { a: '1+1' }],
    ['an escaped name', 'client%5Fid=x', { client_id: 'x' }],
    ['escaped separators', 'a=b%26c%3Dd', { a: 'b&c=d' }],
    ['an equals sign in a value', 'a=b==', { a: 'b==' }],
    ['no equals sign', 'a&b=1', { b: '1' }],
    ['empty values', 'a=&b=1&c', { b: '1' }],
    ['empty pairs', '&&a=1&&b=2&', { a: '1', b: '2' }],
    ['UTF-8, escaped', 'a=%E2%82%AC', { a: '€' }],
    ['UTF-8, raw', 'a=€', { a: '€' }],
    [
      'names that objects have',
      '__proto__=1&constructor=2&toString=3',
      JSON.parse('{"__proto__":"1","constructor":"2","toString":"3"}')
    ]
  ])('reads %s', (_, text, expected) => {
    expect(Object.entries(parse(text))).toEqual(Object.entries(expected))
  })

  it('has no prototype to inherit from', () => {
    const parameters = parse('__proto__=x')
    expect(Object.getPrototypeOf(parameters)).toBeNull()
    expect(parameters['constructor']).toBeUndefined()
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it.each([
    ['a lone percent', 'a=%', 'percent-encoding'],
    ['half an escape', 'a=%2', 'percent-encoding'],
    ['no hex', 'a=%zz', 'percent-encoding'],
    ['a bad escape in a name', '%zz=a', 'percent-encoding'],
    ['escaped bytes that are not UTF-8', 'a=%ff', 'percent-encoding'],
    ['an overlong encoding', 'a=%c0%af', 'percent-encoding'],
    ['an escaped surrogate', 'a=%ed%a0%80', 'percent-encoding'],
    ['raw bytes that are not UTF-8', Buffer.from('a=\xff', 'latin1'), 'UTF-8'],
    ['half a raw character', Buffer.from('a=€').subarray(0, 4), 'UTF-8'],
    ['a name twice', 'client_id=x&client_id=x', 'client_id was sent more than once'],
    ['a name twice, the first empty', 'client_id=&client_id=x', 'client_id was sent more than once'],
    ['a name twice, the second empty', 'client_id=x&client_id=', 'client_id was sent more than once'],
    ['a name twice, both empty', 'client_id&client_id', 'client_id was sent more than once'],
    ['a name twice, once escaped', 'client_id=x&client%5fid=y', 'client_id was sent more than once'],
    ['a name that objects have twice', '__proto__=x&__proto__=y', '__proto__ was sent more than once'],
    ['an odd name twice', '<b>=x&<b>=y', 'a parameter was sent more than once'],
    ['a long name twice', `${'a'.repeat(41)}=x&${'a'.repeat(41)}=y`, 'a parameter was sent more than once'],
    ['a null character', 'code=a%00', 'code contains a control character'],
    ['a line feed', 'code=a%0Ab', 'code contains a control character'],
    ['a raw line end', 'code=a\r\n', 'code contains a control character'],
    ['a tab', 'code=a\tb', 'code contains a control character'],
    ['a delete', 'code=%7F', 'code contains a control character'],
    ['the lines of what is written on lines elsewhere', 'certificate=a%0Ab', 'certificate contains a control character']
  ])('refuses %s', (_, text, words) => {
    const error = refusal(text)
    expect(error).toMatchObject({ error: 'invalid_request', status: 400 })
    expect(error.message).toContain(words)
    expect(error.reason).toBeTruthy()
  })

  it('takes the lines of what is written on lines, and nothing else with them', () => {
    const withLines = new Set(['certificate', 'jwk'])
    const onThem = (sent: Record<string, string>) => parseForm(Buffer.from(new URLSearchParams(sent).toString()), 100, withLines)
    const sent = { certificate: 'a\r\nb\n', jwk: '{\n\t"kty": "EC"\n}' }
    expect({ ...onThem(sent) }).toEqual(sent)
    expect(() => onThem({ certificate: 'a\n\0' })).toThrow('certificate contains a control character')
    expect(() => onThem({ label: 'a\nb' })).toThrow('label contains a control character')
    const collector = new ParameterCollector(100, withLines)
    expect(() => collector.add('certificate', '\ud83d\n\ude00')).toThrow('certificate contains a control character')
  })

  it('reads as many parameters as it was told, and not one more', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `p${index}=x`).join('&')
    expect(Object.keys(parse(many(3), 3))).toHaveLength(3)
    expect(refusal(many(4), 3).message).toBe('the request has too many parameters')
    expect(refusal('a&b&c&d', 3).message).toBe('the request has too many parameters')
  })

  it('reads a view into a larger buffer as what it shows', () => {
    expect(parse(Buffer.from('x=0&a=1&y=2').subarray(4, 7))).toEqual({ a: '1' })
  })

  it('reads back what URLSearchParams writes', () => {
    // eslint-disable-next-line no-control-regex -- clean means: none of these
    const clean = fc.string({ unit: 'grapheme', minLength: 1 }).filter(text => !/[\u0000-\u001f\u007f]/.test(text))
    fc.assert(
      fc.property(fc.dictionary(clean, clean), sent => {
        expect(Object.entries(parse(new URLSearchParams(sent).toString()))).toEqual(Object.entries(sent))
      })
    )
  })

  it('throws nothing but OAuth errors, whatever the bytes', () => {
    const formish = fc
      .array(fc.constantFrom('a', 'b', '=', '&', '%', '+', '%4', '%41', '%ff', '\n', 'é', '\0'))
      .map(parts => Buffer.from(parts.join('')))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), formish), bytes => {
        try {
          for (const value of Object.values(parse(bytes, 5))) expect(value).toBeTruthy()
        } catch (error) {
          expect(error).toBeInstanceOf(OAuthError)
        }
      }),
      { numRuns: 1000 }
    )
  })

  it('reads resource as often as it comes, and keeps all of them where the parameters are copied', () => {
    const form = parse('resource=&resource=https%3A%2F%2Fa&scope=x&resource=https%3A%2F%2Fb&resource=https%3A%2F%2Fa')
    expect(Object.entries(form)).toEqual([
      ['resource', 'https://a'],
      ['scope', 'x']
    ])
    for (const parameters of [form, { ...form, client_id: 'c' }])
      expect(requestedResources(parameters)).toEqual(['https://a', 'https://b'])
    expect(requestedResources(parse('scope=x'))).toEqual([])
    expect(refusal('resource=a&resource=b%00').message).toContain('control character')
    expect(refusal('resource=a'.concat('&resource=b'.repeat(100))).message).toContain('too many')
  })
})
