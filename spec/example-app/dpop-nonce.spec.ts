/** `policy.dpop_nonce`: every proof carries a nonce of this server's, wherever proofs are taken. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { makeDpopKey, prove, type DpopKey } from '../support/clients/dpop.ts'
import { configFile, failedStart, freePort, type HostedServer, startServer, stop } from './running-server.ts'
import { Browser } from './browser.ts'
import { alice, authorizationQuery, open, redeem, redirect_uri, through, verifier } from './visit.ts'

const account = { sub: 'u-alice', ...alice }
const web = { client_id: 'web', token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri] }
const backend = { client_id: 'backend', client_secret: 'secret of backend', grant_types: ['client_credentials'] }
const settingsOf = (issuer: string) => ({
  issuer,
  clients: [web, backend],
  accounts: [account],
  policy: { dpop_nonce: 'required' },
  tenants: [{ path: '/acme', clients: [backend], policy: { dpop_nonce: 'required' } }]
})
const basic = { authorization: `Basic ${Buffer.from('backend:secret+of+backend').toString('base64')}` }

let server: HostedServer | undefined
let issuer = ''
let key: DpopKey

beforeAll(async () => {
  issuer = `http://localhost:${await freePort()}`
  server = await startServer(settingsOf(issuer))
  key = await makeDpopKey()
})
afterAll(() => stop(server))

interface Sent {
  readonly method?: 'GET' | 'POST'
  readonly address: string
  readonly headers?: Record<string, string>
  readonly form?: Record<string, string>
  readonly access_token?: string
}

async function send({ method = 'POST', address, headers = {}, form, access_token }: Sent, claims?: Record<string, unknown>) {
  const proof = claims && (await prove(key, method, address, Date.now(), { claims, ...(access_token && { access_token }) }))
  const response = await fetch(address, {
    method,
    headers: { ...headers, ...(access_token && { authorization: `DPoP ${access_token}` }), ...(proof && { dpop: proof }) },
    ...(form && { body: new URLSearchParams(form) })
  })
  const body = (await response.json()) as Record<string, string>
  const challenge = response.headers.get('www-authenticate') ?? ''
  return { status: response.status, error: body['error'], nonce: response.headers.get('dpop-nonce') ?? '', challenge, body }
}

const credentials = (at = issuer): Sent => ({
  address: `${at}/oauth2/token`,
  headers: basic,
  form: { grant_type: 'client_credentials' }
})
const get = { method: 'GET' } as const
const pushed = (): Sent => ({
  address: `${issuer}/oauth2/par`,
  form: Object.fromEntries(new URLSearchParams(authorizationQuery()))
})

async function boundToken(): Promise<string> {
  const { answer } = await through(new Browser(), issuer)
  const form = { grant_type: 'authorization_code', client_id: 'web', redirect_uri, code: answer.get('code') ?? '' }
  const request = { address: `${issuer}/oauth2/token`, form: { ...form, code_verifier: verifier } }
  const { nonce } = await send(request, {})
  // the code was not used up by the request that had no nonce
  return (await send(request, { nonce })).body['access_token'] ?? ''
}

const fresh = /^[\w-]{20,}$/

describe('policy.dpop_nonce required', () => {
  const places: readonly (readonly [string, number, number, () => Promise<Sent>])[] = [
    ['the token endpoint', 400, 200, () => Promise.resolve(credentials())],
    ['the PAR endpoint', 400, 201, () => Promise.resolve(pushed())],
    ...['oauth2/userinfo', 'api/whoami'].map(
      path =>
        [
          path,
          401,
          200,
          async (): Promise<Sent> => ({ ...get, address: `${issuer}/${path}`, access_token: await boundToken() })
        ] as const
    )
  ]

  it.each(places)('%s asks with %i, and answers %i with a fresh nonce', async (_name, refusal, success, make) => {
    const request = await make()
    for (const claims of [{}, { nonce: 'x' }, { nonce: 7 }, { nonce: '' }, { nonce: 'A'.repeat(24) }]) {
      const refused = await send(request, claims)
      expect(refused).toMatchObject({ status: refusal, error: 'use_dpop_nonce', nonce: expect.stringMatching(fresh) })
      if (refusal === 401) expect(refused.challenge).toMatch(/DPoP error="use_dpop_nonce"/)
    }
    const { nonce } = await send(request, {})
    const answered = await send(request, { nonce })
    expect(answered).toMatchObject({ status: success, nonce: expect.stringMatching(fresh) })
    // that one is good everywhere proofs are taken
    expect(await send(credentials(), { nonce: answered.nonce })).toMatchObject({ status: 200 })
  })

  it('a refusal of another kind has the next nonce too', async () => {
    expect(await send(credentials(), { htm: 'GET' })).toMatchObject({
      status: 400,
      error: 'invalid_dpop_proof',
      nonce: expect.stringMatching(fresh)
    })
  })

  it('a nonce of one tenant is not one of another', async () => {
    const { nonce } = await send(credentials(), {})
    const elsewhere = credentials(`${issuer}/acme`)
    expect(await send(elsewhere, { nonce })).toMatchObject({ status: 400, error: 'use_dpop_nonce' })
  })

  it('asks nothing of whoever sends no proof', async () => {
    const answered = await send(credentials())
    expect(answered).toMatchObject({ status: 200, body: { token_type: 'Bearer' }, nonce: expect.stringMatching(fresh) })
    const { answer } = await through(new Browser(), issuer)
    expect(await redeem(issuer, answer)).toMatchObject({ token_type: 'Bearer' })
    expect((await open(new Browser(), issuer)).status).toBe(200)
  })
})

describe('policy.dpop_nonce', () => {
  it('is off where nothing is said', async () => {
    const own = `http://localhost:${await freePort()}`
    const quiet = await startServer({ issuer: own, clients: [backend] })
    expect(await send(credentials(own), {})).toMatchObject({ status: 200, nonce: '' })
    await stop(quiet)
  })

  it.each([true, 'on', null])('refuses %j', async dpop_nonce => {
    const own = `http://localhost:${await freePort()}`
    const { code, stderr } = await failedStart({ CONFIG: configFile({ issuer: own, policy: { dpop_nonce } }) })
    expect([code, stderr.trim()]).toEqual([1, 'policy.dpop_nonce must be "off" or "required"'])
  })
})
