import { connect } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import request from 'supertest'
import { AuthorizationParameters } from '../../lib/authorization-requests/parameters.ts'
import {
  api,
  authorizationQuery,
  authorizeByPost,
  callback,
  files,
  harness,
  issuer,
  listening,
  redirected,
  token
} from '../support/servers/authorization-server.ts'
import { expectPage, form, open, par } from '../support/servers/pushed-requests.ts'
import { makeSigner, requestClaims, signingClients, signRequest } from '../support/servers/signed-requests.ts'
import { asking } from '../support/servers/asking-server.ts'

const get = (app: Express, query: string) => request(app).get(`/oauth2/authorize?${query}`)

/** The answer to a target as it is written here, byte by byte. */
function answerTo(address: string, target: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(address)
    const socket = connect(Number(port), hostname, () => {
      socket.write(Buffer.concat([Buffer.from('GET '), target, Buffer.from(' HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')]))
    })
    let text = ''
    socket.on('data', chunk => (text += chunk.toString('latin1')))
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
}

describe('a query is read as strictly as a form', () => {
  it.each([
    ['a lone percent', 'state=%'],
    ['half an escape', 'state=%2'],
    ['no hex', 'state=%zz'],
    ['escaped bytes that are not UTF-8', 'state=%ff'],
    ['an overlong encoding', 'state=%c0%af'],
    ['an escaped surrogate', 'state=%ed%a0%80'],
    ['a bad escape in a name', '%ff=a'],
    ['a bad escape in what it does not know', 'unknown=%ff'],
    ['a null', 'state=a%00'],
    ['a line end', 'state=a%0d%0aLocation:%20https://evil.example'],
    ['a tab', 'nonce=%09'],
    ['a delete', 'login_hint=%7f'],
    ['a control character in what it does not know', 'unknown=%00']
  ])('%s: a page, by GET and by POST', async (_, pair) => {
    const { app } = await harness()
    const query = `${authorizationQuery()}&${pair}`
    expectPage(await get(app, query), 'invalid_request')
    expectPage(await authorizeByPost(app, query), 'invalid_request')
  })

  it('bytes that were not escaped are refused', async () => {
    const { app } = await harness()
    await listening(app, async address => {
      const target = (raw: Uint8Array) => Buffer.concat([Buffer.from(`/oauth2/authorize?${authorizationQuery()}&state=`), raw])
      for (const raw of [[0xff], [0xc3], [0xc3, 0xbc], [0xed, 0xa0, 0x80], [0x01], [0x7f]])
        expect(await answerTo(address, target(Uint8Array.from(raw)))).toMatch(/^HTTP\/1\.1 400 (?![^]*Location)/i)
    })
  })

  it('letters outside ASCII come back whole', async () => {
    const { app } = await harness()
    const state = 'ünï→😀 +&='
    for (const response of [
      await get(app, authorizationQuery({ state })),
      await authorizeByPost(app, authorizationQuery({ state }))
    ])
      expect(redirected(response)).toMatchObject({ state })
  })

  it('a hundred parameters are read, and not one more', async () => {
    const { app } = await harness()
    const known = authorizationQuery().split('&').length
    expect(redirected(await get(app, authorizationQuery() + '&a=1'.repeat(100 - known)))).toHaveProperty('code')
    for (const more of [101 - known, 3_000])
      expectPage(await get(app, authorizationQuery() + '&a=1'.repeat(more)), 'invalid_request')
  })

  it('the same parameter again and again costs as much as any other', () => {
    const take = (count: number) => {
      const pairs = Array.from({ length: count }, (): [string, string] => ['a', '1'])
      const begun = performance.now()
      const parameters = new AuthorizationParameters(pairs)
      return { took: performance.now() - begun, values: parameters.all('a').length }
    }
    take(1_000)
    const { took, values } = take(100_000)
    // ten thousand million steps would be: minutes
    expect([values, took < 1_000]).toEqual([100_000, true])
  })
})

describe('resource may be repeated', () => {
  const several = `resource=${encodeURIComponent(api)}&resource=${encodeURIComponent(files)}&resource=${encodeURIComponent(api)}`
  const granted = [api, files]

  it('in a query and in a form', async () => {
    const h = await asking()
    const query = `${authorizationQuery({ prompt: 'consent' })}&${several}&resource=`
    for (const ask of [get, authorizeByPost]) {
      await ask(h.app, query)
      expect(h.prompts.at(-1)?.resources).toEqual(granted)
    }
  })

  it('in a pushed request', async () => {
    const h = await asking()
    const pushed = await token(h.app, 'web', `${form({ prompt: 'consent' })}&${several}`, par)
    expect(pushed.status).toBe(201)
    await open(h.app, (pushed.body as { request_uri: string }).request_uri)
    expect(h.prompts.at(-1)?.resources).toEqual(granted)
  })

  it('in a request object, by value and pushed', async () => {
    const signer = await makeSigner('ES256', 'k')
    const h = await asking({ clients: signingClients([signer]) })
    const object = await signRequest(signer, requestClaims({ resource: [api, files, api], prompt: 'consent' }))
    await get(h.app, new URLSearchParams({ client_id: 'signer', request: object }).toString())
    expect(h.prompts.at(-1)?.resources).toEqual(granted)
    const pushed = await token(h.app, 'signer', { request: object }, par)
    await open(h.app, (pushed.body as { request_uri: string }).request_uri, { client_id: 'signer' })
    expect(h.prompts.at(-1)?.resources).toEqual(granted)
  })

  it('each of them has to be one there is', async () => {
    const { app } = await harness()
    const query = `${authorizationQuery({ state: 's' })}&resource=${api}&resource=https://nobody.example`
    for (const response of [await get(app, query), await authorizeByPost(app, query)])
      expect(redirected(response)).toMatchObject({ error: 'invalid_target', state: 's' })
    const pushed = await token(app, 'web', `${form()}&resource=${api}&resource=https://nobody.example`, par)
    expect(pushed.body).toMatchObject({ error: 'invalid_target' })
  })

  it('and nothing else may', async () => {
    const { app } = await harness()
    const names = ['scope', 'nonce', 'prompt', 'acr_values', 'authorization_details', 'dpop_jkt']
    for (const name of names) {
      const query = `${authorizationQuery({ state: 's', [name]: 'x' })}&${name}=x`
      expect(redirected(await get(app, query))).toMatchObject({ error: 'invalid_request', state: 's' })
      expectPage(await authorizeByPost(app, query), 'invalid_request')
      const pushed = await token(app, 'web', `${form({ [name]: 'x' })}&${name}=x`, par)
      expect(pushed.body).toMatchObject({ error: 'invalid_request' })
    }
  })
})

describe('a parameter has a length', () => {
  const free = ['state', 'nonce', 'login_hint', 'ui_locales', 'claims_locales', 'acr_values', 'display', 'prompt', 'max_age']

  it.each(free)('%s: more than 2,000 characters are refused, wherever they come in', async name => {
    const signer = await makeSigner('ES256', 'k')
    const { app, person } = await harness({ clients: signingClients([signer]) })
    person.account = undefined
    const value = 'x'.repeat(2_001)
    const change = { state: 's', [name]: value }
    const expected = { error: 'invalid_request', iss: issuer, ...(name !== 'state' && { state: 's' }) }
    for (const response of [
      await get(app, authorizationQuery(change)),
      await authorizeByPost(app, authorizationQuery(change)),
      await get(
        app,
        new URLSearchParams({
          client_id: 'signer',
          request: await signRequest(signer, requestClaims({ ...change, redirect_uri: callback }))
        }).toString()
      )
    ]) {
      expect(redirected(response)).toMatchObject(expected)
      expect(String(response.headers['location'])).not.toContain(value)
    }
    const pushed = await token(app, 'web', form(change), par)
    expect([pushed.status, pushed.body]).toMatchObject([400, { error: 'invalid_request' }])
  })

  it('and so has what is kept of all of them', async () => {
    const { app } = await harness()
    const name = (count: number) => 'x'.repeat(count)
    const change = (count: number) => ({
      state: name(1_990),
      nonce: name(1_990),
      login_hint: name(1_990),
      ui_locales: name(count)
    })
    expect((await token(app, 'web', form(change(1_500)), par)).status).toBe(201)
    const beyond = await token(app, 'web', form({ ...change(1_990), claims_locales: name(1_990) }), par)
    expect([beyond.status, beyond.body]).toMatchObject([400, { error: 'invalid_request' }])
    const posted = await authorizeByPost(app, authorizationQuery({ ...change(1_990), claims_locales: name(1_990) }))
    expect(redirected(posted)).toMatchObject({ error: 'invalid_request' })
  })
})
