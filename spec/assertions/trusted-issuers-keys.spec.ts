import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { JWK } from 'jose'
import { GuardedFetchError, type FetchedJson } from '../../lib/outbound/guarded-fetch.ts'
import { TemporarilyUnavailableError } from '../../lib/errors.ts'
import { serveKeys, type KeyServer } from '../strategies/key-server.ts'
import { assembleJws, makeIssuer, signAs } from '../support/servers/trusted-issuer.ts'
import { accepted, acceptor, byJwks, idp, issuer, now, other, reasonOf, rsa, sign, verify } from './accepting.ts'

describe('the algorithm', () => {
  const payload = () => ({ iss: idp.issuer, sub: 'u-alice', aud: issuer, jti: 'j', exp: now + 60 })

  it.each(['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'HS512', 'RS1', 'ES256K', 'dir', null, 7, ['ES256']])(
    '%p is refused before any key is looked at',
    async alg => {
      for (const signature of ['', 'AAAA']) {
        const jwt = assembleJws({ alg, kid: idp.jwk.kid }, payload(), signature)
        expect(reasonOf(await verify(jwt))).toMatch(/^algorithm: alg must be one of RS256/)
      }
    }
  )

  it.each(['pem', 'der', 'jwk'] as const)('HS256 with the public key (%s) as its secret is refused', async format => {
    const publicKey = createPublicKey({ key: rsa.jwk as JsonWebKey, format: 'jwk' })
    const secret =
      format === 'jwk'
        ? JSON.stringify(rsa.jwk)
        : (publicKey.export({ type: 'spki', format: format as 'pem' }) as string | Buffer)
    const input = assembleJws({ alg: 'HS256', kid: rsa.jwk.kid }, payload(), '').slice(0, -1)
    const signature = createHmac('sha256', secret).update(input).digest('base64url')
    expect(reasonOf(await verify(`${input}.${signature}`))).toMatch(/^algorithm: /)
  })

  it.each(['RS256', 'PS256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])('%s is accepted', async alg => {
    const foreign = await makeIssuer(idp.issuer, alg)
    const { issuers } = acceptor([byJwks({ jwks: { keys: [foreign.jwk] } })])
    expect(await issuers.verify(await sign({}, foreign), accepted)).toMatchObject({ outcome: 'verified' })
  })

  it('can be narrowed to those an issuer signs with', async () => {
    const rule = { algorithms: ['PS256'] }
    expect(reasonOf(await verify(await sign({}, rsa), rule))).toBe('verified')
    expect(reasonOf(await verify(await sign(), rule))).toBe('algorithm: alg must be one of PS256; received ES256')
  })
})

describe('the key', () => {
  it('is one of the issuer: another trusted issuer cannot speak for it', async () => {
    const { issuers } = acceptor([byJwks(), { issuer: other.issuer, jwks: { keys: [{ ...other.jwk, kid: 'ES256-1' }] } }])
    const forged = await sign({ key: other.privateKey })
    expect(reasonOf(await issuers.verify(forged, accepted))).toBe('signature: made by none of kid:ES256-1')
    expect(reasonOf(await issuers.verify(await sign({}, other), accepted))).toBe('verified')
  })

  it.each(['jwk', 'jku', 'x5u', 'x5c'])('is never one that the header brings along (%s)', async name => {
    const header = { [name]: name === 'jwk' ? other.jwk : name === 'x5c' ? ['AAAA'] : 'https://evil.example/jwks' }
    expect(reasonOf(await verify(await sign({ header, key: other.privateKey })))).toMatch(/^signature: /)
    expect(reasonOf(await verify(await sign({ header })))).toBe('verified')
  })

  it.each<[string, (jwk: JWK) => JWK]>([
    ['for encryption', jwk => ({ ...jwk, use: 'enc' })],
    ['for another alg', jwk => ({ ...jwk, alg: 'ES384' })],
    ['malformed', jwk => ({ ...jwk, x: 'AAAA' })]
  ])('does not fit where it is %s', async (_, change) => {
    expect(reasonOf(await verify(await sign(), { jwks: { keys: [change(idp.jwk)] } }))).toMatch(/^key: no key of https:\/\/idp/)
  })

  it('of an issuer without keys fits nothing', async () => {
    expect(reasonOf(await verify(await sign({ header: { kid: undefined } }), { jwks: { keys: [] } }))).toMatch(
      /fits ES256 without kid$/
    )
  })
})

describe('a jwks_uri', () => {
  const jwks_uri = 'https://idp.example/jwks'
  let served: KeyServer | undefined
  afterEach(async () => {
    await served?.close()
    served = undefined
  })

  function source(options: { fails?: boolean } = {}) {
    const state = { fetches: 0, keys: [idp.jwk], ...options }
    const fetchJson = async (url: string): Promise<FetchedJson> => {
      expect(url).toBe(jwks_uri)
      state.fetches += 1
      await Promise.resolve()
      if (state.fails === true) throw new GuardedFetchError('timeout', 'there was no complete answer within 5000 ms')
      return { json: { keys: state.keys } }
    }
    return { state, ...acceptor([{ issuer: idp.issuer, jwks_uri }], { fetchJson }) }
  }

  it('is asked once, however many wait, and not for JWTs that are refused before', async () => {
    const { state, issuers } = source()
    for (const bad of [await sign({ claims: { iss: 'x' } }), await sign({ header: { typ: 'at+jwt' } }), 'garbage']) {
      await issuers.verify(bad, accepted)
    }
    expect(state.fetches).toBe(0)
    const jwts = await Promise.all(Array.from({ length: 50 }, () => sign()))
    const outcomes = await Promise.all(jwts.map(jwt => issuers.verify(jwt, accepted)))
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['verified']))
    expect(state.fetches).toBe(1)
  })

  it('is asked again for a kid it did not have, within a cooldown', async () => {
    const { state, issuers, clock } = source()
    await issuers.verify(await sign(), accepted)
    const next = await makeIssuer(idp.issuer)
    state.keys = [{ ...next.jwk, kid: 'new' }]
    for (let index = 0; index < 20; index++) {
      const made = await sign({ header: { kid: `made up ${index}` } })
      expect(reasonOf(await issuers.verify(made, accepted))).toMatch(/^key: /)
    }
    expect(state.fetches).toBe(1)
    clock.now += 30_000
    expect(reasonOf(await issuers.verify(await sign({ header: { kid: 'new' } }, next), accepted))).toBe('verified')
    expect(state.fetches).toBe(2)
  })

  it('that does not answer is a fault of the moment, not of the JWT: 503, with the reason', async () => {
    const { issuers } = source({ fails: true })
    const attempt = issuers.verify(await sign(), accepted)
    await expect(attempt).rejects.toBeInstanceOf(TemporarilyUnavailableError)
    await expect(attempt).rejects.toMatchObject({ reason: expect.stringMatching(/idp\.example cannot be had: there was no/) })
  })

  it('that stopped answering goes on with the keys it gave', async () => {
    const { state, issuers, clock } = source()
    await issuers.verify(await sign(), accepted)
    state.fails = true
    clock.now += 600_000
    expect(reasonOf(await issuers.verify(await signAs(idp, issuer, now + 600), accepted))).toBe('verified')
  })

  it.each([
    ['a server whose issuer is on loopback too', 'http://127.0.0.1:4010', 'verified'],
    ['no other server', issuer, /the URL must be https/]
  ])('on loopback is fetched by %s', async (_, own, expected) => {
    served = await serveKeys([idp.jwk])
    const { issuers } = acceptor([{ issuer: idp.issuer, jwks_uri: served.url }], {}, own)
    const outcome = issuers.verify(await signAs(idp, own, now), { ...accepted, audiences: [own] }).then(reasonOf, String)
    const fetched = expected === 'verified'
    if (fetched) expect(await outcome).toBe('verified')
    else expect(await outcome).toMatch(/^TemporarilyUnavailableError/)
    expect(served.requests()).toBe(fetched ? 1 : 0)
  })
})
