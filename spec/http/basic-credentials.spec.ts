import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readBasicCredentials } from '../../lib/http/basic-credentials.ts'

const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64')
const basic = (text: string | Uint8Array) => readBasicCredentials(`Basic ${base64(text)}`)

describe('readBasicCredentials', () => {
  it.each([undefined, '', 'Bearer abc', 'Basicabc', 'Basic64 YTpi', 'DPoP Basic', 'xBasic YTpi'])(
    'finds nothing of its own in %j',
    header => {
      expect(readBasicCredentials(header)).toEqual({ outcome: 'absent' })
    }
  )

  it.each([
    ['a pair', 'id:secret', 'id', 'secret'],
    ['a secret with colons', 'id:a:b:', 'id', 'a:b:'],
    ['an id with an escaped colon', 'https%3A%2F%2Fx.example:s', 'https://x.example', 's'],
    ['a plus as a space', 'a+b:c+d', 'a b', 'c d'],
    ['an escaped plus and percent', 'a:1%2B1%25', 'a', '1+1%'],
    ['escaped UTF-8', 'a:%E2%82%AC', 'a', '€'],
    ['raw UTF-8', 'a:€', 'a', '€'],
    ['no secret', 'id:', 'id', ''],
    ['no id', ':secret', '', 'secret'],
    ['neither', ':', '', '']
  ])('reads %s', (_, text, client_id, client_secret) => {
    expect(basic(text)).toMatchObject({ outcome: 'present', client_id, client_secret })
  })

  it.each<[string, string, { client_id: string; client_secret: string } | undefined]>([
    ['a plus', 'a:c+d', { client_id: 'a', client_secret: 'c+d' }],
    ['an escape', 'a%20b:c', { client_id: 'a%20b', client_secret: 'c' }],
    ['a percent that is no escape', 'a:100%', { client_id: 'a', client_secret: '100%' }],
    ['an escape that is not UTF-8', 'a:%ff', { client_id: 'a', client_secret: '%ff' }],
    ['an escaped control character', 'a:%00', { client_id: 'a', client_secret: '%00' }],
    ['what needs no encoding', 'a-b:c_d', undefined],
    ['what is the same either way', 'a@b/c:d=e', undefined],
    ['a control character beside a plus', 'a:\n+', undefined],
    ['no credentials', 'a', undefined]
  ])('says of %s what it would be for a client that encodes nothing', (_, text, asSent) => {
    const read = basic(text)
    expect('asSent' in read ? read.asSent : undefined).toEqual(asSent)
  })

  it('takes the scheme in any case, and base64 with or without its padding', () => {
    const expected = { outcome: 'present', client_id: 'id', client_secret: 's' }
    expect(base64('id:s')).toBe('aWQ6cw==')
    for (const header of ['basic aWQ6cw==', 'BASIC aWQ6cw==', 'Basic aWQ6cw'])
      expect(readBasicCredentials(header)).toEqual(expected)
  })

  it.each([
    ['the scheme alone', 'Basic', 'one space'],
    ['the scheme and a space', 'Basic ', 'base64'],
    ['a tab', 'Basic\taWQ6cw==', 'one space'],
    ['two spaces', 'Basic  aWQ6cw==', 'base64'],
    ['wrong padding', 'Basic aWQ6cw=', 'base64'],
    ['too much padding', 'Basic aWQ6cw===', 'base64'],
    ['padding where none belongs', 'Basic aWQ6=', 'base64'],
    ['bits left over', 'Basic aWQ6cx==', 'base64'],
    ['junk after it', 'Basic aWQ6cw==junk', 'base64'],
    ['junk in it', 'Basic aWQ6!cw==', 'base64'],
    ['base64url', `Basic ${base64('a:???~~~').replaceAll('/', '_').replaceAll('+', '-')}`, 'base64'],
    ['white space after it', 'Basic aWQ6cw== ', 'base64'],
    ['two of them', 'Basic aWQ6cw==, Basic aWQ6cw==', 'base64'],
    ['a parameter', 'Basic realm="x"', 'base64'],
    ['no colon', `Basic ${base64('secret')}`, 'colon'],
    ['an escaped colon only', `Basic ${base64('id%3Asecret')}`, 'colon'],
    ['bytes that are not UTF-8', `Basic ${base64(Buffer.from('id:\xff', 'latin1'))}`, 'UTF-8'],
    ['a raw percent in the secret', `Basic ${base64('id:100%')}`, 'form-encode'],
    ['a raw percent in the id', `Basic ${base64('100%:s')}`, 'form-encode'],
    ['escaped bytes that are not UTF-8', `Basic ${base64('id:%ff')}`, 'form-encode'],
    ['a null character', `Basic ${base64('id:a%00')}`, 'control character'],
    ['a raw line feed', `Basic ${base64('id\n:a')}`, 'control character'],
    ['a huge header', `Basic ${base64(`id:${'s'.repeat(8192)}`)}`, 'longer']
  ])('calls %s malformed', (_, header, words) => {
    expect(readBasicCredentials(header)).toMatchObject({ outcome: 'malformed', reason: expect.stringContaining(words) })
  })

  it('decodes up to its bound', () => {
    // "Basic " and 8184 characters of base64 are 8190
    expect(basic(`id:${'s'.repeat(6135)}`).outcome).toBe('present')
  })

  it('reads back what a form-encoding client writes', () => {
    // eslint-disable-next-line no-control-regex -- clean means: none of these
    const clean = fc.string({ unit: 'grapheme' }).filter(text => !/[\u0000-\u001f\u007f]/.test(text))
    const encode = (text: string) => new URLSearchParams({ v: text }).toString().slice(2)
    fc.assert(
      fc.property(clean, clean, (client_id, client_secret) => {
        const read = basic(`${encode(client_id)}:${encode(client_secret)}`)
        expect(read).toMatchObject({ outcome: 'present', client_id, client_secret })
      })
    )
  })

  it('never throws, and never repeats the header in its reason', () => {
    const decoded = fc.oneof(
      fc.uint8Array(),
      fc.string().map(text => Buffer.from(text))
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map(text => `Basic ${text}`),
          decoded.map(bytes => `Basic ${base64(bytes)}`)
        ),
        header => {
          expect(['absent', 'malformed', 'present']).toContain(readBasicCredentials(header).outcome)
        }
      ),
      { numRuns: 1000 }
    )
    expect(JSON.stringify(basic('id-without-colon'))).not.toContain('id-without')
  })
})
