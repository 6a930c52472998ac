import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { ciba, deviceCode, jwtBearer, memoryStore } from '../../lib/index.ts'
import {
  assertionHarness,
  bear,
  bearerGrant,
  exchange,
  idp,
  invalidAssertion,
  lastReason,
  partner,
  tokensOf
} from '../support/servers/assertion-grants.ts'
import { alice, api, breakableStore, issuer, listening } from '../support/servers/authorization-server.ts'
import { attestedServer, outcome, phone } from '../support/servers/attested.ts'
import { makeDpopKey, prove, type DpopKey } from '../support/clients/dpop.ts'
import { fiftyTimes } from '../support/clients/fifty.ts'
import { signAs } from '../support/servers/trusted-issuer.ts'
import { actions, signers } from '../support/servers/workloads.ts'

const tokenEndpoint = `${issuer}/oauth2/token`

describe('replay', () => {
  it('is refused, to another client too, and the first token goes on', async () => {
    const made = await assertionHarness()
    const assertion = await made.sign()
    const { access_token } = tokensOf(await bear(made, assertion))
    for (const client_id of ['agent', 'gateway', 'reader'])
      expect(await bear(made, assertion, {}, client_id)).toMatchObject(invalidAssertion)
    expect(lastReason(made)).toMatch(/^replay: /)
    expect(await made.server.verifyAccessToken(access_token)).toBeDefined()
  })

  it('is refused until the assertion expires, in tolerance and all', async () => {
    const made = await assertionHarness()
    const assertion = await made.sign()
    await bear(made, assertion)
    for (let second = 0; second < 80; second += 5) {
      made.clock.now += 5000
      expect(await bear(made, assertion)).toMatchObject(invalidAssertion)
    }
  })

  it('is not what a second assertion with the same jti of another issuer is', async () => {
    const made = await assertionHarness()
    const claims = { jti: 'same' }
    expect((await bear(made, await made.sign({ claims }))).status).toBe(200)
    const others = await signAs(partner, issuer, made.clock.now / 1000, { claims })
    expect((await bear(made, others)).status).toBe(200)
    expect(await bear(made, await made.sign({ claims }))).toMatchObject(invalidAssertion)
  })

  it('is allowed where the rule for the issuer says so', async () => {
    const rule = { issuer: idp.issuer, jwks: { keys: [idp.jwk] }, replay: 'allow' as const }
    const made = await assertionHarness({ bearer: { trustedIssuers: [rule] } })
    const assertion = await made.sign({ claims: { jti: undefined } })
    const [first, second] = [tokensOf(await bear(made, assertion)), tokensOf(await bear(made, assertion))]
    expect(new Set([first.access_token, second.access_token]).size).toBe(2)
  })

  it.each([
    ['opaque', {}],
    ['JWT', { resource: api }]
  ])('fifty at once: one gets a token (%s), and it works', async (_, more) => {
    const made = await assertionHarness()
    const form = { grant_type: bearerGrant, assertion: await made.sign(), ...more }
    const answers = await listening(made.app, address => fiftyTimes(address, 'agent', form))
    const good = answers.filter(({ status }) => status === 200)
    expect(good).toHaveLength(1)
    const refusals = answers.filter(({ status }) => status !== 200).map(({ status, body }) => `${status} ${String(body.error)}`)
    expect(new Set(refusals)).toEqual(new Set(['400 invalid_grant']))
    expect(await made.server.verifyAccessToken(String(good[0]?.body.access_token))).toMatchObject({ sub: alice.sub })
  })

  it('cannot be ruled out by a store that fails: 503, and no token', async () => {
    const { store, broken } = breakableStore(memoryStore({ clock: () => 1_800_000_000_000 }))
    const made = await assertionHarness({ server: { store } })
    broken.set('add', 'rejects')
    const assertion = await made.sign()
    expect(await bear(made, assertion)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
    broken.clear()
    expect((await bear(made, assertion)).status).toBe(200)
  })

  it('leaves nothing of the assertion in the store', async () => {
    const behind = memoryStore({ clock: () => 1_800_000_000_000 })
    const written: string[] = []
    const store = new Proxy(behind, {
      get:
        (target, name: keyof typeof behind) =>
        (...given: unknown[]): unknown => {
          written.push(JSON.stringify(given))
          return Reflect.apply(Reflect.get(target, name), target, given)
        }
    })
    const made = await assertionHarness({ server: { store } })
    const assertion = await made.sign({ claims: { jti: 'the-jti-itself' } })
    const { access_token } = tokensOf(await bear(made, assertion))
    expect(written.length).toBeGreaterThan(2)
    for (const secret of ['the-jti-itself', access_token, ...assertion.split('.')]) expect(written.join()).not.toContain(secret)
  })
})

describe('a sender-constrained assertion', () => {
  it('is good for whoever proves the key it names, and so is the token', async () => {
    const made = await assertionHarness()
    const [key, stranger] = [await makeDpopKey(), await makeDpopKey()]
    const assertion = await made.sign({ claims: { cnf: { jkt: key.jkt } } })
    const proofBy = (signer: DpopKey) => prove(signer, 'POST', tokenEndpoint, made.clock.now)
    expect(await bear(made, assertion).set('DPoP', await proofBy(stranger))).toMatchObject(invalidAssertion)
    const response = await bear(made, assertion).set('DPoP', await proofBy(key))
    expect(response.body).toMatchObject({ token_type: 'DPoP' })
    expect(await made.server.verifyAccessToken(tokensOf(response).access_token)).toMatchObject({ cnf: { jkt: key.jkt } })
  })
})

describe('an ID-JAG', () => {
  const header = { typ: 'oauth-id-jag+jwt' }
  const good = { client_id: 'agent', auth_time: 1_799_999_000, acr: 'urn:acr:mfa', amr: ['mfa', 'hwk'], scope: 'api:read' }

  it('is taken, with how the person signed in and who acts for them', async () => {
    const made = await assertionHarness()
    const act = { sub: 'bot', act: { iss: 'https://third.example', sub: 'planner', exp: 1 }, name: 'Bot' }
    const response = await bear(made, await made.sign({ header, claims: { ...good, act } }), { resource: api })
    expect(decodeJwt(tokensOf(response).access_token)).toMatchObject({
      sub: alice.sub,
      scope: 'api:read',
      auth_time: 1_799_999_000,
      acr: 'urn:acr:mfa',
      amr: ['mfa', 'hwk']
    })
    // the names are the other issuer's, and say so; what is not a name is left out
    expect(decodeJwt(tokensOf(response).access_token)['act']).toEqual({
      iss: idp.issuer,
      sub: 'bot',
      act: { iss: 'https://third.example', sub: 'planner' }
    })
  })

  it('says who alone may act by exchanging the token, and the token says so too', async () => {
    const made = await assertionHarness()
    const claims = { ...good, may_act: { sub: 'bot' } }
    const { access_token } = tokensOf(await bear(made, await made.sign({ header, claims })))
    expect(await made.server.verifyAccessToken(access_token)).toMatchObject({ may_act: { iss: idp.issuer, sub: 'bot' } })
    const refused = await exchange(made, access_token)
    expect([refused.status, lastReason(made)]).toEqual([400, expect.stringMatching(/^may_act: /)])
  })

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['no client_id', { client_id: undefined }, /^client: /],
    ["another client's client_id", { client_id: 'gateway' }, /^client: /],
    ['the token endpoint as aud', { aud: tokenEndpoint }, /^audience: an ID-JAG/],
    ['several audiences', { aud: [issuer, 'https://elsewhere.example'] }, /^audience: an ID-JAG/],
    ['the same audience twice', { aud: [issuer, issuer] }, /^audience: an ID-JAG/],
    ['a resource of another server', { resource: 'https://elsewhere.example' }, /^resource: /],
    ['no resource in its list', { resource: [] }, /^resource: /],
    ['no iat', { iat: undefined }, /^issued_at: /],
    ['no jti', { jti: undefined }, /^jti: /]
  ])('is refused with %s', async (_, claims, reason) => {
    const rule = { issuer: idp.issuer, jwks: { keys: [idp.jwk] }, replay: 'allow' as const }
    const made = await assertionHarness({ bearer: { trustedIssuers: [rule] } })
    expect(await bear(made, await made.sign({ header, claims: { ...good, ...claims } }))).toMatchObject(invalidAssertion)
    expect(lastReason(made)).toMatch(reason)
  })

  it('may name the issuer in a list of one', async () => {
    const made = await assertionHarness()
    expect((await bear(made, await made.sign({ header, claims: { ...good, aud: [issuer] } }))).status).toBe(200)
  })

  it('says nothing of sign-in where it says it wrongly', async () => {
    const made = await assertionHarness()
    const claims = { ...good, auth_time: 'yesterday', acr: 7, amr: ['pwd', 7] }
    const body = tokensOf(await bear(made, await made.sign({ header, claims }), { resource: api }))
    for (const absent of ['auth_time', 'acr', 'amr']) expect(decodeJwt(body.access_token)).not.toHaveProperty(absent)
  })
})

describe('beside the grant without a client', () => {
  it('is still that of a client which names itself in a header alone', async () => {
    const grant_type = bearerGrant
    const trusted = [{ issuer: idp.issuer, jwks: { keys: [idp.jwk] } }]
    const { post, decisions, clock } = await attestedServer(
      {},
      {
        clients: [{ client_id: 'wallet', token_endpoint_auth_method: 'attest_jwt_client_auth', grant_types: [grant_type] }],
        workloads: { issuers: [{ issuer: actions.issuer, jwks: { keys: [actions.jwk] } }] },
        tokenIssuers: [deviceCode(), ciba(), jwtBearer({ trustedIssuers: trusted, subject: ({ sub }) => sub, workloads: true })]
      }
    )
    const assertion = await signAs(idp, issuer, clock.now / 1000, { claims: { sub: alice.sub } })
    expect(outcome(await post(phone, { grant_type, assertion }))).toBe('200')
    expect(decisions).toMatchObject([{ client_id: 'wallet', method: 'attest_jwt_client_auth', outcome: 'authenticated' }])
    const token = await signers(() => clock.now / 1000).actionsToken()
    expect(outcome(await post(phone, { grant_type, assertion: token }))).toBe('400 invalid_grant')
    expect(decisions.at(-1)).toMatchObject({ client_id: 'wallet', outcome: 'authenticated' })
  })
})
