import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decodeJwt } from 'jose'
import { jwtBearer, type JwtBearerOptions } from '../../lib/index.ts'
import {
  assertionHarness,
  bear,
  bearerGrant,
  invalidAssertion,
  knownHere,
  lastReason,
  partner,
  tokensOf
} from '../support/servers/assertion-grants.ts'
import { alice, api, files, issuer, token, userinfo, type Form } from '../support/servers/authorization-server.ts'
import { signAs, type JwtParts } from '../support/servers/trusted-issuer.ts'

const tokenEndpoint = `${issuer}/oauth2/token`

describe('the JWT bearer grant', () => {
  it('gives an access token for the account the assertion is about, and nothing to refresh it with', async () => {
    const made = await assertionHarness()
    const response = await bear(made, await made.sign(), { scope: 'api:read offline_access' })
    expect([response.status, response.body]).toEqual([
      200,
      { access_token: expect.any(String), token_type: 'Bearer', expires_in: 3600, scope: 'api:read' }
    ])
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store' })
    const token = await made.server.verifyAccessToken(tokensOf(response).access_token)
    expect(token).toMatchObject({ sub: alice.sub, client_id: 'agent', scope: ['api:read'], grant: expect.any(String) })
  })

  it('gives what the client registered where it asks for nothing, and an ID Token with openid', async () => {
    const made = await assertionHarness()
    const body = tokensOf(await bear(made, await made.sign()))
    expect(body.scope).toBe('openid profile api:read api:write files:read')
    expect(decodeJwt(body.id_token ?? '')).toMatchObject({ iss: issuer, sub: alice.sub, aud: 'agent' })
    expect((await userinfo(made.app, body.access_token)).body).toMatchObject({ sub: alice.sub, name: 'Alice' })
  })

  it.each([
    ['JWT', api, 'api:read api:write'],
    ['opaque', files, 'files:read']
  ])('gives a token for one resource (%s), which ends with its grant', async (_, resource, scope) => {
    const made = await assertionHarness()
    const body = tokensOf(await bear(made, await made.sign(), { resource, scope: 'api:read api:write files:read' }))
    expect(body.scope).toBe(scope)
    const token = await made.server.verifyAccessToken(body.access_token)
    expect(token).toMatchObject({ aud: resource, sub: alice.sub })
    await made.store.deleteGrant(`${issuer.length}:${issuer}${token?.grant}`)
    expect(await made.server.verifyAccessToken(body.access_token)).toBeUndefined()
  })

  it.each<[string, JwtParts]>([
    ['the token endpoint as aud', { claims: { aud: tokenEndpoint } }],
    ['the mutual-TLS token endpoint as aud', { claims: { aud: 'https://mtls.example.com:8443/oauth2/token' } }],
    ['several audiences', { claims: { aud: ['https://elsewhere.example', issuer] } }],
    ['typ authorization-grant+jwt', { header: { typ: 'authorization-grant+jwt' } }],
    ['its own client_id', { claims: { client_id: 'agent' } }]
  ])('takes an assertion with %s', async (_, parts) => {
    const made = await assertionHarness({ server: { mtlsOrigin: 'https://mtls.example.com:8443' } })
    expect((await bear(made, await made.sign(parts))).status).toBe(200)
  })

  it.each<[string, JwtParts, RegExp]>([
    ['an issuer nobody trusts', { claims: { iss: 'https://evil.example' } }, /^issuer: https:\/\/evil/],
    ['this server as its issuer', { claims: { iss: issuer } }, /^issuer: /],
    ['the typ of an access token', { header: { typ: 'at+jwt' } }, /^type: .* received at\+jwt/],
    ['the typ of a client assertion', { header: { typ: 'client-authentication+jwt' } }, /^type: /],
    ['no signature of the issuer', { key: partner.privateKey }, /^signature: /],
    ['a foreign aud', { claims: { aud: 'https://elsewhere.example' } }, /^audience: /],
    ['the authorization endpoint as aud', { claims: { aud: `${issuer}/oauth2/authorize` } }, /^audience: /],
    ['an exp that has passed', { claims: { iat: 1_799_999_000, exp: 1_799_999_900 } }, /^expiry: expired at 1799999900/],
    ['no exp', { claims: { exp: undefined } }, /^expiry: /],
    ['a life of a day', { claims: { exp: 1_800_086_400 } }, /^lifetime: /],
    ['a time to come', { claims: { nbf: 1_800_000_030 } }, /^not_before: /],
    ['no sub', { claims: { sub: undefined } }, /^subject: sub must/],
    ['a sub nobody here has', { claims: { sub: 'u-mallory' } }, /^subject: nobody here/],
    ['no jti', { claims: { jti: undefined } }, /^jti: /],
    ["another client's client_id", { claims: { client_id: 'gateway' } }, /^client: /],
    ['a list as client_id', { claims: { client_id: ['agent'] } }, /^client: /],
    ['authorization_details', { claims: { authorization_details: [{ type: 'x' }] } }, /^authorization_details: /],
    ['a scope that is no string', { claims: { scope: ['api:read'] } }, /^scope: /],
    ['a scope with two spaces', { claims: { scope: 'api:read  api:write' } }, /^scope: /],
    ['an actor without a name', { claims: { act: {} } }, /^act: /],
    ['an actor that is a list', { claims: { act: [{ sub: 'x' }] } }, /^act: /],
    ['a may_act nobody understands', { claims: { may_act: { group: 'x' } } }, /^may_act: /],
    ['a key it is bound to that nobody can prove', { claims: { cnf: { jwk: {} } } }, /^cnf: bound to what/],
    ['an empty cnf', { claims: { cnf: {} } }, /^cnf: bound to what/],
    ['a cnf that is a list', { claims: { cnf: [] } }, /^cnf: bound to what/],
    ['a key it is bound to that is not proved', { claims: { cnf: { jkt: 'x' } } }, /^cnf: the request does not/],
    ['a certificate it is bound to', { claims: { cnf: { 'x5t#S256': 'x' } } }, /^cnf: the request does not/]
  ])('refuses an assertion with %s: one answer to all, the reason to the operator', async (_, parts, reason) => {
    const made = await assertionHarness()
    expect(await bear(made, await made.sign(parts))).toMatchObject(invalidAssertion)
    expect(lastReason(made)).toMatch(reason)
  })

  it.each([
    ['a word', 'assertion'],
    ['an opaque token', 'AAAA.BBBB'],
    ['five parts', 'a.b.c.d.e'],
    ['20000 characters', `e30.e30.${'A'.repeat(20_000)}`]
  ])('refuses %s as an assertion', async (_, assertion) => {
    const made = await assertionHarness()
    expect(await bear(made, assertion)).toMatchObject(invalidAssertion)
    expect(lastReason(made)).toMatch(/^format: /)
  })

  it('needs an assertion', async () => {
    const { app } = await assertionHarness()
    const missing = { status: 400, body: { error: 'invalid_request', error_description: 'assertion is missing' } }
    expect(await token(app, 'agent', { grant_type: bearerGrant })).toMatchObject(missing)
    expect(await token(app, 'agent', { grant_type: bearerGrant, assertion: '' })).toMatchObject(missing)
  })

  it('is for clients registered for it, and confidential', async () => {
    const made = await assertionHarness()
    for (const client_id of ['web', 'spa'])
      expect(await bear(made, await made.sign(), {}, client_id)).toMatchObject({ body: { error: 'unauthorized_client' } })
  })

  it('refuses every assertion where nobody is trusted', async () => {
    const made = await assertionHarness({ bearer: { trustedIssuers: [] } })
    expect(await bear(made, await made.sign())).toMatchObject(invalidAssertion)
  })
})

describe('the account', () => {
  it('is found by the application, which is told issuer, subject, claims and client', async () => {
    const asked: unknown[] = []
    const subject: JwtBearerOptions['subject'] = ({ iss, sub, claims }, client) => {
      asked.push([iss, sub, claims['email'], client.client_id])
      return Promise.resolve('bob')
    }
    const made = await assertionHarness({ bearer: { subject } })
    const jwt = await signAs(partner, issuer, made.clock.now / 1000, { claims: { email: 'b@example.com' } })
    const { access_token } = tokensOf(await bear(made, jwt))
    expect(asked).toEqual([[partner.issuer, 'u-alice', 'b@example.com', 'agent']])
    expect(await made.server.verifyAccessToken(access_token)).toMatchObject({ sub: 'bob' })
  })

  it.each([undefined, null, '', 7, {}, true])('that is %p is nobody', async found => {
    const made = await assertionHarness({ bearer: { subject: () => found as string } })
    expect(await bear(made, await made.sign())).toMatchObject(invalidAssertion)
  })

  it('that cannot be looked up is a fault of ours, and costs nothing', async () => {
    let down = true
    const subject = () => {
      if (down) throw new Error('ldap://10.0.0.7 hunter2')
      return 'bob'
    }
    const made = await assertionHarness({ bearer: { subject } })
    const assertion = await made.sign()
    const response = await bear(made, assertion)
    expect([response.status, response.text.includes('hunter2')]).toEqual([500, false])
    down = false
    expect((await bear(made, assertion)).status).toBe(200)
  })
})

describe('scope and resource', () => {
  it.each<[string, string | undefined, string | undefined, string | undefined]>([
    ['what the assertion allows of what was registered', 'api:read files:read unknown', undefined, 'api:read files:read'],
    ['what is asked for of that', 'api:read api:write', 'api:read', 'api:read'],
    ['nothing, where the assertion allows nothing', '', undefined, undefined]
  ])('grants %s', async (_, claim, scope, granted) => {
    const made = await assertionHarness()
    const response = await bear(made, await made.sign({ claims: { scope: claim } }), scope === undefined ? {} : { scope })
    expect([response.status, tokensOf(response).scope]).toEqual([200, granted])
  })

  it.each<[string, JwtParts['claims'], Form, string]>([
    ['beyond the assertion', { scope: 'api:read' }, { scope: 'api:read api:write' }, 'invalid_scope'],
    ['beyond the client', {}, { scope: 'email' }, 'invalid_scope'],
    ['nobody knows', {}, { scope: 'api:admin' }, 'invalid_scope'],
    ['malformed', {}, { scope: 'api:read  api:write' }, 'invalid_scope'],
    ['an unknown resource', {}, { resource: 'https://evil.example' }, 'invalid_target'],
    ['a resource the assertion is not for', { resource: api }, { resource: files }, 'invalid_target']
  ])('refuses to grant what is %s, and the assertion is still good', async (_, claims = {}, form, error) => {
    const made = await assertionHarness()
    const assertion = await made.sign({ claims })
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await bear(made, assertion, form)).toMatchObject({ status: 400, body: { error } })
    expect((await bear(made, assertion)).status).toBe(200)
  })

  it.each<[string, unknown, Form]>([
    ['for none of ours', 'https://elsewhere.example', {}],
    ['for none of ours, though one of ours is asked for', 'https://elsewhere.example', { resource: api }],
    ['for two, and none is asked for', [api, files], {}],
    ['for nothing', [], {}],
    ['for what is no string', [[api]], { resource: api }]
  ])('refuses an assertion whose resource is %s', async (_, resource, form) => {
    const made = await assertionHarness()
    const assertion = await made.sign({ claims: { resource } })
    expect(await bear(made, assertion, form)).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
  })

  it.each([
    ['the only one', api, {}, api],
    ['the one asked for', [files, api], { resource: files }, files],
    ['the one known here', ['https://x.example', api], {}, api]
  ])('is for %s the assertion names, and says so', async (_, resource, form, expected) => {
    const made = await assertionHarness()
    const body = (await bear(made, await made.sign({ claims: { resource } }), form)).body as { access_token: string }
    expect(body).toMatchObject({ resource: expected })
    expect(await made.server.verifyAccessToken(body.access_token)).toMatchObject({ aud: expected })
  })
})

describe('whatever an assertion claims', () => {
  it('is a token or an OAuth error, never a 500', async () => {
    const made = await assertionHarness()
    const names = ['client_id', 'scope', 'resource', 'act', 'may_act', 'cnf', 'auth_time', 'acr', 'amr', '__proto__', 'toString']
    const nested = fc.letrec(tie => ({
      act: fc.oneof(
        { maxDepth: 12 },
        fc.constant(undefined),
        fc.record({ sub: fc.oneof(fc.string(), fc.integer()), act: tie('act') })
      )
    })).act
    const value = fc.oneof(fc.jsonValue(), nested, fc.constantFrom<unknown>('agent', 'api:read', api, [api, files], { jkt: 'x' }))
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), value), async claims => {
        const response = await bear(made, await made.sign({ claims }))
        expect([200, 400]).toContain(response.status)
        if (response.status === 400) expect((response.body as { error: string }).error).toMatch(/^invalid_(grant|scope|target)$/)
      }),
      { numRuns: 100 }
    )
  })
})

describe('options', () => {
  it.each<[string, unknown]>([
    ['subject', { trustedIssuers: [] }],
    ['subject', { trustedIssuers: [], subject: 'sub' }],
    ['trustedIssuers', { subject: knownHere }],
    ['trustedIssuers[0].jwks', { subject: knownHere, trustedIssuers: [{ issuer: 'https://idp.example' }] }],
    ['fetchJson', { subject: knownHere, trustedIssuers: [], fetchJson: {} }],
    ['issuers', { subject: knownHere, trustedIssuers: [], issuers: [] }]
  ])('name what is wrong: %s', (key, options) => {
    expect(() => jwtBearer(options as JwtBearerOptions)).toThrow(expect.objectContaining({ name: 'ConfigurationError', key }))
  })
})
