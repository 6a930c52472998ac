import { beforeEach, describe, expect, it } from '@jest/globals'
import {
  assertionHarness,
  exchange,
  idp,
  lastReason,
  partner,
  tokensOf,
  tokenType,
  type AssertionHarness
} from '../support/servers/assertion-grants.ts'
import { alice, api, files, issuer, redeemed, token, type Form } from '../support/servers/authorization-server.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'
import { signAs } from '../support/servers/trusted-issuer.ts'

const asJwt = { subject_token_type: tokenType('jwt') }
const invalidActor = { status: 400, body: { error: 'invalid_request', error_description: 'this actor_token is not valid' } }
const notAllowed = { status: 400, body: { error: 'invalid_request', error_description: 'this exchange is not allowed' } }

let made: AssertionHarness
let subject: string

beforeEach(async () => {
  made = await assertionHarness()
  made.verdict.now = { allow: 'delegation' }
  subject = (await redeemed(made.app, 'web', { scope: 'openid api:read files:read' })).access_token
})

const actor = (actor_token: string, type = 'access_token'): Form => ({ actor_token, actor_token_type: tokenType(type) })
/** What a client gets for itself. */
const ownToken = async (client_id: string, more: Form = {}) =>
  tokensOf(await token(made.app, client_id, { grant_type: 'client_credentials', ...more })).access_token
/** Who acts, according to the token an exchange gave. */
const actorsOf = async (response: { body: unknown }) =>
  (await made.server.verifyAccessToken(tokensOf(response).access_token))?.act
const byPartner = (sub: string, claims = {}) => signAs(partner, issuer, made.clock.now / 1000, { claims: { sub, ...claims } })

describe('delegation', () => {
  it.each([
    ['JWT', api],
    ['opaque', files]
  ])('names the client, where nobody else is said to act (%s)', async (_, resource) => {
    expect(await actorsOf(await exchange(made, subject, { resource }))).toEqual({ sub: 'gateway' })
    expect(made.asked[0]?.actor).toBeUndefined()
  })

  it("names whom the actor token is about: this server's, or another issuer's", async () => {
    const own = await exchange(made, subject, actor(await ownToken('agent')))
    expect(await actorsOf(own)).toEqual({ sub: 'agent' })
    expect(made.asked[0]?.actor).toMatchObject({ type: 'access_token', client_id: 'agent', sub: 'agent' })
    const person = await exchange(made, subject, actor((await redeemed(made.app, 'gateway')).id_token, 'id_token'))
    expect(await actorsOf(person)).toEqual({ sub: alice.sub })
    const foreign = await exchange(made, subject, actor(await byPartner('bot'), 'jwt'))
    expect(await actorsOf(foreign)).toEqual({ iss: partner.issuer, sub: 'bot' })
  })

  it('puts the last actor outside and the first inside, each once', async () => {
    const first = tokensOf(await exchange(made, subject))
    const second = tokensOf(await exchange(made, first.access_token, {}, 'agent'))
    const third = await exchange(made, second.access_token, actor(await byPartner('bot'), 'jwt'))
    const chain = { iss: partner.issuer, sub: 'bot', act: { sub: 'agent', act: { sub: 'gateway' } } }
    expect(await actorsOf(third)).toEqual(chain)
    // the same actor again is no further actor
    const again = await exchange(made, second.access_token, {}, 'agent')
    expect(await actorsOf(again)).toEqual({ sub: 'agent', act: { sub: 'gateway' } })
    expect(made.asked.at(-1)?.subject.act).toEqual({ sub: 'agent', act: { sub: 'gateway' } })
  })

  it('of another domain goes on here, under the names of that domain', async () => {
    const act = { sub: 'gateway', act: { sub: 'planner' } }
    const response = await exchange(made, await made.sign({ claims: { act } }), asJwt)
    const theirs = { iss: idp.issuer, sub: 'gateway', act: { iss: idp.issuer, sub: 'planner' } }
    // a gateway of theirs is not ours
    expect(await actorsOf(response)).toEqual({ sub: 'gateway', act: theirs })
  })

  it('ends where too many have acted', async () => {
    let token = subject
    for (let index = 0; index < 8; index++) {
      const response = await exchange(made, token, actor(await byPartner(`bot ${index}`), 'jwt'))
      expect(response.status).toBe(200)
      token = tokensOf(response).access_token
    }
    expect(await exchange(made, token, actor(await byPartner('one more'), 'jwt'))).toMatchObject(notAllowed)
    expect(lastReason(made)).toMatch(/^act: too many/)
  })

  it('is not lost by impersonation', async () => {
    const delegated = tokensOf(await exchange(made, subject)).access_token
    made.verdict.now = { allow: 'impersonation' }
    expect(await actorsOf(await exchange(made, delegated, {}, 'agent'))).toEqual({ sub: 'gateway' })
    expect(await actorsOf(await exchange(made, subject, actor(await ownToken('agent'))))).toBeUndefined()
  })
})

describe('an actor token', () => {
  it('is as good as a subject token has to be', async () => {
    const expired = await ownToken('agent', { resource: files })
    const web = await redeemed(made.app, 'web')
    const foreign = { claims: { aud: 'https://elsewhere.example' } }
    const bad: [string, string][] = [
      ['nonsense', 'access_token'],
      ['e30.e30.AAAA', 'jwt'],
      [web.id_token, 'id_token'],
      [web.id_token, 'access_token'],
      [await made.sign(foreign), 'jwt'],
      [await made.sign(), 'access_token'],
      [await made.sign({ claims: { jti: undefined } }), 'jwt'],
      [expired, 'access_token']
    ]
    made.clock.now += 120_000
    const fresh = (await redeemed(made.app, 'web', { scope: 'api:read' })).access_token
    for (const [token, type] of bad) expect(await exchange(made, fresh, actor(token, type))).toMatchObject(invalidActor)
    expect(made.asked).toEqual([])
  })

  it('is not one that somebody acts for', async () => {
    const delegated = tokensOf(await exchange(made, subject)).access_token
    expect(await exchange(made, subject, actor(delegated))).toMatchObject(invalidActor)
    const foreign = await byPartner('bot', { act: { sub: 'another' } })
    expect(await exchange(made, subject, actor(foreign, 'jwt'))).toMatchObject(invalidActor)
    expect(lastReason(made)).toMatch(/^act: /)
  })

  it('of another issuer is used once, after everything else', async () => {
    const jwt = await byPartner('bot')
    expect((await exchange(made, subject, { ...actor(jwt, 'jwt'), resource: 'https://evil.example' })).status).toBe(400)
    expect((await exchange(made, subject, actor(jwt, 'jwt'))).status).toBe(200)
    expect(await exchange(made, subject, actor(jwt, 'jwt'))).toMatchObject(invalidActor)
    const both = await made.sign()
    expect(await exchange(made, both, { ...asJwt, ...actor(both, 'jwt') })).toMatchObject(invalidActor)
  })

  it('that is bound to a key needs that key', async () => {
    const key = await makeDpopKey()
    const prover = () => prove(key, 'POST', `${issuer}/oauth2/token`, made.clock.now)
    const bound = tokensOf(await token(made.app, 'agent', { grant_type: 'client_credentials' }).set('DPoP', await prover()))
    expect(await exchange(made, subject, actor(bound.access_token))).toMatchObject(invalidActor)
    expect((await exchange(made, subject, actor(bound.access_token)).set('DPoP', await prover())).status).toBe(200)
  })
})

describe('may_act', () => {
  const allowing = (may_act: object) => made.sign({ claims: { may_act } })

  it.each<[string, object, string | undefined]>([
    ['the client by its client_id', { client_id: 'gateway' }, undefined],
    ['the client by name, of this server', { iss: issuer, sub: 'gateway' }, undefined],
    ['a party of the other issuer', { iss: partner.issuer, sub: 'bot' }, 'bot'],
    ['that party through this client', { iss: partner.issuer, sub: 'bot', client_id: 'gateway' }, 'bot']
  ])('lets %s act', async (_, may_act, bot) => {
    const form = { ...asJwt, ...(bot !== undefined && actor(await byPartner(bot), 'jwt')) }
    for (const allow of ['delegation', 'impersonation'] as const) {
      made.verdict.now = { allow }
      const again = bot === undefined ? {} : actor(await byPartner(bot), 'jwt')
      expect((await exchange(made, await allowing(may_act), { ...form, ...again })).status).toBe(200)
    }
  })

  it.each<[string, object, string | undefined]>([
    ['another client', { client_id: 'agent' }, undefined],
    ['a name of the issuer that said it, which is not ours', { sub: 'gateway' }, undefined],
    ['an actor that was not presented', { iss: partner.issuer, sub: 'bot' }, undefined],
    ['another actor', { iss: partner.issuer, sub: 'bot' }, 'cat'],
    ['the same name of another issuer', { iss: idp.issuer, sub: 'bot' }, 'bot'],
    ['that actor through another client', { iss: partner.issuer, sub: 'bot', client_id: 'agent' }, 'bot'],
    ['the client, where somebody else would act through it', { iss: issuer, sub: 'gateway' }, 'bot']
  ])('for %s is a no, whatever the policy says', async (_, may_act, bot) => {
    const form = { ...asJwt, ...(bot !== undefined && actor(await byPartner(bot), 'jwt')) }
    for (const allow of ['delegation', 'impersonation'] as const) {
      made.verdict.now = { allow }
      expect(await exchange(made, await allowing(may_act), form)).toMatchObject(notAllowed)
      expect(lastReason(made)).toMatch(/^may_act: /)
    }
    expect(made.asked).toEqual([])
  })

  it.each([
    ['JWT', api],
    ['opaque', files]
  ])('goes along with what was exchanged (%s)', async (_, resource) => {
    const first = tokensOf(await exchange(made, await allowing({ client_id: 'gateway' }), { ...asJwt, resource })).access_token
    expect((await made.server.verifyAccessToken(first))?.may_act).toEqual({ client_id: 'gateway' })
    expect(await exchange(made, first, {}, 'agent')).toMatchObject(notAllowed)
    expect((await exchange(made, first)).status).toBe(200)
  })
})
