import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { matchesSpiffeId, parseSpiffeId, spiffeIdPatternProblem } from '../../lib/clients/spiffe-id.ts'

const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/).filter(text => text !== '.' && text !== '..')
const domain = fc.stringMatching(/^[a-z0-9._-]{1,20}$/)
const parts = fc.record({ trustDomain: domain, segments: fc.array(segment, { minLength: 1, maxLength: 6 }) })
const written = ({ trustDomain, segments }: { trustDomain: string; segments: readonly string[] }) =>
  `spiffe://${trustDomain}/${segments.join('/')}`

describe('a SPIFFE ID', () => {
  it('is read as its parts say', () => {
    fc.assert(
      fc.property(parts, given => {
        const id = written(given)
        expect(parseSpiffeId(id)).toEqual({ id, trustDomain: given.trustDomain, path: `/${given.segments.join('/')}` })
      })
    )
  })

  it.each([
    ...['', 'spiffe://', 'spiffe:///a', 'SPIFFE://td/a', 'Spiffe://td/a', 'https://td/a', 'spiffe:/td/a', 'spiffe://TD/a'],
    ...['spiffe://td:8443/a', 'spiffe://u@td/a', 'spiffe://td/a?b', 'spiffe://td/a#b', 'spiffe://td//a', 'spiffe://td/a/'],
    ...['spiffe://td/', 'spiffe://td/.', 'spiffe://td/a/../b', 'spiffe://td/%61', 'spiffe://td/ä', 'spiffe://tä/a'],
    ...['spiffe://td/a b', 'spiffe://td/a\n', ' spiffe://td/a', 'spiffe://td/a*', `spiffe://td/${'a'.repeat(2048)}`],
    ...[`spiffe://${'d'.repeat(256)}/a`, 'spiffe://[::1]/a', 'spiffe://td\\a']
  ])('%p is none', value => {
    expect(parseSpiffeId(value)).toBeUndefined()
  })

  it.each([undefined, null, 1, {}, ['spiffe://td/a']])('%p is none', value => {
    expect(parseSpiffeId(value)).toBeUndefined()
  })

  it('is none whatever anybody sends, or one to the letter, and reading it never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map(text => `spiffe://td/${text}`)
        ),
        value => {
          const read = parseSpiffeId(value)
          if (read !== undefined) expect(`spiffe://${read.trustDomain}${read.path}`).toBe(value)
        }
      )
    )
  })
})

describe('a pattern', () => {
  it('takes what lies below whole segments, and nothing beside', () => {
    fc.assert(
      fc.property(parts, segment, (given, more) => {
        const id = written(given)
        const of = (text: string) => parseSpiffeId(text) ?? { id: '', trustDomain: '', path: '' }
        expect(matchesSpiffeId(`${id}/*`, of(`${id}/${more}`))).toBe(true)
        expect(matchesSpiffeId(`${id}/*`, of(`${id}/${more}/${more}`))).toBe(true)
        expect(matchesSpiffeId(`${id}/*`, of(id))).toBe(false)
        expect(matchesSpiffeId(`${id}/*`, of(`${id}${more}`))).toBe(false)
        expect(matchesSpiffeId(id, of(`${id}${more}`))).toBe(false)
        expect(matchesSpiffeId(id, of(id))).toBe(true)
      })
    )
  })

  it.each([
    ...['spiffe://td', 'spiffe://td/a*', 'spiffe://td/*/a', 'spiffe://*/a', 'spiffe://td*', '*', 'spiffe://td/a:*'],
    ...['spiffe://td//*', 'spiffe://TD/*', 1, undefined, {}]
  ])('%p is none', pattern => {
    expect(spiffeIdPatternProblem(pattern)).toEqual(expect.stringMatching(/^must /))
  })

  it.each(['spiffe://td/a', 'spiffe://td/a/*', 'spiffe://td/*'])('%p is one', pattern => {
    expect(spiffeIdPatternProblem(pattern)).toBeUndefined()
  })
})
