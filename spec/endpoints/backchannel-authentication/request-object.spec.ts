import { beforeAll, describe, expect, it } from '@jest/globals'
import { CompactSign } from 'jose'
import { memoryStore, type AuthorizationServerOptions } from '../../../lib/index.ts'
import { api, breakableStore, files, issuer } from '../../support/servers/authorization-server.ts'
import { ask, askers, backchannelServer, client_notification_token, good, pinged } from '../../support/servers/backchannel.ts'
import { outcome } from '../../support/servers/devices.ts'
import { listening } from '../../support/checks/event-log.ts'
import { makeSigner, now, signRequest, type Signer } from '../../support/servers/signed-requests.ts'

let ps256: Signer
let es256: Signer
let stranger: Signer

beforeAll(async () => {
  ps256 = await makeSigner('PS256', 'ps')
  es256 = await makeSigner('ES256', 'es')
  stranger = await makeSigner('PS256', 'ps')
})

let jti = 0
/** The claims of a good request; undefined leaves one out. */
const claims = (change: Readonly<Record<string, unknown>> = {}) => ({
  iss: 'signer',
  aud: issuer,
  iat: now,
  nbf: now,
  exp: now + 300,
  jti: `jti ${(jti += 1)}`,
  ...good,
  ...change
})

/** `signer` may sign with either key, `strict` must with PS256. */
const signingServer = (options: Partial<AuthorizationServerOptions> = {}) => {
  const jwks = { keys: [ps256.jwk, es256.jwk] }
  const strict = { client_id: 'strict', jwks, backchannel_authentication_request_signing_alg: 'PS256' }
  const told = { ...pinged(), jwks }
  return backchannelServer({}, { clients: askers({ client_id: 'signer', jwks }, strict, told), ...options })
}

const send = async (app: Parameters<typeof ask>[0], signed: object, signer = ps256, client_id = 'signer') =>
  outcome(await ask(app, { request: await signRequest(signer, signed) }, client_id))

describe('a signed request', () => {
  it.each<[string, Record<string, unknown>]>([
    ['with all it needs', {}],
    ['with a list of audiences', { aud: ['https://elsewhere.example', issuer] }],
    ['that is eight seconds ahead', { nbf: now + 8, iat: now + 8 }],
    ['that lives an hour', { exp: now + 3600 }],
    ['that names its client', { client_id: 'signer' }],
    ['with parameters nobody knows', { extra: 'foobar', nested: { a: [1] } }]
  ])('%s is taken', async (_name, change) => {
    const { app } = await signingServer()
    expect(await send(app, claims(change))).toBe('200')
    expect(await send(app, claims(change), es256)).toBe('200')
  })

  it('may name several resources', async () => {
    const { app, server } = await signingServer()
    expect(await send(app, claims({ resource: [api, files, api] }))).toBe('200')
    expect(await server.backchannel.pending({ sub: 'alice' })).toMatchObject([{ resources: [api, files] }])
    for (const resource of [[api, 'https://nobody.example'], [api, 7], [[api]], { 0: api }])
      expect(await send(app, claims({ resource }))).toMatch(/^400 invalid_(?:target|request)$/)
    expect(await send(app, claims({ acr_values: ['a', 'b'] }))).toBe('400 invalid_request')
  })

  it('says everything by itself', async () => {
    const { app, server } = await signingServer({ authorizationDetails: { payment: () => true } })
    const details = [{ type: 'payment', amount: 7 }]
    const asked = claims({ binding_message: 'inside', requested_expiry: 10, authorization_details: details })
    const response = await ask(app, { request: await signRequest(ps256, asked) }, 'signer')
    expect(response.body).toMatchObject({ expires_in: 10 })
    expect(await server.backchannel.pending({ sub: 'alice' })).toMatchObject([
      { binding_message: 'inside', scope: ['openid', 'api:read'], authorization_details: details }
    ])
    expect(
      (await ask(app, { request: await signRequest(ps256, claims({ requested_expiry: '11' })) }, 'signer')).body
    ).toMatchObject({
      expires_in: 11
    })
  })

  it.each<[string, Record<string, unknown>]>([
    ['without aud', { aud: undefined }],
    ['for another server', { aud: 'https://elsewhere.example' }],
    ['without iss', { iss: undefined }],
    ['of another client', { iss: 'strict' }],
    ['that names another client', { client_id: 'strict' }],
    ['that is a client assertion', { sub: 'signer' }],
    ['without exp', { exp: undefined }],
    ['without iat', { iat: undefined }],
    ['without nbf', { nbf: undefined }],
    ['without jti', { jti: undefined }],
    ['with an empty jti', { jti: '' }],
    ['with a long jti', { jti: 'x'.repeat(513) }],
    ['with a number for a jti', { jti: 7 }],
    ['that has expired', { nbf: now - 400, exp: now - 100 }],
    ['that is a minute ahead', { nbf: now + 62 }],
    ['that lives longer than an hour', { exp: now + 3601 }],
    ['that is older than an hour', { nbf: now - 4200, exp: now + 60 }],
    ['with text for a time', { exp: 'tomorrow' }],
    ['with two hints', { login_hint_token: 'token of alice' }],
    ['without a hint', { login_hint: undefined }],
    ['with a number for a hint', { login_hint: 7 }],
    ['with a hint of two lines', { login_hint: 'a\nb' }],
    ['with a fraction of a second', { requested_expiry: 1.5 }],
    ['with no time', { requested_expiry: 0 }],
    ['with a huge number', { requested_expiry: 1e300 }],
    ['without scope', { scope: undefined }]
  ])('%s is refused', async (_name, change) => {
    const { app } = await signingServer()
    expect(await send(app, claims(change))).toBe('400 invalid_request')
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['a scope there is not', { scope: 'openid nonsense' }, '400 invalid_scope'],
    ['nobody', { login_hint: 'mallory' }, '400 unknown_user_id'],
    ['with a message that hides', { binding_message: 'a\u200Bb' }, '400 invalid_binding_message']
  ])('that asks for %s is refused like any other', async (_name, change, expected) => {
    const { app } = await signingServer()
    expect(await send(app, claims(change))).toBe(expected)
  })

  it('is refused without a signature of its client’s', async () => {
    const { app } = await signingServer()
    expect(await send(app, claims(), stranger)).toBe('400 invalid_request')
    const unsigned = [{ alg: 'none' }, claims()].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    for (const request of [`${unsigned}.`, 'a.b.c', '{}', 'x'.repeat(20_000)])
      expect(outcome(await ask(app, { request }, 'signer'))).toBe('400 invalid_request')
    // nobody's keys are registered for this one
    expect(outcome(await ask(app, { request: await signRequest(ps256, claims({ iss: 'web' })) }))).toBe('400 invalid_request')
  })

  it('nested as deeply as a request can be is refused, and harms nobody', async () => {
    const { app } = await signingServer()
    const deep = '['.repeat(5000) + ']'.repeat(5000)
    const body = Buffer.from(`{"authorization_details":${deep},${JSON.stringify(claims()).slice(1)}`)
    const request = await new CompactSign(body).setProtectedHeader({ alg: 'PS256', kid: 'ps' }).sign(ps256.privateKey)
    expect(outcome(await ask(app, { request }, 'signer'))).toMatch(/^400 /)
  })

  it('has nothing beside it but what authenticates its client', async () => {
    const { app } = await signingServer()
    for (const [name, value] of Object.entries({ scope: 'openid', login_hint: 'alice', requested_expiry: '5', user_code: '1' })) {
      const request = await signRequest(ps256, claims())
      expect([name, outcome(await ask(app, { request, [name]: value }, 'signer'))]).toEqual([name, '400 invalid_request'])
    }
    const request = await signRequest(ps256, claims())
    expect(outcome(await ask(app, { request, extra: 'foobar' }, 'signer'))).toBe('200')
  })

  it('is taken once, of fifty at once too, and each other one is told', async () => {
    const { onEvent, events } = listening()
    const { app } = await signingServer({ onEvent })
    const request = await signRequest(ps256, claims())
    const answers = await Promise.all(Array.from({ length: 50 }, async () => outcome(await ask(app, { request }, 'signer'))))
    expect(answers.filter(answer => answer === '200')).toHaveLength(1)
    expect(new Set(answers)).toEqual(new Set(['200', '400 invalid_request']))
    const replayed = events.filter(({ type }) => type === 'assertion.replayed')
    expect(replayed).toHaveLength(49)
    expect(replayed[0]).toMatchObject({ client_id: 'signer', use: 'request_object', trace_id: expect.any(String) })
  })

  it('is not taken where it cannot be remembered', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const { app } = await signingServer({ store })
    broken.set('add', 'rejects')
    expect(await send(app, claims())).toBe('503 temporarily_unavailable')
  })

  it('is what a client sends that registered an algorithm for it, and with that algorithm', async () => {
    const { app } = await signingServer()
    const own = { iss: 'strict' }
    expect(outcome(await ask(app, good, 'strict'))).toBe('400 invalid_request')
    expect(await send(app, claims(own), es256, 'strict')).toBe('400 invalid_request')
    expect(await send(app, claims(own), ps256, 'strict')).toBe('200')
  })

  it('carries the token its client is told with', async () => {
    const { app } = await signingServer()
    expect(await send(app, claims({ iss: 'pinged' }), ps256, 'pinged')).toBe('400 invalid_request')
    expect(await send(app, claims({ iss: 'pinged', client_notification_token }), ps256, 'pinged')).toBe('200')
  })
})
