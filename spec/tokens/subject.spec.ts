import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { toClient } from '../../lib/clients/client.ts'
import { ServerError } from '../../lib/errors.ts'
import { pairwiseSecretCheck, pairwiseSubjects, subjectFor } from '../../lib/tokens/subject.ts'
import { issuer } from '../support/servers/authorization-server.ts'

const secret = 'a secret of thirty-two bytes, or more'
const pairwise = pairwiseSubjects(secret, issuer)
const make = (sector: string, sub: string, at = issuer, under: string | Uint8Array = secret): string =>
  pairwiseSubjects(under, at)(sector, sub)
const at = (host: string, metadata: object = {}) =>
  toClient({
    client_id: host,
    client_secret: 's',
    subject_type: 'pairwise',
    redirect_uris: [`https://${host}/cb`],
    ...metadata
  })

describe('a pairwise identifier', () => {
  it('stays the same, for good', () => {
    // whoever changes how it is made makes everybody a stranger
    expect(make('client.example', 'alice')).toBe('jOgaZwdVrnabPfrzjGS5x-M8zwC1zH1o0EGMGtESe2g')
    expect(make('client.example', 'alice', issuer, Buffer.from(secret))).toBe(make('client.example', 'alice'))
  })

  it('is 43 characters that say nothing of person or sector', () => {
    expect(make('client.example', 'alice')).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(Buffer.from(make('client.example', 'alice'), 'base64url').toString('latin1')).not.toMatch(/alice|client/)
  })

  it('is another for every person, sector, issuer and secret', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 8 })
    const made = fc.tuple(text, text, text, fc.string({ minLength: 32, maxLength: 34 }))
    fc.assert(
      fc.property(made, made, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other))
        expect(make(...one)).not.toBe(make(...other))
      })
    )
    // whatever the three are made of, they do not run into one another
    expect(make('a', 'b"],"c')).not.toBe(make('a"],"b', 'c'))
    expect(make('ab', 'c')).not.toBe(make('a', 'bc'))
  })

  it('does not follow a buffer that is changed afterwards', () => {
    const bytes = Buffer.alloc(32, 1)
    const subjects = pairwiseSubjects(bytes, issuer)
    const before = subjects('a', 'b')
    bytes.fill(2)
    expect(subjects('a', 'b')).toBe(before)
  })

  it.each([null, '', 'x'.repeat(31), 32, true, {}, [], Buffer.alloc(31)])('is not made with %j', wrong => {
    expect(() => pairwiseSecretCheck.read(wrong, 'pairwiseSecret')).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', key: 'pairwiseSecret' })
    )
  })
})

describe('what a client calls a person', () => {
  it('is their own sub, unless it registered otherwise', () => {
    for (const subject_type of [undefined, 'public'])
      expect(subjectFor({ pairwise }, at('client.example', { subject_type }), 'alice')).toBe('alice')
    expect(subjectFor({ pairwise }, at('client.example'), 'alice')).toBe(make('client.example', 'alice'))
  })

  it('is one name in one sector, another in another', () => {
    const [one, same, other] = [
      at('client.example', { client_id: 'one' }),
      at('elsewhere.example', { client_id: 'same', sector_identifier_uri: 'https://client.example/uris' }),
      at('other.example')
    ].map(client => subjectFor({ pairwise }, client, 'alice'))
    expect(same).toBe(one)
    expect(other).not.toBe(one)
  })

  it('is never the person’s own where it cannot be made', () => {
    expect(() => subjectFor({ pairwise: undefined }, at('client.example'), 'alice')).toThrow(ServerError)
  })
})
