import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { notificationEndpoint, type NotificationEndpoint } from '../support/servers/backchannel.ts'
import { Browser, hiddenFields, type PageSeen } from './browser.ts'
import { freePort, startServer, stop, type HostedServer } from './running-server.ts'

const grant_type = 'urn:openid:params:grant-type:ciba'
const client_notification_token = 'a-token-of-the-client-s-own'

let issuer: string
let server: HostedServer
let endpoint: NotificationEndpoint

beforeAll(async () => {
  endpoint = await notificationEndpoint()
  issuer = `http://localhost:${await freePort()}/as`
  const asker = (client_id: string, more: object = {}) => ({
    client_id,
    client_secret: `secret of ${client_id}`,
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: [grant_type, 'refresh_token'],
    response_types: [],
    ...more
  })
  const told = (mode: string) => ({
    backchannel_token_delivery_mode: mode,
    backchannel_client_notification_endpoint: endpoint.url.replace('127.0.0.1', 'localhost')
  })
  server = await startServer({
    issuer,
    clients: [asker('shop', { client_name: 'Bob & <i>Sons</i>' }), asker('pinged', told('ping')), asker('pushed', told('push'))],
    accounts: Array.from({ length: 20 }, (_, index) => ({
      sub: `u-${index}`,
      username: `person-${index}`,
      password: 'wonderland'
    })),
    policy: { ciba_request_ttl: 90 },
    tenants: [{ path: '/without', policy: { grant_types: ['client_credentials'] } }]
  })
})
afterAll(async () => {
  await stop(server)
  await endpoint.close()
})

let met = 0
/** The username of someone nobody has asked yet. */
const someone = () => `person-${(met += 1)}`

async function post(path: string, form: Record<string, string>): Promise<{ status: number; body: Record<string, unknown> }> {
  const client_id = form['client_id'] ?? 'shop'
  const body = new URLSearchParams({ client_id, client_secret: `secret of ${client_id}`, ...form })
  const response = await fetch(`${issuer}${path}`, { method: 'POST', body })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

async function ask(login_hint: string, more: Record<string, string> = {}): Promise<string> {
  const { status, body } = await post('/oauth2/bc-authorize', { scope: 'openid offline_access api:read', login_hint, ...more })
  expect([status, body]).toEqual([200, expect.objectContaining({ auth_req_id: expect.any(String) })])
  return String(body['auth_req_id'])
}

const poll = (auth_req_id: string, more: Record<string, string> = {}) =>
  post('/oauth2/token', { grant_type, auth_req_id, ...more })

async function signIn(username: string, browser = new Browser()): Promise<{ browser: Browser; page: PageSeen }> {
  const login = await browser.get(`${issuer}/ciba`)
  expect(login.text).toContain('to see what applications ask of you')
  const page = await browser.follow(await browser.submit(login, { username, password: 'wonderland' }))
  expect([page.url, page.status]).toEqual([`${issuer}/ciba`, 200])
  return { browser, page }
}

describe('backchannel authentication', () => {
  it('is in the metadata', async () => {
    const metadata = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<string, unknown>
    expect(metadata).toMatchObject({
      backchannel_authentication_endpoint: `${issuer}/oauth2/bc-authorize`,
      backchannel_token_delivery_modes_supported: ['poll', 'ping', 'push'],
      backchannel_user_code_parameter_supported: false,
      grant_types_supported: expect.arrayContaining([grant_type])
    })
  })

  it('ends in tokens once the person has signed in and allowed it', async () => {
    const person = someone()
    const auth_req_id = await ask(person, { binding_message: 'Basket 42 <b>' })
    expect((await poll(auth_req_id)).body).toMatchObject({ error: 'authorization_pending' })
    const { browser, page } = await signIn(person)
    for (const shown of ['Bob &amp; &lt;i&gt;Sons&lt;/i&gt;', 'Basket 42 &lt;b&gt;', 'Read your data in “api”', person])
      expect(page.text).toContain(shown)
    expect(page.text.match(/<form/g)).toHaveLength(1)
    expect(page.text).toMatch(/<button[^>]* name="decision" value="allow"/)
    expect(page.text).toMatch(/<button[^>]* name="decision" value="deny"/)
    const done = await browser.follow(await browser.submit(page, { decision: 'allow' }))
    expect(done.text).toContain('was told that you agree')
    expect(done.text).toContain('Nothing is asked of you')
    const { status, body } = await poll(auth_req_id)
    expect(status).toBe(200)
    const headers = { authorization: `Bearer ${String(body['access_token'])}` }
    expect(await (await fetch(`${issuer}/api/whoami`, { headers })).json()).toEqual({
      sub: person.replace('person', 'u'),
      client_id: 'shop',
      scope: 'openid offline_access api:read'
    })
    expect((await browser.get(`${issuer}/account`)).text).toContain('Bob &amp; &lt;i&gt;Sons&lt;/i&gt;')
    // the same form again is told what the first came to
    const again = await browser.follow(await browser.submit(page, { decision: 'deny' }))
    expect(again.text).toContain('was told that you agree')
  })

  it('ends in tokens where the button is clicked twice at once', async () => {
    const person = someone()
    const auth_req_id = await ask(person)
    const { browser, page } = await signIn(person)
    const clicks = await Promise.all([1, 2, 3].map(() => browser.submit(page, { decision: 'allow' })))
    expect(clicks.map(({ status }) => status)).toEqual([303, 303, 303])
    expect((await poll(auth_req_id)).status).toBe(200)
  })

  it('ends in a refusal where the person denies', async () => {
    const person = someone()
    const auth_req_id = await ask(person)
    const { browser, page } = await signIn(person)
    expect((await browser.follow(await browser.submit(page, { decision: 'deny' }))).text).toContain('was told that you said no')
    expect((await poll(auth_req_id)).body).toMatchObject({ error: 'access_denied' })
  })

  it('shows one request at a time, the newest first, and leads to the others', async () => {
    const person = someone()
    const older = await ask(person, { binding_message: 'the older one' })
    const newer = await ask(person, { binding_message: 'the newer one' })
    const { browser, page } = await signIn(person)
    expect(page.text.indexOf('the newer one')).toBeLessThan(page.text.indexOf('the older one'))
    const link = /<a href="([^"]*\/ciba\?request=[^"]*)"/.exec(page.text)?.[1] ?? ''
    const other = await browser.get(new URL(link, issuer).href)
    expect(other.text.indexOf('the older one')).toBeLessThan(other.text.indexOf('the newer one'))
    const rest = await browser.follow(await browser.submit(other, { decision: 'deny' }))
    expect(rest.text).toContain('the newer one')
    await browser.submit(rest, { decision: 'allow' })
    expect((await poll(older)).body).toMatchObject({ error: 'access_denied' })
    expect((await poll(newer)).status).toBe(200)
  })

  it.each([
    ['10', 10],
    ['90', 90],
    ['3600', 90]
  ])('may expire sooner, and never later than the policy says: %s', async (requested_expiry, expires_in) => {
    const form = { scope: 'openid', login_hint: 'person-0', requested_expiry }
    expect((await post('/oauth2/bc-authorize', form)).body).toMatchObject({ expires_in, interval: 5 })
  })

  it.each([
    ['nobody', { login_hint: 'mallory' }, 'unknown_user_id'],
    ['a sub that is no username', { login_hint: 'u-0' }, 'unknown_user_id'],
    ['whom a token of somebody’s means', { login_hint_token: 'x.y.z' }, 'unknown_user_id'],
    ['no one', {}, 'invalid_request']
  ])('asks nobody when it is for %s', async (_name, form, error) => {
    const { status, body } = await post('/oauth2/bc-authorize', { scope: 'openid', ...form })
    expect([status, body['error']]).toEqual([400, error])
  })

  it('pings and pushes, at loopback where the issuer is', async () => {
    const person = someone()
    const [ping, push] = [
      await ask(person, { client_id: 'pinged', client_notification_token }),
      await ask(person, { client_id: 'pushed', client_notification_token })
    ]
    const { browser, page } = await signIn(person)
    const next = await browser.follow(await browser.submit(page, { decision: 'allow' }))
    await browser.submit(next, { decision: 'allow' })
    const heard = await endpoint.until(2)
    const bodies = new Map(heard.map(({ body }) => [body['auth_req_id'], body]))
    expect(heard.map(({ headers }) => headers.authorization)).toEqual(Array(2).fill(`Bearer ${client_notification_token}`))
    expect(bodies.get(ping)).toEqual({ auth_req_id: ping })
    expect(bodies.get(push)).toMatchObject({ access_token: expect.any(String), id_token: expect.any(String) })
    expect((await poll(ping, { client_id: 'pinged' })).status).toBe(200)
    expect((await poll(push, { client_id: 'pushed' })).body).toMatchObject({ error: 'unauthorized_client' })
  })

  it('has no endpoint and no page where the policy leaves the grant out', async () => {
    const without = `${issuer}/without`
    expect((await fetch(`${without}/oauth2/bc-authorize`, { method: 'POST' })).status).toBe(404)
    expect((await fetch(`${without}/ciba`)).status).toBe(404)
  })
})

describe('the page', () => {
  it('shows nobody what is asked of another, and lets nobody decide it', async () => {
    const [mine, theirs] = [someone(), someone()]
    const auth_req_id = await ask(mine, { binding_message: 'for my eyes' })
    const me = await signIn(mine)
    const they = await signIn(theirs)
    expect(they.page.text).not.toContain('for my eyes')
    const { request = '' } = hiddenFields(me.page)
    await ask(theirs)
    const own = await they.browser.get(`${issuer}/ciba?request=${request}`)
    expect(own.text).not.toContain('for my eyes')
    expect((await they.browser.post(`${issuer}/ciba`, { ...hiddenFields(own), request, decision: 'allow' })).status).toBe(400)
    expect((await poll(auth_req_id)).body).toMatchObject({ error: 'authorization_pending' })
  })

  it('takes no forged form, none of somebody who is not signed in, and none that decides nothing', async () => {
    const person = someone()
    const auth_req_id = await ask(person)
    const { browser, page } = await signIn(person)
    const fields = hiddenFields(page)
    const { request = '' } = fields
    const send = (form: Record<string, string>, by = browser) => by.post(`${issuer}/ciba`, form)
    expect((await send({ request, decision: 'allow' })).status).toBe(403)
    expect((await send({ ...fields, _csrf: 'x'.repeat(64), decision: 'allow' })).status).toBe(403)
    const stranger = new Browser()
    const login = hiddenFields(await stranger.get(`${issuer}/ciba`))
    expect((await send({ ...login, request, decision: 'allow' }, stranger)).status).toBe(401)
    expect((await send({ ...fields, decision: 'maybe' })).status).toBe(400)
    expect((await send(fields)).status).toBe(400)
    expect((await send({ ...fields, request: 'x', decision: 'allow' })).status).toBe(400)
    expect((await send({ _csrf: fields['_csrf'] ?? '', decision: 'allow' })).status).toBe(400)
    expect((await poll(auth_req_id)).body).toMatchObject({ error: 'authorization_pending' })
  })
})
