import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decodeJwt } from 'jose'
import { memoryStore } from '../../lib/index.ts'
import {
  assertionHarness,
  bear,
  exchange,
  exchangeGrant,
  idp,
  invalidAssertion,
  invalidSubject,
  lastReason,
  partner,
  tokensOf,
  tokenType,
  type AssertionHarness
} from '../support/servers/assertion-grants.ts'
import { alice, api, breakableStore, files, issuer, listening, redeemed, token } from '../support/servers/authorization-server.ts'
import { makeDpopKey, prove, type DpopKey } from '../support/clients/dpop.ts'
import { fiftyTimes } from '../support/clients/fifty.ts'
import { assembleJws, signAs, type JwtParts } from '../support/servers/trusted-issuer.ts'

const tokenEndpoint = `${issuer}/oauth2/token`
const asJwt = { subject_token_type: tokenType('jwt') }

describe("a trusted issuer's JWT as subject token", () => {
  it('buys a token for the account it is about, in a grant of its own', async () => {
    const made = await assertionHarness()
    const response = await exchange(made, await made.sign({ claims: { exp: 1_800_000_600 } }), {
      ...asJwt,
      resource: api,
      scope: 'api:read'
    })
    expect(response.body).toMatchObject({ issued_token_type: tokenType('access_token'), scope: 'api:read', expires_in: 600 })
    const exchanged = await made.server.verifyAccessToken(tokensOf(response).access_token)
    expect(exchanged).toMatchObject({
      sub: alice.sub,
      client_id: 'gateway',
      aud: api,
      exp: 1_800_000_600,
      grant: expect.any(String)
    })
    expect(made.asked[0]).toMatchObject({
      sub: alice.sub,
      subject: { type: 'jwt', iss: idp.issuer, sub: 'u-alice', resources: [] }
    })
    expect(made.asked[0]?.subject.claims).toMatchObject({ iss: idp.issuer, aud: issuer })
    await made.store.deleteGrant(`${issuer.length}:${issuer}${exchanged?.grant}`)
    expect(await made.server.verifyAccessToken(tokensOf(response).access_token)).toBeUndefined()
  })

  it('may be an access token of another domain that is for this server', async () => {
    const made = await assertionHarness()
    const jwt = await made.sign({ header: { typ: 'at+jwt' }, claims: { scope: 'api:read mail' } })
    expect(tokensOf(await exchange(made, jwt, asJwt)).scope).toBe('api:read')
  })

  it.each<[string, JwtParts, RegExp]>([
    ['an issuer nobody trusts', { claims: { iss: 'https://evil.example' } }, /^issuer: /],
    ['a foreign aud', { claims: { aud: 'https://elsewhere.example' } }, /^audience: /],
    ['the token endpoint as aud', { claims: { aud: tokenEndpoint } }, /^audience: /],
    ['the client as aud', { claims: { aud: 'gateway' } }, /^audience: /],
    ['an exp that has passed', { claims: { iat: 1_799_999_000, exp: 1_799_999_900 } }, /^expiry: expired at/],
    ['an exp within the tolerance, which leaves no time', { claims: { exp: 1_799_999_995 } }, /^expiry: it has just/],
    ['an exp of this second', { claims: { exp: 1_800_000_000.4 } }, /^expiry: it has just/],
    ['no exp', { claims: { exp: undefined } }, /^expiry: /],
    ['a life of a year', { claims: { exp: 1_831_536_000 } }, /^lifetime: /],
    ['no jti', { claims: { jti: undefined } }, /^jti: /],
    ['no sub', { claims: { sub: '' } }, /^subject: sub must/],
    ['a sub nobody here has', { claims: { sub: 'alice' } }, /^subject: nobody here/],
    ['the typ of an ID-JAG', { header: { typ: 'oauth-id-jag+jwt' } }, /^type: /],
    ['the typ of an authorization grant', { header: { typ: 'authorization-grant+jwt' } }, /^type: /],
    ['the typ of a client assertion', { header: { typ: 'client-authentication+jwt' } }, /^type: /],
    ["another issuer's signature", { key: partner.privateKey }, /^signature: /],
    ['a scope that is no string', { claims: { scope: 7 } }, /^scope: /],
    ['actors nine deep', { claims: { act: nested(9) } }, /^act: /],
    ['an actor in a list', { claims: { act: ['bot'] } }, /^act: /],
    ['an actor whose name is no string', { claims: { act: { sub: { toString: 'x' } } } }, /^act: /],
    ['a nameless actor further in', { claims: { act: { sub: 'a', act: { iss: 'b' } } } }, /^act: /],
    ['an actor whose issuer is no string', { claims: { act: { iss: 7, sub: 'a' } } }, /^act: /],
    ['a may_act for a group', { claims: { may_act: { sub: 'gateway', groups: ['x'] } } }, /^may_act: /],
    ['a may_act for nobody', { claims: { may_act: {} } }, /^may_act: /],
    ['a may_act that is null', { claims: { may_act: null } }, /^may_act: /],
    ['a certificate that is not proved', { claims: { cnf: { 'x5t#S256': 'x' } } }, /^cnf: the request/],
    ['a key that nobody can prove', { claims: { cnf: { kid: 'x' } } }, /^cnf: bound to what/]
  ])('is refused with %s', async (_, parts, reason) => {
    const made = await assertionHarness()
    expect(await exchange(made, await made.sign(parts), asJwt)).toMatchObject(invalidSubject)
    expect(lastReason(made)).toMatch(reason)
    expect(made.asked).toEqual([])
  })

  it('is refused as any other type, and unsigned', async () => {
    const made = await assertionHarness()
    for (const type of ['access_token', 'refresh_token', 'id_token'])
      expect(await exchange(made, await made.sign(), { subject_token_type: tokenType(type) })).toMatchObject(invalidSubject)
    const claims = { iss: idp.issuer, sub: 'u-alice', aud: issuer, exp: 1_800_000_060, jti: 'j' }
    for (const [header, signature] of [
      [{ alg: 'none' }, ''],
      [{ alg: 'ES256', kid: 'ES256-1' }, ''],
      [{ alg: 'ES256', kid: 'ES256-1' }, 'AAAA']
    ] as const)
      expect(await exchange(made, assembleJws(header, claims, signature), asJwt)).toMatchObject(invalidSubject)
    // and one that says it was made here
    expect(await exchange(made, assembleJws({ alg: 'none' }, { ...claims, iss: issuer }, ''), asJwt)).toMatchObject(
      invalidSubject
    )
  })

  it('is used once, by this grant or the other, and only by what succeeds', async () => {
    const made = await assertionHarness()
    const jwt = await made.sign()
    made.verdict.now = { allow: false }
    expect((await exchange(made, jwt, asJwt)).status).toBe(400)
    expect((await exchange(made, jwt, { ...asJwt, resource: 'https://evil.example' })).body).toMatchObject({
      error: 'invalid_target'
    })
    made.verdict.now = { allow: 'impersonation' }
    expect((await exchange(made, jwt, asJwt)).status).toBe(200)
    expect(await exchange(made, jwt, asJwt)).toMatchObject(invalidSubject)
    expect(lastReason(made)).toMatch(/^replay: /)
    expect(await bear(made, jwt)).toMatchObject(invalidAssertion)
  })

  it('fifty at once: one gets a token, and it works', async () => {
    const made = await assertionHarness()
    const form = { grant_type: exchangeGrant, subject_token: await made.sign(), ...asJwt }
    const answers = await listening(made.app, address => fiftyTimes(address, 'gateway', form))
    const good = answers.filter(({ status }) => status === 200)
    expect(good).toHaveLength(1)
    const refusals = answers.filter(({ status }) => status !== 200).map(({ status, body }) => `${status} ${String(body.error)}`)
    expect(new Set(refusals)).toEqual(new Set(['400 invalid_request']))
    expect(await made.server.verifyAccessToken(String(good[0]?.body.access_token))).toMatchObject({ sub: alice.sub })
  })

  it('buys nothing while the store does not answer', async () => {
    const { store, broken } = breakableStore(memoryStore({ clock: () => 1_800_000_000_000 }))
    const made = await assertionHarness({ server: { store } })
    const { access_token } = await redeemed(made.app, 'web')
    const jwt = await made.sign()
    const unavailable = { status: 503, body: { error: 'temporarily_unavailable' } }
    broken.set('add', 'throws')
    expect(await exchange(made, jwt, asJwt)).toMatchObject(unavailable)
    broken.clear()
    broken.set('set', 'throws')
    expect(await exchange(made, jwt, asJwt)).toMatchObject(unavailable)
    broken.clear()
    // it was used up before the token could not be kept: nothing was issued, and nothing will be
    expect(await exchange(made, jwt, asJwt)).toMatchObject(invalidSubject)
    broken.set('get', 'rejects')
    expect(await exchange(made, access_token)).toMatchObject(unavailable)
  })
})

describe('a sender-constrained subject token', () => {
  async function boundTo(made: AssertionHarness, key: DpopKey, resource: string) {
    const proof = await prove(key, 'POST', tokenEndpoint, made.clock.now)
    const form = { grant_type: 'client_credentials', resource }
    return tokensOf(await token(made.app, 'web', form).set('DPoP', proof)).access_token
  }

  it.each([
    ['JWT', api],
    ['opaque', files]
  ])('needs the same key, and the new token is bound to it (%s)', async (_, resource) => {
    const made = await assertionHarness()
    const [key, stranger] = [await makeDpopKey(), await makeDpopKey()]
    const bound = await boundTo(made, key, resource)
    expect(await exchange(made, bound)).toMatchObject(invalidSubject)
    expect(lastReason(made)).toMatch(/^cnf: /)
    const by = async (signer: DpopKey) =>
      exchange(made, bound).set('DPoP', await prove(signer, 'POST', tokenEndpoint, made.clock.now))
    expect(await by(stranger)).toMatchObject(invalidSubject)
    const response = await by(key)
    expect(response.body).toMatchObject({ token_type: 'DPoP' })
    expect(await made.server.verifyAccessToken(tokensOf(response).access_token)).toMatchObject({ cnf: { jkt: key.jkt } })
  })

  it('is what a bearer token becomes in the hands of a client that proves a key', async () => {
    const made = await assertionHarness()
    const key = await makeDpopKey()
    const { access_token } = await redeemed(made.app, 'web')
    const proof = await prove(key, 'POST', tokenEndpoint, made.clock.now)
    const response = await exchange(made, access_token, { resource: api }).set('DPoP', proof)
    expect(decodeJwt(tokensOf(response).access_token)).toMatchObject({ cnf: { jkt: key.jkt } })
  })

  it("of a trusted issuer's needs it too", async () => {
    const made = await assertionHarness()
    const key = await makeDpopKey()
    const jwt = await made.sign({ claims: { cnf: { jkt: key.jkt } } })
    expect(await exchange(made, jwt, asJwt)).toMatchObject(invalidSubject)
    const proof = await prove(key, 'POST', tokenEndpoint, made.clock.now)
    expect((await exchange(made, jwt, asJwt).set('DPoP', proof)).body).toMatchObject({ token_type: 'DPoP' })
  })
})

describe('whatever is presented', () => {
  it('is a token or an OAuth error, never a 500', async () => {
    const made = await assertionHarness()
    made.verdict.now = { allow: 'delegation' }
    const { access_token, refresh_token, id_token } = await redeemed(made.app, 'web', {
      resource: api,
      scope: 'openid offline_access api:read'
    })
    const foreign = await signAs(idp, issuer, made.clock.now / 1000)
    const text = fc.oneof(
      fc.string({ minLength: 1, maxLength: 200 }).map(value => value.replace(/[^\x21-\x7e]/g, 'x')),
      fc.constantFrom(access_token, refresh_token, id_token, foreign, `${access_token}.`, access_token.slice(1), 'a.b.c', '....')
    )
    const type = fc.constantFrom(...['access_token', 'refresh_token', 'id_token', 'jwt', 'saml1', ''].map(tokenType))
    const form = fc.record(
      { subject_token: text, subject_token_type: type, actor_token: text, actor_token_type: type, scope: text, audience: text },
      { requiredKeys: ['subject_token', 'subject_token_type'] }
    )
    await fc.assert(
      fc.asyncProperty(form, async given => {
        const response = await token(made.app, 'gateway', { grant_type: exchangeGrant, ...given })
        expect([200, 400]).toContain(response.status)
        if (response.status === 400)
          expect((response.body as { error: string }).error).toMatch(/^invalid_(request|scope|target)$/)
      }),
      { numRuns: 150 }
    )
  })
})

function nested(depth: number): object {
  return depth === 1 ? { sub: 'first' } : { sub: `actor ${depth}`, act: nested(depth - 1) }
}
