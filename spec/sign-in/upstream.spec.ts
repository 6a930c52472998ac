/** People sign in at a real OpenID provider in another process, and agree here: for a client with a document, over HTTP. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import { authorizationServer, memoryStore } from 'clientele'
import { upstream } from 'clientele/sign-in'
import { Browser, type PageSeen } from '../example-app/browser.ts'
import { freePort } from '../example-app/running-server.ts'
import { specKeys } from '../support/servers/authorization-server.ts'
import { redirect_uri } from '../support/servers/document-server.ts'
import { asking, host, issuers, listen, ours, providerOf, redeem, serve, walk } from './journey.ts'

describe.each(['the example app', 'oidc-provider'])('with %s', name => {
  const provider = () => providerOf(name)

  it.each(['bySecret', 'byKey'] as const)('a person signs in there %s, agrees here, and calls', async by => {
    const { issuer, mcp, written } = await serve({ ...provider()[by], scope: ['openid', 'profile', 'email'] })
    const client_id = host.put(`whole-${by}`, { client_name: '<b>Notes</b>' })
    const { answer, pages, redirects } = await walk(new Browser(), asking(issuer, client_id), provider())
    const [consent] = ours(pages, issuer)
    for (const words of [
      provider().name,
      new URL(client_id).host,
      '127.0.0.1:7777',
      'loopback',
      'Read your notes',
      '&lt;b&gt;Notes'
    ])
      expect(consent?.text).toContain(words)
    expect(consent?.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(Object.fromEntries(answer)).toEqual({ code: expect.any(String), state: 'st', iss: issuer })
    const tokens = await redeem(issuer, client_id, answer)
    const called = await fetch(`${issuer}/mcp`, { headers: { authorization: `Bearer ${tokens['access_token'] ?? ''}` } })
    expect(await called.json()).toMatchObject({ clientId: client_id, extra: { sub: provider().sub } })
    // what is asked there is what the specification asks of a client
    const there = redirects.find(url => url.href.startsWith(provider().issuer))?.searchParams
    for (const member of ['state', 'nonce', 'code_challenge']) expect(there?.get(member)?.length).toBeGreaterThan(20)
    // the person's tokens there are the host's, and nobody else's
    const kept = await mcp.upstreamTokens(provider().sub)
    const token = kept?.access_token ?? 'none'
    const { userinfo_endpoint } = (await (await fetch(`${provider().issuer}/.well-known/openid-configuration`)).json()) as Record<
      string,
      string
    >
    const told = await fetch(userinfo_endpoint ?? '', { headers: { authorization: `Bearer ${token}` } })
    expect(await told.json()).toMatchObject({ sub: provider().sub, name: provider().name })
    expect(JSON.stringify([tokens, ...redirects])).not.toContain(token)
    expect(written.join('\n')).not.toContain(token)
    expect(await mcp.upstreamTokens('somebody else')).toBeUndefined()
  })

  it('asks for each client anew, though nobody has to sign in again, and for none twice', async () => {
    const { issuer } = await serve(provider().bySecret)
    const [first, second] = [host.put('first'), host.put('second')]
    const browser = new Browser()
    await walk(browser, asking(issuer, first), provider())
    const other = await walk(browser, asking(issuer, second), provider())
    expect([other.pages.length, ours(other.pages, issuer).length]).toEqual([1, 1])
    const again = await walk(browser, asking(issuer, first), provider())
    expect([again.pages.length, again.answer.get('code')]).toEqual([0, expect.any(String)])
    const more = await walk(browser, asking(issuer, first, { scope: 'notes:read notes:write' }), provider())
    expect([more.pages.length, ours(more.pages, issuer)[0]?.text]).toEqual([1, expect.stringContaining('Change your notes')])
  })

  it('renews the person’s tokens once, however many ask', async () => {
    const scope = ['openid', 'offline_access']
    const { issuer, mcp, clock } = await serve({ ...provider().bySecret, scope, parameters: { prompt: 'consent' } })
    await walk(new Browser(), asking(issuer, host.put('renewing')), provider())
    const before = await mcp.upstreamTokens(provider().sub)
    clock.ahead = 3590
    const after = await Promise.all(Array.from({ length: 5 }, () => mcp.upstreamTokens(provider().sub)))
    expect(new Set(after.map(tokens => tokens?.access_token)).size).toBe(1)
    expect(after[0]?.access_token).not.toBe(before?.access_token)
    expect(after[0]).not.toHaveProperty('refresh_token')
  })

  it('signs in anew where the client asks for it', async () => {
    const { issuer } = await serve(provider().bySecret)
    const browser = new Browser()
    const client_id = host.put('anew')
    await walk(browser, asking(issuer, client_id), provider())
    const { redirects, answer } = await walk(browser, asking(issuer, client_id, { prompt: 'login' }), provider())
    expect(redirects.find(url => url.href.startsWith(provider().issuer))?.searchParams.get('prompt')).toBe('login')
    expect(answer.get('code')).toEqual(expect.any(String))
  })
})

describe('a sign-in elsewhere', () => {
  const provider = () => providerOf('the example app')

  it('counts in the browser it began in alone', async () => {
    const { issuer } = await serve(provider().bySecret)
    const client_id = host.put('bound')
    const { redirects } = await walk(new Browser(), asking(issuer, client_id), provider())
    const [callback, consent] = ['/oauth2/sign-in', '/oauth2/consent'].map(
      path => redirects.find(url => url.pathname === path)?.href ?? ''
    )
    const other = new Browser()
    for (const prepare of [() => Promise.resolve(), () => other.get(asking(issuer, client_id))]) {
      await prepare()
      expect(await other.get(callback ?? '')).toMatchObject({ status: 400 })
      expect(await other.get(consent ?? '')).toMatchObject({ status: 403 })
      const fields = Object.fromEntries(new URL(consent ?? '').searchParams)
      expect(await other.post(`${issuer}/oauth2/consent`, { ...fields, decision: 'allow' })).toMatchObject({ status: 403 })
    }
  })

  it('may come back twice, by going back or a double click', async () => {
    const { issuer } = await serve(provider().bySecret)
    const browser = new Browser()
    const { redirects, answer } = await walk(browser, asking(issuer, host.put('twice')), provider())
    const callback = redirects.find(({ pathname }) => pathname === '/oauth2/sign-in')?.href ?? ''
    const again = await walk(browser, callback, provider())
    expect(again.answer.get('code')).toBe(answer.get('code'))
  })

  it('is told no where the person says no, here or there, or is nobody here', async () => {
    const { issuer } = await serve(provider().bySecret)
    const client_id = host.put('denied')
    expect((await walk(new Browser(), asking(issuer, client_id), provider(), 'deny')).answer.get('error')).toBe('access_denied')
    const there = {
      ...provider(),
      fill: (browser: Browser, page: PageSeen) =>
        page.url.includes('/login') ? provider().fill(browser, page) : browser.submit(page, { decision: 'deny' })
    }
    expect((await walk(new Browser(), asking(issuer, client_id), there)).answer.get('error')).toBe('access_denied')
  })

  it('is somebody here, or nobody, as the host says', async () => {
    const known: unknown[] = []
    const { issuer } = await serve({
      ...provider().bySecret,
      accountFrom(claims, tokens) {
        known.push([claims['email'], typeof tokens.access_token, 'refresh_token' in tokens])
        return known.length > 1 ? undefined : { sub: `local-${claims.sub}`, name: 'A. Liddell' }
      },
      consentPage: (_req, res, page) =>
        void res.send(`<form method="post" action="${page.action}">${JSON.stringify([page.person, [...page.meanings]])}
        ${Object.entries(page.fields)
          .map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
          .join('')}</form>`)
    })
    const client_id = host.put('mapped')
    const { answer, pages } = await walk(new Browser(), asking(issuer, client_id), provider())
    expect(ours(pages, issuer)[0]?.text).toContain('["A. Liddell",[["notes:read","Read your notes"]')
    expect(await redeem(issuer, client_id, answer)).toHaveProperty('access_token')
    expect((await walk(new Browser(), asking(issuer, client_id), provider())).answer.get('error')).toBe('access_denied')
    expect(known[0]).toEqual(['alice@example.com', 'string', false])
  })

  it.each<[string, (callback: URL) => void, number]>([
    ['another state', url => url.searchParams.set('state', `${url.searchParams.get('state') ?? ''}x`), 400],
    ['no state', url => url.searchParams.delete('state'), 400],
    ['two states', url => url.searchParams.append('state', 'other'), 502],
    ['another code', url => url.searchParams.set('code', 'other'), 502],
    ['no code', url => url.searchParams.delete('code'), 502],
    ['the iss of another provider', url => url.searchParams.set('iss', 'https://attacker.example'), 502],
    ['no iss', url => url.searchParams.delete('iss'), 502],
    [
      'an error of the provider',
      url => {
        url.searchParams.delete('code')
        url.searchParams.set('error', 'server_error')
      },
      502
    ]
  ])('is none with %s', async (_, change, status) => {
    const { issuer, mcp } = await serve(provider().bySecret)
    const browser = new Browser()
    let page = await browser.get(asking(issuer, host.put('tampered')))
    while (!(page.location ?? '').includes('/oauth2/sign-in?'))
      page = page.location === undefined ? await provider().fill(browser, page) : await browser.get(page.location)
    const callback = new URL(page.location ?? '')
    change(callback)
    const answer = await browser.get(callback.href)
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining('You could not be signed in')])
    expect(await mcp.upstreamTokens(provider().sub)).toBeUndefined()
  })

  it('is not waited for where the provider does not answer', async () => {
    const dead = `http://localhost:${await freePort()}`
    const { issuer } = await serve({ ...provider().bySecret, issuer: dead, timeout: 1 })
    const page = await new Browser().get(asking(issuer, host.put('dead')))
    expect(page.status === 503 || page.location?.includes('error=temporarily_unavailable')).toBe(true)
  })

  it('ends where the host ends it', async () => {
    const { issuer, mcp } = await serve({ ...provider().bySecret, keepTokens: false })
    const browser = new Browser()
    const client_id = host.put('ended')
    await walk(browser, asking(issuer, client_id), provider())
    expect(await mcp.upstreamTokens(provider().sub)).toBeUndefined()
    const app = express()
    const [, elsewhere = ''] = issuers
    app.post('/out', (req, res, next) => void mcp.signOut(req, res).then(() => res.end(), next))
    await listen(app, elsewhere)
    await browser.post(`${elsewhere}/out`, {})
    expect((await walk(browser, asking(issuer, client_id), provider())).pages.length).toBeGreaterThan(0)
  })

  it('is the interaction of any authorization server', async () => {
    const [, issuer = ''] = issuers
    const parts = { issuer, store: memoryStore(), keys: await specKeys() }
    const people = upstream(provider().bySecret).attach(parts)
    const clients = [
      { client_id: 'web', token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri], client_name: 'The web' }
    ]
    const server = authorizationServer({ ...parts, clients, scopes: ['openid'], interaction: people.interaction })
    const app = express()
    app.use(server, people.routes(server))
    await listen(app, issuer)
    const from = asking(issuer, 'web', { scope: 'openid' }).replace(/&resource=[^&]*/, '')
    const { answer, pages } = await walk(new Browser(), from, provider())
    expect(ours(pages, issuer)[0]?.text).toContain('Allow The web?')
    expect(await redeem(issuer, 'web', answer)).toHaveProperty('id_token')
  })
})
