import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { SignJWT } from 'jose'
import request from 'supertest'
import { newKeyPair } from '../../lib/crypto/key-pairs.ts'
import type { ClientMetadata } from '../../lib/index.ts'
import { basic, clients, harness, issuer, token, type Form, type Harness } from '../support/servers/authorization-server.ts'
import { makeCertificate } from '../support/certificates/certificates.ts'
import { publicKey } from '../support/servers/credential-sets.ts'

const pair = newKeyPair('P-256')
const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1' }
const keyed: ClientMetadata = {
  client_id: 'keyed',
  token_endpoint_auth_method: 'private_key_jwt',
  grant_types: ['client_credentials'],
  jwks: { keys: [jwk] }
}

const serve = (options = {}) => harness({ clients: [...clients, keyed], credentials: { endpoint: true }, ...options })
const ask = ({ app }: Harness, form: Form, client_id = 'web', secret?: string) =>
  request(app).post('/oauth2/credentials').type('form').set('Authorization', basic(client_id, secret)).send(form)

async function assertion({ clock }: Harness, client_id: string, key = pair.privateKey, kid = 'k1', alg = 'ES256'): Promise<Form> {
  const now = Math.floor(clock.now / 1000)
  const jwt = new SignJWT({ iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 60 })
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await jwt.setProtectedHeader({ alg, kid }).sign(key)
  }
}
const granted = ({ app }: Harness, form: Form) =>
  request(app)
    .post('/oauth2/token')
    .type('form')
    .send({ grant_type: 'client_credentials', ...form })

describe('the credentials endpoint', () => {
  it('is not there unless it is asked for, and in no metadata', async () => {
    const closed = await harness()
    expect((await ask(closed, { action: 'list' })).status).toBe(404)
    const { app } = await serve()
    const { text } = await request(app).get('/.well-known/oauth-authorization-server')
    expect(text).not.toContain('credentials_endpoint')
  })

  it('lists a client’s own, and rotates its secret without losing the one it has', async () => {
    const world = await serve()
    const rotated = await ask(world, {
      action: 'rotate_secret',
      label: 'mine',
      previous_expires_at: String(world.clock.now / 1000 + 60)
    })
    expect(rotated.status).toBe(200)
    expect(rotated.headers['cache-control']).toBe('no-store')
    const { client_secret, id } = rotated.body as { client_secret: string; id: string }
    const listed = await ask(world, { action: 'list' }, 'web', client_secret)
    expect(listed.body).toEqual({
      credentials: [
        expect.objectContaining({ id: '1', state: 'live', expires_at: world.clock.now / 1000 + 60 }),
        expect.objectContaining({ credential: 'method:client_secret_basic' }),
        expect.objectContaining({ id, label: 'mine', state: 'live' })
      ]
    })
    expect(listed.text).not.toContain(client_secret)
    world.clock.now += 60_000
    expect((await token(world.app, 'web', { grant_type: 'client_credentials' })).status).toBe(401)
    expect((await ask(world, { action: 'revoke', id: '1' }, 'web', client_secret)).status).toBe(200)
    expect((await ask(world, { action: 'revoke', id }, 'web', client_secret)).body).toMatchObject({ error: 'invalid_request' })
  })

  it('adds a key for a client that signs; the same key again is the same credential', async () => {
    const world = await serve()
    const next = newKeyPair('P-256')
    const form = { action: 'add_key', jwk: JSON.stringify({ ...next.publicKey.export({ format: 'jwk' }), kid: 'k2' }) }
    const send = async () =>
      request(world.app)
        .post('/oauth2/credentials')
        .type('form')
        .send({ ...form, ...(await assertion(world, 'keyed')) })
    const [first, again] = [await send(), await send()]
    expect(first.body).toEqual({ id: expect.any(String), credential: 'kid:k2' })
    expect(again.body).toEqual(first.body)
    expect((await granted(world, await assertion(world, 'keyed', next.privateKey, 'k2'))).status).toBe(200)
  })

  it('adds a certificate as files have it, and a key as people write it', async () => {
    const make = () => makeCertificate({ notAfter: new Date('2030-01-01') })
    const [own, next] = [make(), make()]
    let presented = own
    const certified: ClientMetadata = {
      client_id: 'certified',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      grant_types: ['client_credentials'],
      credentials: [{ type: 'certificate', id: 'own', certificate: own.pem }]
    }
    const certificateSource = () => ({ der: presented.der, verified: false })
    const world = await serve({ clients: [keyed, certified], certificateMethods: true, certificateSource })
    const send = (form: Form) => request(world.app).post('/oauth2/credentials').type('form').send(form)
    const added = await send({ action: 'add_certificate', client_id: 'certified', certificate: next.pem })
    expect(added.body).toEqual({ id: expect.any(String), credential: expect.any(String) })
    presented = next
    expect((await granted(world, { client_id: 'certified' })).status).toBe(200)
    const pretty = JSON.stringify({ ...newKeyPair('P-256').publicKey.export({ format: 'jwk' }), kid: 'k2' }, null, 2)
    const proof = await assertion(world, 'keyed')
    expect((await send({ action: 'add_key', jwk: pretty, ...proof })).body).toMatchObject({ credential: 'kid:k2' })
  })

  it.each<[string, object]>([
    ['constructor', { kty: 'constructor' }],
    ['__proto__', { kty: '__proto__' }],
    ['toString', { kty: 'toString', crv: 'constructor' }],
    ['a list', { kty: ['EC'] }],
    ['60 kB of something', { ...publicKey('k3'), note: 'x'.repeat(30_000) }],
    ['a long kid', { ...publicKey('k'.repeat(300)) }]
  ])('refuses a key of the kind %s, and is not at fault', async (_, jwk) => {
    const world = await serve()
    const proof = await assertion(world, 'keyed')
    const response = await request(world.app)
      .post('/oauth2/credentials')
      .type('form')
      .send({ action: 'add_key', jwk: JSON.stringify(jwk), ...proof })
    expect(response).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })

  it.each<[string, Form]>([
    ['no action', {}],
    ['an action nobody has', { action: 'allow_method', method: 'private_key_jwt' }],
    ['an action of a prototype', { action: 'constructor' }],
    ['a key where it has no method for one', { action: 'add_key', jwk: JSON.stringify(jwk) }],
    ['a certificate where it has no method for one', { action: 'add_certificate', certificate: makeCertificate().pem }],
    ['a revocation of nothing', { action: 'revoke' }],
    ['a revocation of another’s', { action: 'revoke', id: 'jwks:x' }],
    ['its last credential', { action: 'revoke', id: '1', force: 'true' }],
    ['an expiry in the past', { action: 'rotate_secret', expires_at: '1' }],
    ['an end of the others in milliseconds', { action: 'rotate_secret', previous_expires_at: '1900000000000' }],
    ['an end in milliseconds', { action: 'expire', id: '1', expires_at: '1900000000000' }],
    ['an expiry that is no number', { action: 'rotate_secret', expires_at: '1e99' }],
    ['a label of a line break', { action: 'rotate_secret', label: 'a\u202eb' }],
    ['an end without a time', { action: 'expire', id: '1' }]
  ])('refuses %s', async (_, form) => {
    const world = await serve()
    const { status, body } = await ask(world, form)
    expect([status, body.error]).toEqual([400, 'invalid_request'])
    expect((await token(world.app, 'web', { grant_type: 'client_credentials' })).status).toBe(200)
  })

  it('names what was wrong as it was sent', async () => {
    const { body } = await ask(await serve(), { action: 'rotate_secret', previous_expires_at: '1' })
    expect(body.error_description).toBe('previous_expires_at must be seconds since the epoch, in the future')
  })

  it('refuses whoever is no confidential client in the same words', async () => {
    const world = await serve()
    const answers = [
      await ask(world, { action: 'list' }, 'web', 'wrong'),
      await ask(world, { action: 'list' }, 'nobody'),
      await request(world.app).post('/oauth2/credentials').type('form').send({ action: 'list', client_id: 'spa' })
    ]
    for (const { status, body } of answers) expect([status, body.error]).toEqual([401, 'invalid_client'])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect((await request(world.app).get('/oauth2/credentials')).status).toBe(405)
  })
})

describe('a second method', () => {
  it('works beside the first within its dates, and each says which it was', async () => {
    const decisions: { method?: string; credential?: string }[] = []
    const world = await serve({ onDecision: (decision: object) => decisions.push(decision) })
    const { credentials } = world.server
    const now = world.clock.now / 1000
    await credentials.addKey('web', jwk)
    await credentials.allowMethod('web', 'private_key_jwt', { not_before: now + 10, expires_at: now + 100 })
    const both = async () => [
      (await token(world.app, 'web', { grant_type: 'client_credentials' })).status,
      (await granted(world, await assertion(world, 'web'))).status
    ]
    expect(await both()).toEqual([200, 401])
    world.clock.now += 10_000
    expect(await both()).toEqual([200, 200])
    expect(decisions.slice(-2)).toMatchObject([
      { method: 'client_secret_basic', credential: 'secret:1' },
      { method: 'private_key_jwt', credential: 'kid:k1' }
    ])
    await credentials.revokeCredential('web', 'token_endpoint_auth_method')
    expect(await both()).toEqual([401, 200])
    world.clock.now += 90_000
    expect(await both()).toEqual([401, 401])
  })

  it('of one mechanism is told from the first by what signed', async () => {
    const secret = 'x'.repeat(48)
    const client = {
      ...keyed,
      client_secret: secret,
      credentials: [{ type: 'method', id: 'more', method: 'client_secret_jwt' }] as const
    }
    const world = await harness({ clients: [client] })
    const symmetric = await assertion(world, 'keyed', Buffer.from(secret) as never, 'any', 'HS256')
    expect((await granted(world, symmetric)).status).toBe(200)
    expect((await granted(world, await assertion(world, 'keyed'))).status).toBe(200)
  })

  it('is never none, and never one that a profile refuses', async () => {
    const method = (name: string) => [{ type: 'method', id: 'm', method: name }] as const
    const secretClient = { client_id: 'a', client_secret: 'b' }
    await expect(harness({ clients: [{ ...secretClient, credentials: method('none') }] })).rejects.toThrow(
      'clients[0].credentials[0].method'
    )
    const bound = { ...keyed, dpop_bound_access_tokens: true, credentials: method('client_secret_basic') }
    await expect(harness({ clients: [bound], profile: 'fapi2-security' })).rejects.toThrow('clients[0].credentials[0].method')
    const { server } = await harness({ clients: [{ ...keyed, dpop_bound_access_tokens: true }], profile: 'fapi2-security' })
    await expect(server.credentials.allowMethod('keyed', 'client_secret_basic')).rejects.toMatchObject({ code: 'not_allowed' })
  })
})
