/** Whoever is nobody here any more, a person or a client, is dead to every grant and token that is out. */
import { describe, expect, it } from '@jest/globals'
import { api, files, redeemed, token } from '../support/servers/authorization-server.ts'
import { bearerGrant, exchange, exchangeGrant, idp, tokenType, tokensOf } from '../support/servers/assertion-grants.ts'
import { asked as askedOver, poll } from '../support/servers/backchannel.ts'
import { issuer } from '../support/servers/authorization-server.ts'
import { signAs } from '../support/servers/trusted-issuer.ts'
import { dead, good, life, scope, tickets, verdicts } from '../support/servers/grant-life.ts'

const invalidGrant = { status: 400, body: { error: 'invalid_grant' } }
const unavailable = { status: 503, body: { error: 'temporarily_unavailable' } }

describe('a person who is gone', () => {
  it.each(Object.entries(tickets))('makes %s invalid_grant, and it was good before', async (name, ticket) => {
    const staying = await life()
    expect(await (await ticket(staying))()).toMatchObject({ status: 200 })
    const leaving = await life()
    const use = await ticket(leaving)
    leaving.people.delete('alice')
    expect(await use()).toMatchObject(invalidGrant)
    // nothing began for them
    expect(await leaving.server.grants('alice')).toHaveLength(name === 'a refresh token' ? 1 : 0)
  })

  it('makes a CIBA request invalid_grant that nobody decided yet', async () => {
    const made = await life()
    const { auth_req_id } = await askedOver(made.app, { scope, login_hint: 'alice' })
    expect(await poll(made.app, auth_req_id)).toMatchObject({ body: { error: 'authorization_pending' } })
    made.people.delete('alice')
    expect(await poll(made.app, auth_req_id)).toMatchObject(invalidGrant)
  })

  it('uses nothing up: whoever comes back finds the refresh token as it was', async () => {
    const made = await life({ refreshRetryWindow: 0 })
    const use = await (tickets['a refresh token'] ?? missing)(made)
    made.people.delete('alice')
    for (let times = 0; times < 3; times++) expect(await use()).toMatchObject(invalidGrant)
    made.people.add('alice')
    expect(await use()).toMatchObject({ status: 200 })
  })

  it.each([
    ['opaque', { scope: 'openid api:read files:read' }],
    ['JWT', { scope: 'openid api:read', resource: api }],
    ['opaque, for a resource', { scope: 'openid files:read', resource: files }]
  ])('makes every access token dead (%s)', async (_, request) => {
    const made = await life()
    const { access_token } = await redeemed(made.app, 'web', request)
    const before = await verdicts(made, access_token)
    expect(before).toEqual({ ...good, userinfo: 'resource' in request ? '401 invalid_token' : 'good' })
    made.people.delete('alice')
    expect(await verdicts(made, access_token)).toEqual(dead)
  })

  it('ends what was exchanged, a refresh token and an ID Token to be exchanged, and an actor', async () => {
    const made = await life()
    const { access_token, refresh_token, id_token } = await redeemed(made.app, 'web', { scope })
    const exchanged = tokensOf(await exchange(made, access_token)).access_token
    const bobs = await life({ store: made.store })
    bobs.person.account = { sub: 'bob', auth_time: 1_799_999_000 }
    const other = await redeemed(bobs.app, 'web', { scope: 'openid api:read' })
    const acting = { actor_token: access_token, actor_token_type: tokenType('access_token') }
    const own = (type: string, presented: string) => exchange(made, presented, { subject_token_type: tokenType(type) }, 'web')
    for (const response of [
      await own('refresh_token', refresh_token),
      await own('id_token', id_token),
      await exchange(made, other.access_token, acting)
    ])
      expect(response).toMatchObject({ status: 200 })
    made.people.delete('alice')
    expect(await verdicts(made, exchanged, 'gateway')).toEqual(dead)
    for (const response of [
      await own('refresh_token', refresh_token),
      await own('id_token', id_token),
      await exchange(made, other.access_token, acting)
    ])
      expect(response).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    expect(await token(made.app, 'web', { token: refresh_token }, '/oauth2/introspect')).toMatchObject({
      body: { active: false }
    })
  })

  it("is invalid_request where a trusted issuer's JWT about them is exchanged", async () => {
    const made = await life()
    made.people.delete('alice')
    const jwt = await signAs(idp, issuer, made.clock.now / 1000)
    const form = { grant_type: exchangeGrant, subject_token: jwt, subject_token_type: tokenType('jwt') }
    expect(await token(made.app, 'web', form)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    const assertion = await signAs(idp, issuer, made.clock.now / 1000)
    expect(await token(made.app, 'web', { grant_type: bearerGrant, assertion })).toMatchObject(invalidGrant)
    // nothing was used up
    made.people.add('alice')
    expect(await token(made.app, 'web', { grant_type: bearerGrant, assertion })).toMatchObject({ status: 200 })
  })
})

describe('the question whether somebody is still there', () => {
  it.each(Object.entries(tickets))('is asked once for %s', async (_, ticket) => {
    const made = await life()
    const use = await ticket(made)
    made.asked.length = 0
    expect(await use()).toMatchObject({ status: 200 })
    expect(made.asked).toEqual(['alice'])
  })

  it('is asked once for a token that is looked at, and never about a client', async () => {
    const made = await life()
    const { access_token } = await redeemed(made.app, 'web', { scope })
    made.asked.length = 0
    await verdicts(made, access_token)
    expect(made.asked).toEqual(Array(5).fill('alice'))
    made.asked.length = 0
    const { body } = await token(made.app, 'web', { grant_type: 'client_credentials', scope: 'api:read' })
    expect(await verdicts(made, tokensOf({ body }).access_token)).toEqual({ ...good, userinfo: '401 invalid_token' })
    expect(made.asked).toEqual([])
  })

  it.each([
    ['true', true, 200],
    ['an account', { sub: 'alice' }, 200],
    ['a promise of one', Promise.resolve({}), 200],
    ['false', false, 400],
    ['undefined', undefined, 400],
    ['null', null, 400],
    ['no rows', [], 400],
    ['a number', 1, 400],
    ['a word', 'alice', 400],
    ['a promise of nothing', Promise.resolve(undefined), 400]
  ])('has %s for an answer', async (_, answer, status) => {
    const made = await life({ account: () => answer as boolean })
    const use = await (tickets['a code'] ?? missing)(made)
    expect((await use()).status).toBe(status)
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('connection to 10.0.0.7 with hunter2'))],
    [
      'throws',
      () => {
        throw new Error('connection to 10.0.0.7 with hunter2')
      }
    ]
  ])('is a reason to come back later where it %s: no token, and none believed', async (_, account) => {
    const made = await life()
    const { access_token, refresh_token } = await redeemed(made.app, 'web', { scope })
    const broken = await life({ store: made.store, account })
    const form = { grant_type: 'refresh_token', refresh_token }
    const refused = await token(broken.app, 'web', form)
    expect(refused).toMatchObject(unavailable)
    expect(refused.text).not.toContain('hunter2')
    expect(await verdictsOf(broken, access_token)).toEqual(['503', '503', '503', '503'])
    expect(await token(made.app, 'web', form)).toMatchObject({ status: 200 })
  })

  it.each([1, 'alice', {}, null])('must be a function, not %j', async account => {
    await expect(life({ account: account as never })).rejects.toThrow(/^account must be a function/)
  })
})

describe('a client that is gone', () => {
  it.each([
    ['opaque', { scope: 'openid api:read files:read' }],
    ['JWT', { scope: 'openid api:read', resource: api }]
  ])('leaves no access token alive (%s)', async (_, request) => {
    const made = await life()
    const { access_token } = await redeemed(made.app, 'web', request)
    const { body } = await token(made.app, 'web', { ...request, grant_type: 'client_credentials', scope: 'api:read' })
    const ownTokens = [access_token, tokensOf({ body }).access_token]
    made.clients.delete('web')
    for (const presented of ownTokens) expect(await verdicts(made, presented, 'api-backend')).toEqual(dead)
  })

  it('cannot use a ticket, and nobody else can', async () => {
    for (const ticket of Object.values(tickets)) {
      const made = await life()
      const use = await ticket(made)
      made.clients.delete('web')
      expect(await use()).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    }
  })

  it('ends what was exchanged for its own token by another', async () => {
    const made = await life()
    const { body } = await token(made.app, 'web', { grant_type: 'client_credentials', scope: 'api:read' })
    const exchanged = tokensOf(await exchange(made, tokensOf({ body }).access_token)).access_token
    expect(await verdicts(made, exchanged, 'gateway')).toEqual({ ...good, userinfo: '401 invalid_token' })
    made.clients.delete('web')
    expect(await verdicts(made, exchanged, 'gateway')).toEqual(dead)
  })

  it('is not decided by a client source that does not answer: 503, and no token believed', async () => {
    const made = await life()
    const { access_token } = await redeemed(made.app, 'web', { scope })
    const broken = await life({
      store: made.store,
      clients: id => (id === 'web' ? Promise.reject(new Error('hunter2')) : made.clients.get(id))
    })
    expect((await verdictsOf(broken, access_token)).slice(0, 2)).toEqual(['503', '503'])
  })
})

const missing = (): never => {
  throw new Error('no such ticket')
}

async function verdictsOf(made: Awaited<ReturnType<typeof life>>, access_token: string): Promise<string[]> {
  const {
    userinfo,
    api: atApi,
    exchanged
  } = await verdicts(
    { ...made, server: { ...made.server, verifyAccessToken: () => Promise.resolve(undefined) } as never },
    access_token
  )
  const introspected = await token(made.app, 'gateway', { token: access_token }, '/oauth2/introspect')
  return [userinfo ?? '', atApi ?? '', exchanged ?? '', String(introspected.status)].map(said => said.slice(0, 3))
}
