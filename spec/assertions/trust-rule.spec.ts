import { describe, expect, it } from '@jest/globals'
import { trustedIssuersChecks, type TrustedIssuer, type TrustedIssuersOptions } from '../../lib/assertions/trusted-issuers.ts'
import { readOptions } from '../../lib/options.ts'
import { reasonOf, sign, verify } from './accepting.ts'

const trustedIssuers = (options: TrustedIssuersOptions) => readOptions(options, trustedIssuersChecks)

describe('options', () => {
  const good = { issuer: 'https://idp.example', jwks_uri: 'https://idp.example/jwks' }

  it.each<[string, unknown]>([
    ['trustedIssuers', undefined],
    ['trustedIssuers', { ...good }],
    ['trustedIssuers[0]', [null]],
    ['trustedIssuers[0]', ['https://idp.example']],
    ['trustedIssuers[0].issuer', [{ ...good, issuer: undefined }]],
    ['trustedIssuers[0].issuer', [{ ...good, issuer: '' }]],
    ['trustedIssuers[1].issuer', [good, good]],
    ['trustedIssuers[0].jwks', [{ issuer: 'i' }]],
    ['trustedIssuers[0].jwks', [{ ...good, jwks: { keys: [] } }]],
    ['trustedIssuers[0].jwks', [{ issuer: 'i', jwks: [] }]],
    ['trustedIssuers[0].jwks', [{ issuer: 'i', jwks: { keys: {} } }]],
    ['trustedIssuers[0].jwks.keys[0]', [{ issuer: 'i', jwks: { keys: ['key'] } }]],
    ['trustedIssuers[0].jwks.keys[0]', [{ issuer: 'i', jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }]],
    ['trustedIssuers[0].jwks.keys[0]', [{ issuer: 'i', jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'A', y: 'A', d: 'A' }] } }]],
    ['trustedIssuers[0].jwks_uri', [{ ...good, jwks_uri: 'http://idp.example/jwks' }]],
    ['trustedIssuers[0].jwks_uri', [{ ...good, jwks_uri: 'idp.example' }]],
    ['trustedIssuers[0].jwks_uri', [{ ...good, jwks_uri: 7 }]],
    ['trustedIssuers[0].jwks_uri', [{ ...good, jwks_uri: 'file:///etc/jwks' }]],
    ['trustedIssuers[0].algorithms', [{ ...good, algorithms: [] }]],
    ['trustedIssuers[0].algorithms', [{ ...good, algorithms: ['HS256'] }]],
    ['trustedIssuers[0].algorithms', [{ ...good, algorithms: ['none'] }]],
    ['trustedIssuers[0].algorithms', [{ ...good, algorithms: 'ES256' }]],
    ['trustedIssuers[0].replay', [{ ...good, replay: 'never' }]],
    ['trustedIssuers[0].maxLifetime', [{ ...good, maxLifetime: 0 }]],
    ['trustedIssuers[0].maxLifetime', [{ ...good, maxLifetime: 86_401 }]],
    ['trustedIssuers[0].clockTolerance', [{ ...good, clockTolerance: 61 }]],
    ['trustedIssuers[0].max_lifetime', [{ ...good, max_lifetime: 60 }]]
  ])('name what is wrong: %s', (key, list) => {
    expect(() => trustedIssuers({ trustedIssuers: list as TrustedIssuer[] })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', key })
    )
  })

  it('name a fetch that is none, and an option nobody knows', () => {
    expect(() => trustedIssuers({ trustedIssuers: [], fetchJson: 'x' as never })).toThrow(/^fetchJson must/)
    expect(() => trustedIssuers({ trustedIssuers: [], trusted: [] } as never)).toThrow(/^trusted is not a known option/)
  })

  it('bound the life and the clock of one issuer', async () => {
    expect(reasonOf(await verify(await sign({ claims: { exp: 1_800_000_031 } }), { maxLifetime: 30 }))).toMatch(
      /^lifetime: lives 31 s/
    )
    expect(reasonOf(await verify(await sign({ claims: { iat: 1_800_000_060 } }), { clockTolerance: 60 }))).toBe('verified')
    expect(reasonOf(await verify(await sign({ claims: { iat: 1_800_000_061 } }), { clockTolerance: 60 }))).toMatch(/^issued_at/)
    expect(reasonOf(await verify(await sign({ claims: { iat: 1_800_000_002 } }), { clockTolerance: 0 }))).toMatch(/^issued_at/)
  })
})
