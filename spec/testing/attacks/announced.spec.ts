/** What a server's metadata does not announce, it may ignore: that is told apart from what it lets through. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { IncomingMessage, RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { attacks, runAttacks, type AttackOptions } from '../../../lib/testing/attacks.ts'
import { startOpenidProvider, type OpenidProvider } from '../../support/servers/openid-provider.ts'

const issuer = 'https://as.example.com'
const callback = 'https://client.example.com/cb'
const client_secret = 'Zx8Q2mV7rT4kLp9sWd3nHy6uJb1cFg5eZx8Q2mV7rT4kLp9s'
const method = 'client_secret_basic'
const optionsFor = (app: RequestListener): AttackOptions => ({
  client: { client_id: method, token_endpoint_auth_method: method, scope: 'api:read', redirect_uri: callback, client_secret },
  ...{ issuer, app }
})

/** A server that knows Basic, PKCE-less codes and nothing else, and takes no notice of the rest. */
function simple(metadata: object, token: (req: IncomingMessage, form: URLSearchParams) => object | undefined = () => ({})) {
  const own = `Basic ${Buffer.from(`client_secret_basic:${client_secret}`).toString('base64')}`
  const once = (form: URLSearchParams, names: readonly string[]): boolean => names.every(name => form.getAll(name).length < 2)
  const answerTo = (req: IncomingMessage, body: string): readonly [number, object, string?] => {
    const { pathname, searchParams: asked } = new URL(req.url ?? '', issuer)
    if (pathname.startsWith('/.well-known/')) {
      const endpoints = { token_endpoint: `${issuer}/token`, authorization_endpoint: `${issuer}/authorize` }
      return [200, { issuer, ...endpoints, response_types_supported: ['code'], ...metadata }]
    }
    if (pathname === '/authorize') {
      const isClient = asked.get('client_id') === 'client_secret_basic' && asked.get('redirect_uri') === callback
      if (!isClient || !once(asked, ['client_id', 'redirect_uri'])) return [400, {}]
      return [303, {}, asked.get('response_type') === 'code' ? '/login' : `${callback}?error=unsupported_response_type`]
    }
    const form = new URLSearchParams(body)
    const isRead = req.headers['content-type'] === 'application/x-www-form-urlencoded' && body.length < 50_000
    if (req.method !== 'POST' || !isRead || !once(form, ['grant_type', 'scope', 'client_id'])) return [400, {}]
    if (req.headers.authorization !== own) return [401, {}]
    if (form.get('grant_type') !== 'client_credentials' || form.get('scope') !== 'api:read') return [400, {}]
    const made = token(req, form)
    return made === undefined ? [500, {}] : [200, { access_token: 'x', ...made }]
  }
  const app: RequestListener = (req, res) => {
    void text(req).then(body => {
      const [status, answer, location] = answerTo(req, body)
      const headers = { 'content-type': 'application/json', ...(location !== undefined && { location }) }
      res.writeHead(status, headers).end(JSON.stringify(answer))
    })
  }
  return app
}

describe('what metadata does not announce', () => {
  let ignored: ReadonlySet<string>
  const report = async (app: RequestListener) => {
    const cases = await attacks(optionsFor(app))
    return runAttacks(cases.filter(({ name }) => ignored.has(name)))
  }
  const plain = { code_challenge_methods_supported: ['S256', 'plain'] }

  // the rest of them is refused by it, and has nothing to do with what it announces
  beforeAll(async () => {
    const cases = await attacks(optionsFor(simple({})))
    const { sent, findings, notApplicable } = await runAttacks(cases)
    expect([sent, findings]).toEqual([cases.length, []])
    for (const { reason } of notApplicable) expect(reason).toMatch(/^[a-z].{15,}[^.]$/)
    const held = cases.heldBack.map(({ name }) => name)
    ignored = new Set(notApplicable.map(({ name }) => name).filter(name => !held.includes(name)))
  })

  it('may be ignored, and is told apart', async () => {
    expect(ignored.size).toBe(61)
    const { sent, findings, notApplicable } = await report(simple({}))
    expect([sent, findings, notApplicable.length]).toEqual([61, [], 61])
  })

  it.each<[string, object, RegExp, number]>([
    ['DPoP', { dpop_signing_alg_values_supported: ['ES256'] }, /^token: DPoP proof, /, 44],
    ['resources', { protected_resources: [] }, /^token: for the resource /, 3],
    ['assertions', { token_endpoint_auth_methods_supported: ['private_key_jwt'] }, /with two assertions$/, 1],
    [
      'secrets in the body',
      { token_endpoint_auth_methods_supported: ['client_secret_post'] },
      /with two client_secrets$|with its proof twice/,
      2
    ],
    ['PKCE', { code_challenge_methods_supported: ['S256'] }, /with the PKCE method|with a challenge that is none/, 6],
    ['PKCE with plain', plain, /with the PKCE method "S512"|with a challenge that is none/, 4],
    ['request objects', { request_parameter_supported: true }, /request object/, 2],
    [
      'request objects that are signed',
      { request_object_signing_alg_values_supported: ['ES256'] },
      /request object|request_uri/,
      4
    ],
    ['request objects by address', { request_uri_parameter_supported: true }, /request_uri/, 2],
    ['response modes', { response_modes_supported: ['query'] }, /response mode/, 1],
    ['OpenID Connect', { id_token_signing_alg_values_supported: ['ES256'] }, /response mode|request_uri/, 3]
  ])('is a finding once it is announced: %s', async (_words, metadata, names, count) => {
    const { findings, notApplicable } = await report(simple(metadata))
    expect(findings).toHaveLength(count)
    for (const { name } of findings) {
      expect(name).toMatch(names)
      expect(notApplicable.map(other => other.name)).not.toContain(name)
    }
  })

  it.each<[string, RequestListener, RegExp]>([
    ['breaks', simple({}, req => (req.headers['dpop'] === undefined ? {} : undefined)), /^token: DPoP proof, /],
    [
      'takes effect',
      simple({}, (_req, form) => {
        const claims = Buffer.from(JSON.stringify({ aud: form.get('resource') ?? issuer })).toString('base64url')
        return { access_token: `e30.${claims}.x` }
      }),
      /^token: for the resource /
    ]
  ])('is a finding nevertheless where it %s', async (_words, app, names) => {
    const { findings } = await report(app)
    expect(findings).not.toEqual([])
    for (const { name, level } of findings) expect([names.test(name), level]).toEqual([true, 'error'])
  })
})

describe('a server nobody here wrote', () => {
  const common = {
    grant_types: ['client_credentials', 'authorization_code'],
    redirect_uris: [callback],
    response_types: ['code']
  }
  let provider: OpenidProvider
  let jwk: JWK & { alg: string; kid: string }
  beforeAll(async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    jwk = { ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'one' }
    const publicJwk = { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'one' }
    const secret = (method: string) => ({ ...common, client_id: method, token_endpoint_auth_method: method, client_secret })
    provider = await startOpenidProvider([
      ...['client_secret_basic', 'client_secret_post', 'client_secret_jwt'].map(secret),
      { ...common, client_id: 'private_key_jwt', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicJwk] } }
    ])
  })
  afterAll(() => provider.stop())

  const types = ['at+jwt', 'dpop+jwt', 'logout+jwt', 'secevent+jwt', 'oauth-authz-req+jwt', 'token-introspection+jwt']
  const assertions = [
    'warning token: aud of this server and another',
    'error token: an unencoded payload',
    ...types.map(type => `warning token: a JWT of the type ${type}`)
  ]
  it.each([
    ['client_secret_basic', []],
    ['client_secret_post', ['error token: with a byte of zero behind it in place of the secret']],
    ['client_secret_jwt', assertions],
    ['private_key_jwt', assertions]
  ])('is found to let pass what it does, and nothing else, as %s', async (method, expected) => {
    const credential = method === 'private_key_jwt' ? undefined : client_secret
    const client = { client_id: method, token_endpoint_auth_method: method, redirect_uri: callback, client_secret: credential }
    const keys = credential === undefined ? { jwk } : undefined
    const { findings } = await runAttacks(await attacks({ issuer: provider.issuer, client, keys }))
    expect(findings.map(({ level, name }) => `${level} ${name}`)).toEqual(expected)
  })
})
