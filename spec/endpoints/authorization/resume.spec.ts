import { describe, expect, it } from '@jest/globals'
import type { Response } from 'supertest'
import { memoryStore, type ClientMetadata } from '../../../lib/index.ts'
import {
  authorize,
  callback,
  clients,
  code_verifier,
  harness,
  listening,
  redirected,
  token,
  type Harness
} from '../../support/servers/authorization-server.ts'
import { expectPage, idOf, open, pushed, resume } from '../../support/servers/pushed-requests.ts'

/** Whoever signs in now. */
function signIn(h: Harness, sub = 'alice') {
  h.person.account = { sub, auth_time: Math.floor(h.clock.now / 1000) }
  return { login: h.person.account }
}

async function signedOut(options = {}) {
  const h = await harness(options)
  h.person.account = undefined
  h.person.consented = false
  return h
}

const redeem = (h: Harness, response: Response) =>
  token(h.app, 'web', {
    grant_type: 'authorization_code',
    code: redirected(response)['code'] ?? '',
    redirect_uri: callback,
    code_verifier
  })

/** A waiting request at its consent page: by itself, or pushed. */
async function atConsent(h: Harness, how: 'by itself' | 'pushed') {
  const login = signIn(h)
  const opened = how === 'pushed' ? await open(h.app, await pushed(h.app)) : await authorize(h.app, { state: 's' })
  return { id: idOf(opened), login }
}

const either = ['by itself', 'pushed'] as const
const allow = { consent: true }
const deny = { error: 'access_denied' }

describe('the same form sent again', () => {
  it.each(either)('gets the answer that the first got, and its code buys tokens: a request %s', async how => {
    const h = await signedOut()
    const { id } = await atConsent(h, how)
    const first = await resume(h.app, id, allow)
    expect(redirected(first)).toHaveProperty('code')
    for (let time = 0; time < 3; time++)
      expect((await resume(h.app, id, allow)).headers['location']).toBe(first.headers['location'])
    expect((await redeem(h, first)).status).toBe(200)
  })

  it.each(either)('gets the refusal again: a request %s', async how => {
    const h = await signedOut()
    const { id } = await atConsent(h, how)
    const first = await resume(h.app, id, deny)
    expect(redirected(first)).toMatchObject({ error: 'access_denied' })
    expect((await resume(h.app, id, deny)).headers['location']).toBe(first.headers['location'])
  })

  it('gets the next prompt where it is a sign-in, and the code where nothing more is needed', async () => {
    const h = await signedOut()
    const id = idOf(await authorize(h.app))
    const login = signIn(h)
    for (let time = 0; time < 2; time++) expect((await resume(h.app, id, login)).body).toMatchObject({ id, name: 'consent' })
    h.person.consented = true
    const first = await resume(h.app, id, login)
    expect(redirected(first)).toHaveProperty('code')
    expect((await resume(h.app, id, login)).headers['location']).toBe(first.headers['location'])
  })

  it.each([
    ['allowed', allow, false],
    ['signed in', undefined, true],
    ['refused', deny, false]
  ])('fifty times at once, %s: one answer, fifty times', async (_, result, consented) => {
    const h = await signedOut()
    const id = idOf(await authorize(h.app))
    const login = signIn(h)
    h.person.consented = consented
    const locations = await listening(h.app, async address => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => resume(address, id, result ?? login)))
      return answers.map(response => String(response.headers['location']))
    })
    expect([...new Set(locations)]).toEqual([expect.stringMatching(/[?&]code=|access_denied/)])
    const [location = ''] = locations
    if (result === deny) return
    const form = { grant_type: 'authorization_code', redirect_uri: callback, code_verifier }
    const code = new URL(location).searchParams.get('code') ?? ''
    expect((await token(h.app, 'web', { ...form, code })).status).toBe(200)
  })

  it('allowed and refused at once: the client hears one of them', async () => {
    const h = await signedOut()
    const { id } = await atConsent(h, 'pushed')
    const locations = await listening(h.app, async address => {
      const results = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? allow : deny))
      const answers = await Promise.all(results.map(result => resume(address, id, result)))
      return answers.flatMap(response => response.headers['location'] ?? [])
    })
    expect(new Set(locations).size).toBe(1)
  })
})

describe('going back', () => {
  it('after the code was redeemed goes on, and costs the client nothing of what it has', async () => {
    const h = await signedOut()
    const { id } = await atConsent(h, 'by itself')
    const first = await redeem(h, await resume(h.app, id, allow))
    const again = await resume(h.app, id, allow)
    expect(redirected(again)).toMatchObject({ code: expect.any(String), state: 's' })
    expect((await redeem(h, again)).status).toBe(200)
    const { access_token } = first.body as { access_token: string }
    expect(await h.server.verifyAccessToken(access_token)).toBeDefined()
  })

  it('after the code has expired goes on', async () => {
    const h = await signedOut()
    const { id } = await atConsent(h, 'by itself')
    const first = redirected(await resume(h.app, id, allow))
    h.clock.now += 61_000
    const again = redirected(await resume(h.app, id, allow))
    expect([again['code'], again['code'] === first['code']]).toEqual([expect.any(String), false])
  })

  it('to the other button does what that says', async () => {
    const h = await signedOut()
    const { id } = await atConsent(h, 'by itself')
    expect(redirected(await resume(h.app, id, deny))).toMatchObject({ error: 'access_denied' })
    expect(redirected(await resume(h.app, id, allow))).toHaveProperty('code')
    expect(redirected(await resume(h.app, id, deny))).toMatchObject({ error: 'access_denied' })
  })

  it('to a pushed request that was answered and whose code was redeemed shows a page that says whose it was', async () => {
    const told: unknown[] = []
    const h = await harness()
    h.person.consented = false
    const interaction = {
      account: () => h.person.account,
      consented: () => false,
      prompt: (_req: unknown, res: { json(body: object): unknown }, { id }: { id: string }) => void res.json({ id }),
      error: (_req: unknown, res: { json(body: object): unknown }, details: object) => {
        told.push(details)
        res.json({})
      }
    }
    const own = await harness({ interaction, store: h.store })
    const { id } = await atConsent(own, 'pushed')
    h.person.account = own.person.account
    await redeem(own, await resume(own.app, id, allow))
    for (const result of [allow, deny]) {
      const page = await resume(own.app, id, result)
      expect([page.status, page.headers['location']]).toEqual([400, undefined])
    }
    const about = { client: expect.objectContaining({ client_id: 'web' }), client_origin: 'configured', redirect_uri: callback }
    expect(told).toEqual([expect.objectContaining(about), expect.objectContaining(about)])
  })

  it('as somebody else gives nobody another person’s code', async () => {
    for (const how of either) {
      const h = await signedOut()
      const { id } = await atConsent(h, how)
      const { code } = redirected(await resume(h.app, id, allow))
      signIn(h, 'mallory')
      const asked = await resume(h.app, id, allow)
      expect(JSON.stringify([asked.headers, asked.text])).not.toContain(code)
      h.person.account = undefined
      const nobody = await resume(h.app, id, allow)
      expect(JSON.stringify([nobody.headers, nobody.text])).not.toContain(code)
    }
  })
})

describe('without a result', () => {
  it('goes on from where the person is', async () => {
    const h = await signedOut()
    const id = idOf(await authorize(h.app))
    const goOn = () => resume(h.app, id, { nothing: true })
    expect((await goOn()).body).toMatchObject({ id, name: 'login' })
    signIn(h)
    expect((await goOn()).body).toMatchObject({ id, name: 'consent' })
    h.person.consented = true
    expect(redirected(await goOn())).toHaveProperty('code')
  })

  it('three tabs are finished by one sign-in', async () => {
    const h = await signedOut()
    const ids = [idOf(await authorize(h.app)), idOf(await authorize(h.app)), idOf(await authorize(h.app))]
    h.person.consented = true
    const login = signIn(h)
    const answers = [await resume(h.app, ids[0] ?? '', login)]
    for (const id of ids.slice(1)) answers.push(await resume(h.app, id, {}))
    expect(new Set(answers.map(answer => redirected(answer)['code'])).size).toBe(3)
  })
})

describe('what has changed while the person was busy', () => {
  it.each<[string, Partial<ClientMetadata> | undefined]>([
    ['the redirect URI was taken off the client', { redirect_uris: ['https://client.example.com/other'] }],
    ['the client is gone', undefined]
  ])('%s: a page, no code, and no prompt', async (_, change) => {
    let list = clients
    const h = await signedOut({ clients: (client_id: string) => list.find(client => client.client_id === client_id) })
    for (const how of either) {
      list = clients
      const { id } = await atConsent(h, how)
      list = clients.flatMap(client => (client.client_id !== 'web' ? [client] : change ? [{ ...client, ...change }] : []))
      for (const result of [allow, deny, signIn(h), {}]) expectPage(await resume(h.app, id, result), 'invalid_request')
    }
  })

  it('the client may ask for no more codes: it is told so', async () => {
    let list = clients
    const h = await signedOut({ clients: (client_id: string) => list.find(client => client.client_id === client_id) })
    const { id } = await atConsent(h, 'by itself')
    list = clients.map(client => ({ ...client, grant_types: ['client_credentials'] }))
    expect(redirected(await resume(h.app, id, allow))).toMatchObject({ error: 'unauthorized_client', state: 's' })
  })

  it('a step that was under way while it was refused does not begin it again', async () => {
    let now = 0
    const store = memoryStore({ clock: () => now })
    const h = await signedOut({ store })
    now = h.clock.now
    const id = idOf(await authorize(h.app))
    let hold: () => void = () => undefined
    const held = new Promise<void>(resolve => (hold = resolve))
    const get = store.get.bind(store)
    // the sign-in has read the request, and is slow to go on
    store.get = async key => {
      store.get = get
      const record = await get(key)
      await held
      return record
    }
    const login = signIn(h)
    const slow = resume(h.app, id, login).then(response => response)
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(redirected(await resume(h.app, id, deny))).toMatchObject({ error: 'access_denied' })
    hold()
    expectPage(await slow, 'invalid_request')
  })
})
