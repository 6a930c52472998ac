/** Logout with the library's own pages, and what the application says. */
import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import request from 'supertest'
import { memoryStore, type Account, type ClientMetadata, type LogoutOptions, type ServerEvent } from '../../../lib/index.ts'
import { busyStore } from '../../support/servers/busy-store.ts'
import {
  authorize,
  clients,
  harness,
  issuer,
  redeemed,
  redirected,
  token,
  userinfo
} from '../../support/servers/authorization-server.ts'

const after = 'com.example.app:/bye'
const sector = { subject_type: 'pairwise' } as const

async function withLogout(options: Partial<LogoutOptions> = {}, more: object = {}) {
  const [web, ...others] = clients as readonly [ClientMetadata, ...ClientMetadata[]]
  const sent: { url: string; claims: ReturnType<typeof decodeJwt> & { sid?: string } }[] = []
  const events: ServerEvent[] = []
  const logout: LogoutOptions = {
    signOut: () => void (made.person.account = undefined),
    postJson: (url, { body }) => {
      sent.push({ url, claims: decodeJwt((body as URLSearchParams).get('logout_token') ?? '') })
      return Promise.resolve(200)
    },
    ...options
  }
  const made = await harness({
    clients: [
      {
        ...web,
        client_name: '<b>Web</b>',
        post_logout_redirect_uris: [after],
        backchannel_logout_uri: 'https://web.example/out'
      },
      ...others.map(client =>
        client.client_id === 'other'
          ? {
              ...client,
              ...sector,
              backchannel_logout_uri: 'https://other.example/out',
              backchannel_logout_session_required: true
            }
          : client
      )
    ],
    pairwiseSecret: 'x'.repeat(32),
    refreshTokens: 'registered',
    logout,
    onEvent: event => events.push(event),
    ...more
  })
  const account = (sid?: string): Account => ({ sub: 'alice', auth_time: made.clock.now / 1000 - 100, ...(sid && { sid }) })
  made.person.account = account('s1')
  const told = async (count: number) => {
    for (let times = 0; times < 100 && sent.length < count; times++) await new Promise(resolve => setTimeout(resolve, 10))
    return sent
  }
  return { ...made, account, sent, told, events }
}

const end = (app: Parameters<typeof request>[0], query: Record<string, string> = {}) =>
  request(app).get(`/oauth2/end_session?${new URLSearchParams(query).toString()}`)
const hidden = (text: string, name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(text)?.[1] ?? ''

describe('the page where the application brings none', () => {
  it('asks, in words that cannot be markup, and takes the answer of this browser alone', async () => {
    const { app, person } = await withLogout()
    const page = await end(app, { client_id: 'web', post_logout_redirect_uri: after, state: 's' })
    expect(page.text).toContain('&lt;b&gt;Web&lt;/b&gt;')
    expect(page.headers).toMatchObject({ 'cache-control': 'no-store', 'x-frame-options': 'DENY' })
    const [cookie = ''] = page.get('Set-Cookie') ?? []
    expect(cookie).toMatch(/; Path=\/oauth2\/end_session; HttpOnly; SameSite=Strict; Secure$/)
    const form = { logout: hidden(page.text, 'logout'), _csrf: hidden(page.text, '_csrf') }
    const send = (fields: object, sentCookie = cookie.split(';')[0] ?? '') =>
      request(app).post('/oauth2/end_session').set('Cookie', sentCookie).type('form').send(fields)
    for (const [fields, sentCookie] of [
      [{ ...form, decision: 'allow' }, ''],
      [{ ...form, decision: 'allow' }, 'clientele-logout=AAAAAAAAAAAAAAAAAAAAAA'],
      [{ ...form, decision: 'allow', _csrf: '' }, undefined],
      [{ ...form, decision: 'allow', _csrf: 'AAAA' }, undefined],
      [{ ...form, decision: 'allow', logout: 'another' }, undefined]
    ] as const)
      expect((await send(fields, sentCookie)).status).toBe(400)
    expect(person.account).toBeDefined()
    const kept = await send({ ...form, decision: 'deny' })
    expect([kept.status, kept.text, person.account?.sid]).toEqual([200, expect.stringContaining('still signed in'), 's1'])
    const gone = await send({ ...form, decision: 'allow' })
    expect([gone.status, gone.headers['location'], person.account]).toEqual([303, `${after}?state=s`, undefined])
  })

  it('ends on one that says so', async () => {
    const { app } = await withLogout()
    const { id_token } = await redeemed(app)
    const page = await end(app, { id_token_hint: id_token })
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('You are signed out')])
  })
})

describe('hints', () => {
  it('are good when they have expired, and for pairwise clients', async () => {
    const { app, person, clock } = await withLogout()
    const { id_token } = await redeemed(app, 'other')
    expect(decodeJwt(id_token)).toMatchObject({ sid: 's1', sub: expect.not.stringMatching('alice') })
    clock.now += 86_400_000
    expect((await end(app, { id_token_hint: id_token })).text).toContain('You are signed out')
    expect(person.account).toBeUndefined()
  })

  it('of a client that is gone, or of no client, are wrong', async () => {
    const { app, server } = await withLogout()
    const { id_token } = await redeemed(app)
    const { app: elsewhere } = await withLogout({}, { clients: clients.slice(1) })
    expect(server).toBeDefined()
    expect((await end(elsewhere, { id_token_hint: id_token })).status).toBe(400)
  })
})

describe('the end of a session', () => {
  it('reaches its clients, by the names they know the person by, and its refresh tokens', async () => {
    const made = await withLogout()
    const { app, server, events } = made
    const web = await redeemed(app, 'web', { scope: 'openid api:read' })
    const away = await redeemed(app, 'web')
    const other = await redeemed(app, 'other', { scope: 'openid api:read' })
    const elsewhere = { ...made, person: made.person }
    elsewhere.person.account = made.account('s2')
    const second = await redeemed(app, 'web', { scope: 'openid api:read' })
    await server.logout.everywhere({ sid: 's1' })
    const sent = await made.told(2)
    expect(sent.map(({ url, claims }) => [url, claims.sid, claims.sub]).sort()).toEqual([
      ['https://other.example/out', 's1', decodeJwt(other.id_token).sub],
      ['https://web.example/out', 's1', 'alice']
    ])
    const refresh = async ({ refresh_token }: { refresh_token: string }, client_id = 'web') =>
      (await token(app, client_id, { grant_type: 'refresh_token', refresh_token })).status
    expect(await Promise.all([refresh(web), refresh(away), refresh(other, 'other'), refresh(second)])).toEqual([
      400, 200, 400, 200
    ])
    expect((await userinfo(app, web.access_token)).status).toBe(401)
    expect(events.filter(({ type }) => type === 'session.ended')).toEqual([
      expect.objectContaining({ sid: 's1', sub: 'alice', clients: 2, grants: 2 })
    ])
  })

  it('comes before a code that was under way', async () => {
    const { app, server, clock } = await withLogout()
    await redeemed(app)
    await server.logout.everywhere({ sid: 's1' })
    expect(redirected(await authorize(app))).toMatchObject({ error: 'login_required' })
    expect(clock.now).toBeGreaterThan(0)
  })

  it('everywhere: all of a person’s, and of nobody else', async () => {
    const made = await withLogout()
    const { app, server, person } = made
    const first = await redeemed(app, 'web', { scope: 'openid api:read' })
    person.account = made.account('s2')
    await redeemed(app, 'other', { scope: 'openid api:read' })
    // one without a session, whom a session is all the client knows by
    person.account = made.account()
    const plain = await redeemed(app, 'spa', { scope: 'openid api:read' })
    person.account = { ...made.account('s3'), sub: 'bob' }
    const bobs = await redeemed(app, 'web', { scope: 'openid api:read' })
    await server.logout.everywhere({ sid: 's3', sub: 'alice' })
    await server.logout.everywhere({ sub: 'alice' })
    const sent = await made.told(2)
    expect(sent.map(({ url, claims }) => [url, claims.sid]).sort()).toEqual([
      ['https://other.example/out', 's2'],
      ['https://web.example/out', 's1']
    ])
    const statuses = await Promise.all(
      [first, plain, bobs].map(async ({ access_token }) => (await userinfo(app, access_token)).status)
    )
    expect(statuses).toEqual([401, 401, 200])
    // a second time there is nothing to tell
    await server.logout.everywhere({ sub: 'alice' })
  })

  it('without a sid the application’s session ends, and nobody is told', async () => {
    const made = await withLogout()
    made.person.account = made.account()
    const { id_token } = await redeemed(made.app)
    expect(decodeJwt(id_token)).not.toHaveProperty('sid')
    expect((await end(made.app, { id_token_hint: id_token })).status).toBe(200)
    expect([made.person.account, made.sent]).toEqual([undefined, []])
  })

  it('is told to the person where the application cannot sign out', async () => {
    const { app, errors } = await withLogout({ signOut: () => Promise.reject(new Error('session store down')) })
    const { id_token } = await redeemed(app)
    expect((await end(app, { id_token_hint: id_token })).status).toBe(500)
    expect(errors).toHaveLength(1)
  })

  it('of a thousand grants and fifty clients is over while no client has answered, a few of either at a time', async () => {
    const many = Array.from({ length: 50 }, (_, index) => ({
      ...clients[0],
      client_id: `c${index}`,
      token_endpoint_auth_method: 'none',
      client_secret: undefined,
      grant_types: ['authorization_code', 'refresh_token'],
      backchannel_logout_uri: `https://c${index}.example/out`
    }))
    const posts = { open: 0, most: 0, all: 0 }
    let release: () => void = () => undefined
    const released = new Promise<void>(resolve => (release = resolve))
    const postJson = async () => {
      posts.all += 1
      posts.most = Math.max(posts.most, ++posts.open)
      await released
      posts.open -= 1
      return 200
    }
    const { store, operations } = busyStore(memoryStore({ clock: () => 1_800_000_000_000 }))
    const { app, server, events } = await withLogout({ postJson }, { clients: many, store })
    for (let round = 0; round < 20; round++)
      await Promise.all(many.map(({ client_id }) => authorize(app, { client_id, scope: 'openid api:read' })))
    operations.most = 0
    const page = await end(app, { client_id: 'c0' })
    const [cookie = ''] = page.get('Set-Cookie') ?? []
    const form = { logout: hidden(page.text, 'logout'), _csrf: hidden(page.text, '_csrf'), decision: 'allow' }
    const { status } = await request(app)
      .post('/oauth2/end_session')
      .set('Cookie', cookie.split(';')[0] ?? '')
      .type('form')
      .send(form)
    // the person has the answer, every grant has ended, and nobody has been heard
    expect(status).toBe(200)
    expect(events).toContainEqual(expect.objectContaining({ type: 'session.ended', clients: 50, grants: 1000 }))
    expect(events.filter(({ type }) => type === 'logout.delivered')).toEqual([])
    expect(posts).toMatchObject({ open: 10, all: 10 })
    expect(operations.most).toBeLessThan(50)
    release()
    while (events.filter(({ type }) => type === 'logout.delivered').length < 50)
      await new Promise(resolve => setTimeout(resolve, 10))
    expect(posts).toMatchObject({ open: 0, most: 10, all: 50 })
    await server.logout.everywhere({ sid: 's1' })
    expect(posts.all).toBe(50)
  }, 60_000)
})

describe('options and arguments', () => {
  it.each<[string, unknown, string]>([
    ['no object', true, 'logout must be an object'],
    ['nothing', {}, 'logout.signOut must be a function'],
    ['a page that is no function', { signOut: () => undefined, confirm: '/logout' }, 'logout.confirm must be a function'],
    [
      'a misspelt one',
      { signOut: () => undefined, confrim: () => undefined },
      'logout.confrim is not a known option; did you mean confirm?'
    ]
  ])('%s', async (_name, logout, words) => {
    await expect(harness({ logout: logout as LogoutOptions })).rejects.toThrow(words)
  })

  it.each([[undefined], [{}], [{ sid: 7 }], [{ sub: 7 }], [{ sid: 's', sub: 7 }]])('everywhere(%j) is refused', async whose => {
    const { server } = await withLogout()
    await expect(server.logout.everywhere((whose ?? {}) as { sub: string })).rejects.toThrow(TypeError)
  })

  it('two people with one sid are a fault of the application’s', async () => {
    const made = await withLogout()
    await redeemed(made.app)
    made.person.account = { ...made.account('s1'), sub: 'bob' }
    expect(redirected(await authorize(made.app))).toMatchObject({ error: 'server_error' })
    expect(issuer).toMatch(/^https/)
  })

  it('without the option there is no endpoint', async () => {
    const { app } = await harness()
    expect((await end(app)).status).toBe(404)
  })
})
