/** What the two assertion methods share: the audience dial, remote keys, the request around the assertion, wrong options. */
import { describe, expect, it } from '@jest/globals'
import { guardedFetch } from '../../lib/outbound/guarded-fetch.ts'
import { jwtBearerAssertionType } from '../../lib/assertions/client-assertion.ts'
import { ConfigurationError } from '../../lib/options.ts'
import type { JwtStrategyOptions } from '../../lib/strategies/jwt-strategy.ts'
import { PrivateKeyJwtStrategy } from '../../lib/strategies/private-key-jwt.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import {
  basic,
  expectClient,
  expectInvalidRequest,
  expectRefused,
  issuer,
  notPassed,
  post,
  tokenEndpoint,
  withMiddleware,
  withPassport
} from '../support/servers/strategy-app.ts'
import { claimsAt, clock, key, methods, mounts, required, setupOf } from './assertion-methods.ts'
import { carrying, makeKey, sign } from './assertions.ts'
import { serveKeys } from './key-server.ts'

const next = await makeKey('ES256', { kid: 'second' })

describe('the audience dial', () => {
  const [privateKey, clientSecret] = methods
  const dial = { legacyAudiences: [tokenEndpoint] }

  it.each([
    ['issuer', 'billing', 401, ['audience:fail']],
    ['report', 'billing', 200, ['audience:report']],
    ['legacy', 'billing', 200, []],
    ['issuer', 'reported', 200, ['audience:report']],
    ['legacy', 'reported', 200, ['audience:report']],
    ['legacy', 'moved', 401, ['audience:fail']]
  ] as const)('set to %s for %s lets the token endpoint through: %i', async (assertionAudience, client_id, status, checks) => {
    for (const aud of [tokenEndpoint, [tokenEndpoint], [tokenEndpoint, issuer]]) {
      const tested = withPassport()(setupOf(privateKey, { ...dial, assertionAudience }))
      const assertion = await privateKey.sign(claimsAt(client_id, { aud }))
      expect((await post(tested.app, carrying(assertion))).status).toBe(status)
      expect(notPassed(tested)).toEqual(checks)
    }
  })

  it.each(['report', 'legacy'] as const)('set to %s lets nothing else through', async assertionAudience => {
    const { app } = withPassport()(setupOf(privateKey, { ...dial, assertionAudience }))
    for (const aud of [`${tokenEndpoint}/`, 'https://as.example.com/oauth2/par', 'https://other.example', [], undefined]) {
      expectRefused(await post(app, carrying(await privateKey.sign(claimsAt('billing', { aud })))))
    }
  })

  it('works for secrets too, and reports what to change', async () => {
    const tested = withMiddleware()(setupOf(clientSecret, dial))
    expectClient(
      await post(tested.app, carrying(await clientSecret.sign(claimsAt('hmac-reported', { aud: tokenEndpoint })))),
      'hmac-reported'
    )
    expect(tested.decisions[0]?.checks).toContainEqual({
      check: 'audience',
      outcome: 'report',
      section: 'rfc7523bis §4',
      expected: issuer,
      received: tokenEndpoint,
      fix: expect.stringContaining('aud')
    })
  })

  it('knows a list from a string where only a string counts', async () => {
    const { app } = withPassport()(setupOf(privateKey, { audienceAsStringOnly: true }))
    expectRefused(await post(app, carrying(await privateKey.sign(claimsAt('billing', { aud: [issuer] })))))
    expectClient(await post(app, carrying(await privateKey.sign(claimsAt('billing')))), 'billing')
  })
})

describe('a jwks_uri', () => {
  it('is fetched once for many, again for a new kid after a while, and never for one that is unknown within it', async () => {
    const keys = await serveKeys([key.jwk])
    let time = clock()
    const remote = [{ client_id: 'remote', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: keys.url }]
    const { app } = withPassport()({
      clients: remote,
      strategy: options =>
        new PrivateKeyJwtStrategy({
          ...options,
          issuer,
          store: memoryStore(),
          fetchJson: guardedFetch({ allowLoopback: true }),
          clock: () => time
        })
    })
    const send = async ({ privateKey, jwk }: typeof key) =>
      post(app, carrying(await sign(privateKey, { alg: 'ES256', kid: jwk.kid }, claimsAt('remote', { iat: undefined }))))
    try {
      const first = await Promise.all(Array.from({ length: 10 }, () => send(key)))
      first.forEach(response => expectClient(response, 'remote'))
      expect(keys.requests()).toBe(1)
      expectRefused(await send(next))
      keys.serve([next.jwk])
      expectRefused(await send(next))
      expect(keys.requests()).toBe(1)
      time += 31_000
      expectClient(await send(next), 'remote')
      expectRefused(await send(key))
      expect(keys.requests()).toBe(2)
    } finally {
      await keys.close()
    }
  })

  it.each([
    ['not found', 404, '{"keys":[]}'],
    ['no JSON', 200, '<html>'],
    ['no key set', 200, '{"key":[]}'],
    ['null', 200, 'null'],
    ['keys of nonsense', 200, '{"keys":[null,5,"x",{},[]]}'],
    ['too long', 200, `{"keys":[],"x":"${'x'.repeat(70_000)}"}`]
  ])('that answers %s refuses the client', async (_what, status, body) => {
    const keys = await serveKeys([])
    keys.answer(status, body)
    const remote = [{ client_id: 'remote', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: keys.url }]
    const fetchJson = guardedFetch({ allowLoopback: true })
    const tested = withMiddleware()({
      clients: remote,
      strategy: options => new PrivateKeyJwtStrategy({ ...options, ...required, clients: remote, fetchJson })
    })
    expectRefused(await post(tested.app, carrying(await sign(key.privateKey, { alg: 'ES256' }, claimsAt('remote')))))
    expect(notPassed(tested)).toEqual(['key:fail'])
    await keys.close()
  })

  it('on the loopback address is not asked unless that is allowed', async () => {
    const keys = await serveKeys([key.jwk])
    const remote = [{ client_id: 'remote', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: keys.url }]
    const { app } = withPassport()({
      clients: remote,
      strategy: () => new PrivateKeyJwtStrategy({ ...required, clients: remote })
    })
    expectRefused(await post(app, carrying(await sign(key.privateKey, { alg: 'ES256' }, claimsAt('remote')))))
    expect(keys.requests()).toBe(0)
    await keys.close()
  })
})

describe('a request', () => {
  const setup = setupOf(methods[0])
  const assertion = () => sign(key.privateKey, { alg: 'ES256' }, claimsAt('billing'))

  it('with half an assertion is malformed', async () => {
    for (const mount of mounts) {
      const { app } = mount(setup)
      expectInvalidRequest(await post(app, { client_assertion: await assertion() }))
      expectInvalidRequest(await post(app, { client_assertion_type: jwtBearerAssertionType, client_id: 'billing' }))
    }
  })

  it.each([
    'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
    'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe',
    jwtBearerAssertionType.toUpperCase(),
    `${jwtBearerAssertionType}/`
  ])('with an assertion of the type %s is not of this method', async client_assertion_type => {
    const form = { ...carrying(await assertion()), client_assertion_type }
    expect((await post(withPassport()(setup).app, form)).text).toBe('Unauthorized')
    expectRefused(await post(withMiddleware()(setup).app, form))
  })

  it('without an assertion is Passport’s own 401', async () => {
    const { app } = withPassport()(setup)
    for (const response of [
      await post(app, {}),
      await post(app, { client_id: 'billing' }),
      await post(app, {}, basic('billing', 'x'))
    ]) {
      expect([response.status, response.text, response.headers['www-authenticate']]).toEqual([401, 'Unauthorized', undefined])
    }
  })
})

it.each([
  ['issuer', undefined],
  ['issuer', 'as.example.com'],
  ['issuer', 'http://as.example.com'],
  ['issuer', 'https://as.example.com/'],
  ['store', undefined],
  ['store', {}],
  ['assertionAudience', 'strict'],
  ['legacyAudiences', tokenEndpoint],
  ['algorithms', []],
  ['algorithms', ['none']],
  ['algorithms', 'ES256'],
  ['clockTolerance', -1],
  ['clockTolerance', 61],
  ['maxLifetime', 0],
  ['keys', {}],
  ['fetchJson', 'fetch'],
  ['clock', 5],
  ['clients', undefined],
  ['onDecision', 'log'],
  ['audience', issuer]
])('a wrong option names itself: %s %p', (name, value) => {
  for (const { make } of methods) {
    const options = { [name]: value } as Partial<JwtStrategyOptions>
    expect(() => make(options)).toThrow(ConfigurationError)
    expect(() => make(options)).toThrow(expect.objectContaining({ key: name }))
  }
})
