/** The attack kit: ours refuses every one, and a server with planted faults lets through what each fault lets through. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import { createHmac, createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import express from 'express'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { authorizationServer, generateKeys, memoryStore, type ClientMetadata } from '../../lib/index.ts'
import { attacks, runAttacks, type AttackedClient, type AttackOptions } from '../../lib/testing/attacks.ts'

const issuer = 'https://as.example.com'
const callback = 'https://client.example.com/cb'
const client_secret = 'Zx8Q2mV7rT4kLp9sWd3nHy6uJb1cFg5eZx8Q2mV7rT4kLp9s'

let jwk: JWK & { alg: string; kid: string }
let ours: RequestListener

beforeAll(async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  jwk = { ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'one' }
  const { d, ...publicJwk } = jwk
  expect(d).toBeDefined()
  const app = express()
  const common = {
    grant_types: ['client_credentials', 'authorization_code'],
    redirect_uris: [callback],
    scope: 'openid api:read'
  }
  const secret = (method: string): ClientMetadata => ({
    ...common,
    client_id: method,
    token_endpoint_auth_method: method,
    client_secret
  })
  app.use(
    authorizationServer({
      issuer,
      clients: [
        { ...common, client_id: 'private_key_jwt', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicJwk] } },
        ...['client_secret_basic', 'client_secret_post', 'client_secret_jwt'].map(secret)
      ],
      store: memoryStore(),
      keys: await generateKeys(),
      scopes: ['openid', 'api:read'],
      guessProtection: false,
      registration: { access: 'open', grantTypes: ['authorization_code'] },
      interaction: { account: () => undefined, consented: () => false, prompt: (_req, res) => res.redirect(303, '/login') }
    })
  )
  ours = app as RequestListener
})

const clientOf = (method: string): AttackedClient => ({
  ...{ client_id: method, token_endpoint_auth_method: method, scope: 'api:read', redirect_uri: callback },
  ...(method !== 'private_key_jwt' && { client_secret })
})
const optionsFor = (method: string, app: RequestListener): AttackOptions => ({
  ...{ issuer, client: clientOf(method), app },
  ...(method === 'private_key_jwt' && { keys: { jwk } })
})

describe('a server of ours', () => {
  it.each(['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'])(
    'refuses all of them, as %s',
    async method => {
      const cases = await attacks(optionsFor(method, ours))
      const { sent, findings, notApplicable } = await runAttacks(cases)
      expect(findings).toEqual([])
      expect(sent).toBe(cases.length)
      const all = [...cases, ...cases.heldBack]
      expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
      expect(notApplicable).toHaveLength(cases.heldBack.length)
      for (const { reason } of notApplicable) expect(reason).toMatch(/^the client (?:has|authenticates)|that is the same$/)
      if (method === 'private_key_jwt') expect(cases.length).toBeGreaterThanOrEqual(200)
      for (const { section } of all) expect(section).toMatch(/§|Appendix/)
    }
  )
})

type Fault =
  | 'audience'
  | 'audience_prefix'
  | 'expiry'
  | 'replay'
  | 'signature'
  | 'alg_none'
  | 'hmac_confusion'
  | 'header_key'
  | 'subject'
  | 'critical'
  | 'doubled'
  | 'secret_prefix'
  | 'any_method'
  | 'crash'
  | 'query'

/** A small token endpoint that judges as it should, but for its one fault. */
function planted(fault: Fault): RequestListener {
  const seen = new Set<string>()
  const { d, ...publicJwk } = jwk
  const judge = (assertion: string): boolean => {
    if (d === undefined) return false
    const [head = '', body = '', signature = '', ...rest] = assertion.split('.')
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
    const key = createPublicKey({
      key: (fault === 'header_key' && header['jwk'] ? header['jwk'] : publicJwk) as JsonWebKey,
      format: 'jwk'
    })
    const isNone = String(header['alg']).toLowerCase() === 'none'
    const pem = key.export({ type: 'spki', format: 'pem' }).toString()
    const isConfused =
      header['alg'] === 'HS256' && createHmac('sha256', pem).update(`${head}.${body}`).digest('base64url') === signature
    const isSigned =
      header['alg'] === 'ES256' &&
      verify('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
    const audience = claims['aud']
    const now = Date.now() / 1000
    const checks: Partial<Record<Fault, boolean>> = {
      signature: isSigned || (fault === 'alg_none' && isNone) || (fault === 'hmac_confusion' && isConfused),
      audience: audience === issuer || (fault === 'audience_prefix' && String(audience).startsWith(issuer)),
      expiry:
        typeof claims['exp'] === 'number' &&
        claims['exp'] > now &&
        claims['exp'] < now + 3600 &&
        (claims['nbf'] === undefined || Number(claims['nbf']) <= now) &&
        ['number', 'undefined'].includes(typeof claims['iat']) &&
        Number(claims['iat'] ?? 0) <= claims['exp'],
      subject: claims['iss'] === 'private_key_jwt' && claims['sub'] === 'private_key_jwt',
      replay: typeof claims['jti'] === 'string' && claims['jti'] !== '' && !seen.has(claims['jti']),
      critical:
        header['crit'] === undefined &&
        header['b64'] === undefined &&
        [undefined, 'JWT'].includes(header['typ'] as string) &&
        rest.length === 0 &&
        assertion.length < 20_000
    }
    seen.add(String(claims['jti']))
    return Object.entries(checks).every(([name, passed]) => passed || name === fault)
  }
  const answerTo = (req: IncomingMessage, body: string): readonly [number, object] => {
    const { pathname, search } = new URL(req.url ?? '', issuer)
    if (pathname.startsWith('/.well-known/')) return [200, { issuer, token_endpoint: `${issuer}/token` }]
    if (req.method !== 'POST' && fault !== 'any_method') return [405, { error: 'invalid_request' }]
    const form = new URLSearchParams(fault === 'query' && body === '' ? search : body)
    const isForm = /^application\/x-www-form-urlencoded(?:; *charset=utf-8)?$/i.test(req.headers['content-type'] ?? '')
    const names = [...form.keys()]
    if (fault === 'crash' && form.has('resource')) return [500, {}]
    const isDoubled = fault !== 'doubled' && new Set(names).size !== names.length
    if (!isForm || isDoubled || names.length > 100 || body.length > 50_000) return [400, { error: 'invalid_request' }]
    return isGranted(form, req.headers.authorization) ? [200, { access_token: 'x' }] : [401, { error: 'invalid_client' }]
  }
  const isGranted = (form: URLSearchParams, authorization: string | undefined): boolean => {
    if (fault === 'secret_prefix' && form.get('client_id') === 'client_secret_post')
      return form.get('client_secret')?.startsWith(client_secret.slice(0, 30)) === true
    const wanted = {
      grant_type: 'client_credentials',
      scope: 'api:read',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      ...(form.has('client_id') && { client_id: 'private_key_jwt' })
    }
    const isAsked = Object.entries(wanted).every(([name, value]) => form.get(name) === value)
    if (!isAsked || form.has('resource') || form.has('client_secret') || authorization !== undefined) return false
    try {
      return judge(form.get('client_assertion') ?? '')
    } catch {
      // no JWT
      return false
    }
  }
  return (req, res) => {
    void text(req).then(body => {
      const [status, answer] = answerTo(req, body)
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  }
}

const lets: readonly (readonly [Fault, string, RegExp])[] = [
  ['audience', 'private_key_jwt', /aud of another server/],
  ['audience_prefix', 'private_key_jwt', /aud with the name of another host behind it/],
  ['expiry', 'private_key_jwt', /expired two minutes ago/],
  ['replay', 'private_key_jwt', /sent twice/],
  ['signature', 'private_key_jwt', /signed by a stranger/],
  ['alg_none', 'private_key_jwt', /alg "none" without a signature/],
  ['hmac_confusion', 'private_key_jwt', /HMAC with the public key as its secret \(spki\)/],
  ['header_key', 'private_key_jwt', /a key of its own in the header/],
  ['subject', 'private_key_jwt', /iss and sub of a client nobody has/],
  ['critical', 'private_key_jwt', /a crit that nobody understands/],
  ['doubled', 'private_key_jwt', /with two scopes/],
  ['secret_prefix', 'client_secret_post', /a character too few/],
  ['any_method', 'private_key_jwt', /by PUT/],
  ['crash', 'private_key_jwt', /for the resource/],
  ['query', 'private_key_jwt', /everything in the address/]
]

describe('a server with a planted fault', () => {
  it.each(lets)('%s is found out', async (fault, method, name) => {
    const cases = (await attacks(optionsFor(method, planted(fault)))).filter(attack => name.test(attack.name))
    const { findings } = await runAttacks(cases)
    expect(findings).not.toEqual([])
  })

  it('is known from one without', async () => {
    const { findings } = await runAttacks(await attacks(optionsFor('private_key_jwt', planted('secret_prefix'))))
    expect(findings).toEqual([])
  })
})

describe('what cannot be attacked', () => {
  const nothing: RequestListener = (_req, res) => void res.writeHead(404).end()
  it.each<[string, RequestListener, RegExp]>([
    ['has no metadata', nothing, /has no metadata/],
    [
      'refuses the good request',
      (req, res) => (req.url?.includes('well-known') === true ? void res.end(JSON.stringify({ issuer })) : nothing(req, res)),
      /the good request is answered 404/
    ]
  ])('a server that %s', async (_name, app, reason) => {
    await expect(attacks(optionsFor('private_key_jwt', app))).rejects.toThrow(reason)
  })

  it('a server that hangs is told of', async () => {
    const hanging = createServer()
    expect(hanging.listening).toBe(false)
    let isGood = true
    const app: RequestListener = (req, res) => {
      if (req.url?.includes('well-known') === true) res.end(JSON.stringify({ issuer, token_endpoint: `${issuer}/token` }))
      else if (isGood) res.end('{}')
      isGood = req.url?.includes('well-known') === true
    }
    const [first] = await attacks({ ...optionsFor('private_key_jwt', app), timeout: 100 })
    const { findings } = await runAttacks(first === undefined ? [] : [first])
    expect(findings).toEqual([{ name: first?.name, section: first?.section, level: 'error', status: undefined }])
  })
})
