import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { TemporarilyUnavailableError } from '../../lib/errors.ts'
import type { TrustedIssuer } from '../../lib/assertions/trusted-issuers.ts'
import { assembleJws, type JwtParts } from '../support/servers/trusted-issuer.ts'
import { accepted, acceptor, byJwks, idp, issuer, now, other, reasonOf, sign, verify } from './accepting.ts'

describe('a JWT of a trusted issuer', () => {
  it.each<[string, JwtParts]>([
    ['as it should be', {}],
    ['typ JWT', { header: { typ: 'JWT' } }],
    ['an accepted typ in another case, as a media type', { header: { typ: 'application/Authorization-Grant+JWT' } }],
    ['without kid', { header: { kid: undefined } }],
    ['aud as a list', { claims: { aud: [issuer] } }],
    ['aud with another server in it', { claims: { aud: ['https://elsewhere.example', issuer] } }],
    ['the token endpoint as aud', { claims: { aud: `${issuer}/oauth2/token` } }],
    ['no iat and no nbf', { claims: { iat: undefined } }],
    ['iat 10 s ahead', { claims: { iat: 1_800_000_010 } }],
    ['nbf 10 s ahead', { claims: { nbf: 1_800_000_010 } }],
    ['exp 9 s ago', { claims: { iat: 1_799_999_950, exp: 1_799_999_991 } }],
    ['an hour of life', { claims: { exp: 1_800_003_600 } }],
    ['fractions of seconds', { claims: { iat: 1_799_999_999.9, exp: 1_800_000_060.1 } }],
    ['claims nobody knows', { claims: { groups: ['admins'], deep: { er: [1, null] } } }]
  ])('is accepted: %s', async (_, parts) => {
    const outcome = await verify(await sign(parts))
    expect(outcome).toMatchObject({ outcome: 'verified', jwt: { iss: idp.issuer, sub: 'u-alice', jti: expect.any(String) } })
  })

  it.each<[string, string, JwtParts]>([
    ['an issuer nobody trusts', 'issuer', { claims: { iss: 'https://evil.example' } }],
    ['the issuer with a slash', 'issuer', { claims: { iss: 'https://idp.example/' } }],
    ['the issuer in another case', 'issuer', { claims: { iss: 'https://IDP.example' } }],
    ['no issuer', 'issuer', { claims: { iss: undefined } }],
    ['a list of issuers', 'issuer', { claims: { iss: ['https://idp.example'] } }],
    ['a prototype member as issuer', 'issuer', { claims: { iss: '__proto__' } }],
    ['itself', 'issuer', { claims: { iss: issuer } }],
    ['kid as a number', 'header', { header: { kid: 1 } }],
    ['an access token', 'type', { header: { typ: 'at+jwt' } }],
    ['a client assertion', 'type', { header: { typ: 'client-authentication+jwt' } }],
    ['a DPoP proof', 'type', { header: { typ: 'dpop+jwt' } }],
    ['a logout token', 'type', { header: { typ: 'logout+jwt' } }],
    ['typ as a number', 'type', { header: { typ: 7 } }],
    ['an empty typ', 'type', { header: { typ: '' } }],
    ['a kid nobody has', 'key', { header: { kid: 'other' } }],
    ['no aud', 'audience', { claims: { aud: undefined } }],
    ['an empty aud', 'audience', { claims: { aud: '' } }],
    ['an empty list as aud', 'audience', { claims: { aud: [] } }],
    ['a foreign aud', 'audience', { claims: { aud: 'https://elsewhere.example' } }],
    ['aud with a slash', 'audience', { claims: { aud: `${issuer}/` } }],
    ['aud in another case', 'audience', { claims: { aud: 'https://AS.example.com' } }],
    ['aud that contains it', 'audience', { claims: { aud: `${issuer} https://elsewhere.example` } }],
    ['aud as an object', 'audience', { claims: { aud: { 0: issuer } } }],
    ['aud nested', 'audience', { claims: { aud: [[issuer]] } }],
    ['no exp', 'expiry', { claims: { exp: undefined } }],
    ['exp as a string', 'expiry', { claims: { exp: '1800000060' } }],
    ['exp as a date', 'expiry', { claims: { exp: '2027-01-15T08:00:00Z' } }],
    ['exp 10 s ago', 'expiry', { claims: { iat: 1_799_999_900, exp: 1_799_999_990 } }],
    ['a negative exp', 'expiry', { claims: { exp: -1 } }],
    ['an endless exp', 'expiry', { claims: { exp: 1e300 } }],
    ['nbf 12 s ahead', 'not_before', { claims: { nbf: 1_800_000_012 } }],
    ['nbf as a string', 'not_before', { claims: { nbf: 'now' } }],
    ['iat 12 s ahead', 'issued_at', { claims: { iat: 1_800_000_012 } }],
    ['iat as null', 'issued_at', { claims: { iat: null } }],
    ['a life of more than an hour', 'lifetime', { claims: { exp: 1_800_003_601 } }],
    ['a life of more than an hour, nearly over', 'lifetime', { claims: { iat: 1_799_990_000 } }],
    ['more than an hour ahead, without iat', 'lifetime', { claims: { iat: undefined, exp: 1_800_003_602 } }],
    ['milliseconds', 'lifetime', { claims: { exp: 1_800_000_060_000 } }],
    ['no sub', 'subject', { claims: { sub: undefined } }],
    ['an empty sub', 'subject', { claims: { sub: '' } }],
    ['sub as a number', 'subject', { claims: { sub: 7 } }],
    ['a sub of 513 characters', 'subject', { claims: { sub: 'x'.repeat(513) } }],
    ['no jti', 'jti', { claims: { jti: undefined } }],
    ['an empty jti', 'jti', { claims: { jti: '' } }],
    ['jti as a number', 'jti', { claims: { jti: 7 } }],
    ['a jti of 513 characters', 'jti', { claims: { jti: 'x'.repeat(513) } }]
  ])('is refused, and the operator told why: %s', async (_, check, parts) => {
    const reason = reasonOf(await verify(await sign(parts)))
    expect(reason.slice(0, reason.indexOf(':'))).toBe(check)
    expect(reason.length).toBeLessThan(700)
  })

  it('is not what this server signed, even where it is listed itself', async () => {
    const { issuers } = acceptor([{ issuer, jwks: { keys: [idp.jwk] } }])
    expect(reasonOf(await issuers.verify(await sign({ claims: { iss: issuer } }), accepted))).toMatch(/^issuer: /)
  })

  it('checks in a fixed order: the first thing wrong is the one told', async () => {
    const wrong: [string, JwtParts][] = [
      ['issuer', { claims: { iss: 'https://evil.example' } }],
      ['type', { header: { typ: 'at+jwt' } }],
      ['algorithm', { header: { alg: 'HS256' }, key: Buffer.alloc(32) }],
      ['key', { header: { kid: 'other' } }],
      ['signature', { key: other.privateKey }],
      ['audience', { claims: { aud: 'x' } }],
      ['expiry', { claims: { exp: 1 } }],
      ['not_before', { claims: { nbf: 1_900_000_000 } }],
      ['issued_at', { claims: { iat: 1_900_000_000 } }],
      ['subject', { claims: { sub: 7 } }],
      ['jti', { claims: { jti: 7 } }]
    ]
    for (let first = 0; first < wrong.length; first++) {
      const rest = wrong.slice(first).map(([, parts]) => parts)
      const header = Object.assign({}, ...rest.map(parts => parts.header)) as object
      const claims = Object.assign({}, ...rest.map(parts => parts.claims)) as object
      const { key } = rest.find(parts => parts.key !== undefined) ?? {}
      const reason = reasonOf(await verify(await sign({ header: { ...header }, claims: { ...claims }, ...(key && { key }) })))
      expect(reason.split(':')[0]).toBe(wrong[first]?.[0])
    }
  })

  it.each([
    ['nothing', ''],
    ['a word', 'assertion'],
    ['two parts', 'a.b'],
    ['five parts', 'a.b.c.d.e'],
    ['spaces', 'e30. e30.AAAA'],
    ['a header that is no object', assembleJws('[]', {})],
    ['a payload that is no object', assembleJws({ alg: 'ES256' }, 'null')],
    ['broken JSON', assembleJws('{"alg":', {})],
    ['more than 16384 characters', assembleJws({ alg: 'ES256' }, { pad: 'x'.repeat(16_384) })]
  ])('is refused unread: %s', async (_, jwt) => {
    expect(reasonOf(await verify(jwt))).toMatch(/^format: /)
  })

  it('is refused with a crit header, whatever it names', async () => {
    const header = { alg: 'ES256', kid: idp.jwk.kid, crit: ['b64'], b64: true }
    expect(reasonOf(await verify(assembleJws(header, { iss: idp.issuer })))).toMatch(/^header: crit/)
  })
})

describe('consume', () => {
  const verified = async (list: readonly TrustedIssuer[], jwt: string) => {
    const made = acceptor(list)
    const outcome = await made.issuers.verify(jwt, accepted)
    if (outcome.outcome === 'refused') throw new Error(outcome.reason)
    return { ...made, jwt: outcome.jwt }
  }

  it('lets one through, of fifty at once and ever after', async () => {
    const { issuers, jwt, clock } = await verified([byJwks()], await sign())
    const results = await Promise.all(Array.from({ length: 50 }, () => issuers.consume(jwt)))
    expect(results.filter(first => first)).toHaveLength(1)
    // its exp with all tolerance
    clock.now += 70_000
    expect(await issuers.consume(jwt)).toBe(false)
  })

  it('keeps the jti of two issuers apart, and nothing of them in the store', async () => {
    const list = [byJwks(), { issuer: other.issuer, jwks: { keys: [other.jwk] } }]
    const claims = { jti: 'the-same-for-both' }
    const { issuers, jwt, server } = await verified(list, await sign({ claims }))
    const second = await issuers.verify(await sign({ claims }, other), accepted)
    const written: string[] = []
    const add = server.store.add.bind(server.store)
    server.store.add = (key, ...rest) => {
      written.push(JSON.stringify(key))
      return add(key, ...rest)
    }
    expect(await issuers.consume(jwt)).toBe(true)
    if (second.outcome === 'verified') expect(await issuers.consume(second.jwt)).toBe(true)
    expect(written).toHaveLength(2)
    expect(written.join()).not.toMatch(/the-same|example/)
  })

  it('lets all through where the rule allows it, with a jti and without', async () => {
    for (const jti of ['j', undefined]) {
      const { issuers, jwt } = await verified([byJwks({ replay: 'allow' })], await sign({ claims: { jti } }))
      expect([await issuers.consume(jwt), await issuers.consume(jwt)]).toEqual([true, true])
    }
    expect(reasonOf(await verify(await sign({ claims: { jti: 7 } }), { replay: 'allow' }))).toMatch(/^jti: /)
  })

  it('is told by a store that cannot answer that nobody can know', async () => {
    const { issuers, jwt, server } = await verified([byJwks()], await sign())
    server.store.add = () => Promise.reject(new Error('down'))
    await expect(issuers.consume(jwt)).rejects.toBeInstanceOf(TemporarilyUnavailableError)
  })
})

describe('whatever is sent', () => {
  const anything = fc.oneof(
    fc.anything(),
    fc.constantFrom<unknown>(issuer, 'https://idp.example', 'ES256', 'JWT', now, now + 60, [issuer])
  )

  it('never throws and is never taken without a signature', async () => {
    const { issuers } = acceptor([byJwks()])
    const names = ['alg', 'typ', 'kid', 'crit', 'jwk', 'iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']
    const object = fc.dictionary(fc.constantFrom(...names), anything)
    const json = (value: unknown) =>
      Buffer.from(JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? 0 : v))).toString('base64url')
    const jwt = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.tuple(object, object, fc.base64String()).map(([header, payload, signature]) => {
        const good = { alg: 'ES256', kid: 'ES256-1' }
        const claims = { iss: 'https://idp.example', sub: 'a', aud: issuer, exp: now + 60, jti: 'j' }
        return `${json({ ...good, ...header })}.${json({ ...claims, ...payload })}.${signature.replace(/[^A-Za-z0-9]/g, '')}`
      })
    )
    await fc.assert(
      fc.asyncProperty(jwt, async sent => {
        expect((await issuers.verify(sent, accepted)).outcome).toBe('refused')
      }),
      { numRuns: 300 }
    )
  })

  it('signed claims of any kind never throw, and pass only where each is what it must be', async () => {
    const { issuers } = acceptor([byJwks()])
    const claims = fc.dictionary(fc.constantFrom('sub', 'aud', 'exp', 'nbf', 'iat', 'jti', '__proto__', 'constructor'), anything)
    await fc.assert(
      fc.asyncProperty(claims, async given => {
        const safe = JSON.parse(JSON.stringify(given, (_, v: unknown) => (typeof v === 'bigint' ? 0 : v))) as Record<
          string,
          unknown
        >
        const outcome = await issuers.verify(await sign({ claims: safe }), accepted)
        if (outcome.outcome === 'refused') expect(outcome.reason).toMatch(/^[a-z_]+: /)
        else {
          const { sub, jti, exp, claims } = outcome.jwt
          expect([typeof sub, typeof jti, typeof exp]).toEqual(['string', 'string', 'number'])
          expect([claims['aud']].flat()).toContain(issuer)
        }
      }),
      { numRuns: 150 }
    )
  })
})

describe('one server', () => {
  it('has one source of keys, and another one its own', () => {
    const { trusted, server, issuers } = acceptor([byJwks()])
    expect(trusted(server)).toBe(issuers)
    expect(trusted({ ...server })).not.toBe(issuers)
  })
})
