/** The playground's server half: of the demo alone, and no help to anybody for anything else. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { generateKeyPairSync } from 'node:crypto'
import { memoryStore } from 'clientele'
// the page's own requests
import { certificateRequest, makeKey } from '../../example-app/playground/page/keys.js'
import { startDemo, type Demo } from '../browser/support/demo.ts'
import { serve } from './in-process.ts'

let demo: Demo
beforeAll(async () => {
  demo = await startDemo()
})
afterAll(() => demo.close())

const post = (path: string, body: unknown) =>
  fetch(`${demo.issuer}/playground/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body)
  })

describe('where it is', () => {
  afterEach(() => {
    process.env['NODE_ENV'] = 'test'
  })

  it('is the demo, under a policy that runs nothing of anybody else', async () => {
    const page = await fetch(`${demo.issuer}/playground`)
    expect(page.status).toBe(200)
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    expect(await page.text()).not.toMatch(/<script(?![^>]*src=)|style=|https?:\/\//)
  })

  it('is no server of somebody’s', async () => {
    const serving = await serve(() => ({}), memoryStore())
    for (const path of ['', '/setup.json', '/main.js'])
      expect((await fetch(`${serving.issuer}/playground${path}`)).status).toBe(404)
    expect(await (await fetch(serving.issuer)).text()).not.toContain('Playground')
    await serving.close()
  })

  it('is nowhere where NODE_ENV is production', async () => {
    process.env['NODE_ENV'] = 'production'
    const relied = await startDemo()
    expect((await fetch(`${relied.issuer}/playground/setup.json`)).status).toBe(404)
    expect(await (await fetch(relied.issuer)).text()).not.toContain('Playground')
    await relied.close()
  })
})

describe('bad input', () => {
  const form = { path: '/oauth2/token', headers: {}, body: 'grant_type=client_credentials' }
  it.each<[string, unknown]>([
    ['keys', {}],
    ['keys', { jwk: { kty: 'oct', k: 'c2VjcmV0' } }],
    ['keys', { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'k' } }],
    ['keys', { certificate: 'PEM' }],
    ['certificates', {}],
    ['certificates', { csr: 'AAAA' }],
    ['certificates', { csr: '30'.repeat(2000) }],
    ['vouchers', {}],
    ['vouchers', { signer: 'toString', claims: {} }],
    ['vouchers', { signer: 'attester', claims: { sub: 'demo-attested' } }],
    ['vouchers', { signer: 'platform', claims: { sub: 'system:serviceaccount:demo:deployer' } }],
    ['vouchers', { signer: 'domain', claims: { sub: 'spiffe://demo.example/demo/jwt' } }],
    ['vouchers', { signer: { toString: 1, valueOf: 1 } }],
    ['send', {}],
    ['vouchers', { signer: 'attester', claims: { sub: ['demo-attested'] } }],
    ['vouchers', { signer: 'attester', claims: { sub: [['demo-attested']] } }],
    ['send', { ...form, path: 'https://attacker.invalid/oauth2/token' }],
    ['send', { ...form, path: '//attacker.invalid/oauth2/token' }],
    ['send', { ...form, path: '/oauth2/../api/whoami' }],
    ['send', { ...form, path: '/oauth2/token?x=1' }],
    ['send', { ...form, cert: 'PEM', key: 'PEM' }],
    ['send', '{'],
    ['send', JSON.stringify({ ...form, body: 'x'.repeat(100_000) })]
  ])('to %s is refused: %j', async (path, body) => {
    const { status } = await post(path, body)
    expect([status >= 400, status < 500]).toEqual([true, true])
  })

  it.each([{ toString: 1, valueOf: 1 }, [{ toString: 1, valueOf: 1 }], 5, null])(
    'in the place of a name is signed as it is, and is nobody’s: %j',
    async sub => {
      for (const [path, body] of [
        ['assertions', { sub }],
        ['vouchers', { signer: 'attester', claims: { sub } }]
      ] as const)
        expect([path, (await post(path, body)).status]).toEqual([path, 200])
    }
  )

  it.each(['PEM', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
    'that is no certificate with a key is not presented: %j',
    async cert => {
      const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
      expect((await post('send', { ...form, cert, key })).status).toBe(400)
    }
  )

  it.each([
    ['an authority’s word for one of the demo’s own clients', 'demo-tls', {}],
    ['an SVID of one of the demo’s own clients', 'play-spiffe-x509', { by: 'domain', uris: ['spiffe://demo.example/demo/x509'] }],
    [
      'one among several',
      'x',
      { by: 'domain', uris: ['spiffe://demo.example/playground/x509', 'spiffe://demo.example/demo/x509'] }
    ]
  ])('that asks for %s gets no certificate', async (_, name, wish) => {
    const csr = await certificateRequest(name, await makeKey())
    expect((await post('certificates', { csr, ...wish })).status).toBe(400)
    const others = { by: 'domain', uris: ['spiffe://demo.example/playground/x509'] }
    expect((await post('certificates', { csr: await certificateRequest('play', await makeKey()), ...others })).status).toBe(200)
  })

  it.each([
    '..%2f..%2fpackage.json',
    '%2e%2e/main.ts',
    'index.html.js',
    'errors/..%2fREADME',
    'errors/Audience',
    'errors/nothing',
    'errors/__proto__',
    'nothing.js'
  ])('as the address %s leads to nothing', async path => {
    expect((await fetch(`${demo.issuer}/playground/${path}`)).status).toBe(404)
  })

  it('of a trace nobody has is no decision', async () => {
    expect(await (await fetch(`${demo.issuer}/playground/decisions/${'0'.repeat(32)}`)).json()).toEqual([])
  })
})

it('sends what a page may send, and nothing more', async () => {
  const answer = await post('send', {
    path: '/oauth2/token',
    headers: { cookie: 'a=b', 'x-bad': 'a\r\nb' },
    body: 'grant_type=client_credentials'
  })
  expect(answer.status).toBe(200)
  expect(((await answer.json()) as { status: number }).status).toBeGreaterThanOrEqual(400)
})
