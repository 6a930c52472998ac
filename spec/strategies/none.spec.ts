import { describe, expect, it } from '@jest/globals'
import type { ClientMetadata } from '../../lib/clients/client.ts'
import { ConfigurationError } from '../../lib/options.ts'
import type { StrategyOptions } from '../../lib/strategies/attempt.ts'
import { NoneStrategy } from '../../lib/strategies/none.ts'
import { makeCertificate } from '../support/certificates/certificates.ts'
import {
  basic,
  expectClient,
  expectInvalidRequest,
  expectRefused,
  mounts,
  notPassed,
  post,
  secret,
  withMiddleware,
  withPassport,
  type StrategySetup
} from '../support/servers/strategy-app.ts'
import { makeKey } from './assertions.ts'
import { describeBadParameters } from './bad-parameters.ts'
import { expectNoSwaps } from './overlap.ts'
import { postOver, tlsClient } from './tls-requests.ts'

const { jwk } = await makeKey('ES256')
const clients: ClientMetadata[] = [
  { client_id: 'app', token_endpoint_auth_method: 'none' },
  { client_id: 'https://app.example/größe?a=b+c', token_endpoint_auth_method: 'none' },
  { client_id: 'app-with-secret', token_endpoint_auth_method: 'none', client_secret: secret, jwks: { keys: [jwk] } },
  { client_id: 'default', client_secret: secret },
  { client_id: 'client_secret_basic', client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' },
  { client_id: 'client_secret_post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'client_secret_jwt', client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt' },
  { client_id: 'private_key_jwt', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
  { client_id: 'tls_client_auth', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'spec' },
  { client_id: 'self_signed_tls_client_auth', token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [jwk] } },
  { client_id: 'attest_jwt_client_auth', token_endpoint_auth_method: 'attest_jwt_client_auth' },
  { client_id: 'NONE', token_endpoint_auth_method: 'NONE' }
]
const confidential = clients.slice(3).map(({ client_id }) => client_id)
const strategy: StrategySetup['strategy'] = options => new NoneStrategy(options)
const setup: StrategySetup = { clients, strategy }

describe.each(mounts)('none through %s', (_way, mount) => {
  it.each(clients.slice(0, 3).map(({ client_id }) => client_id))('takes the public client %s', async client_id => {
    const tested = mount(setup)
    expectClient(await post(tested.app, { scope: 'jobs', client_id }), client_id)
    expect(tested.decisions).toEqual([
      expect.objectContaining({ outcome: 'authenticated', client_id, method: 'none', mechanism: 'client_id' })
    ])
    expect(tested.decisions[0]).not.toHaveProperty('credential')
  })

  it.each(confidential)('refuses the confidential client %s', async client_id => {
    const tested = mount(setup)
    expectRefused(await post(tested.app, { scope: 'jobs', client_id }))
    expect(notPassed(tested)).toEqual(['registered_method:fail'])
  })

  it.each(['nobody', 'APP', 'app ', '__proto__', 'toString', '\u202eppa'])('refuses the unknown client %p', async client_id => {
    const tested = mount(setup)
    expectRefused(await post(tested.app, { scope: 'jobs', client_id }))
    expect(notPassed(tested)).toEqual(['client:fail'])
  })
})

const carryingMore: readonly (readonly [what: string, form: Record<string, string>, headers: Record<string, string>])[] = [
  ['a secret', { client_id: 'app', client_secret: 'x' }, {}],
  ['an assertion', { client_id: 'app', client_assertion: 'x' }, {}],
  ['an assertion type', { client_id: 'app', client_assertion_type: 'x' }, {}],
  ['Basic credentials', { client_id: 'app' }, basic('app', '')],
  ['another Authorization header', { client_id: 'app' }, { Authorization: 'Bearer x' }],
  ['an empty Authorization header', { client_id: 'app' }, { Authorization: '' }]
]

describe('a request that carries a proof', () => {
  it.each(carryingMore)('is not of this method: %s', async (_what, form, headers) => {
    const { app, decisions } = withPassport()(setup)
    const response = await post(app, form, headers)
    expect([response.status, response.text, response.headers['www-authenticate']]).toEqual([401, 'Unauthorized', undefined])
    expect(decisions).toEqual([])
    expectRefused(await post(withPassport([], [], { failWithError: true })(setup).app, form, headers))
    const selected = await post(withMiddleware()(setup).app, form, headers)
    expect([selected.status, selected.body.error]).toEqual([401, 'invalid_client'])
  })

  it('is of this method again where the proof is empty', async () => {
    const { app } = withPassport()(setup)
    const form = { scope: 'jobs', client_id: 'app', client_secret: '', client_assertion: '', client_assertion_type: '' }
    expectClient(await post(app, form), 'app')
  })

  it('is of this method where the proof is a certificate, which may bind what the client is given', async () => {
    const certificate = tlsClient(makeCertificate())
    expectClient(await postOver(withPassport()(setup).app, certificate, { scope: 'jobs', client_id: 'app' }), 'app')
    expectRefused(await postOver(withPassport()(setup).app, certificate, { client_id: 'tls_client_auth' }))
  })
})

it('a request without a client_id is Passport’s own 401', async () => {
  for (const form of [{}, { client_id: '' }, { scope: 'jobs' }]) {
    const response = await post(withPassport()(setup).app, form)
    expect([response.status, response.text]).toEqual([401, 'Unauthorized'])
  }
})

it('the URL may name nobody', async () => {
  const { app } = withPassport()(setup)
  expect((await post(app, { scope: 'jobs' }).query({ client_id: 'app' })).status).toBe(401)
  expectInvalidRequest(await post(app, { client_id: 'app' }).query({ client_assertion: 'x' }))
})

describeBadParameters(setup, () => ({ client_id: 'app', scope: 'jobs' }), ['client_id'])

it('overlapping requests never swap clients', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `client-${index}`)
  const registered = names.map((client_id, index) =>
    index % 3 === 0 ? { client_id, client_secret: secret } : { client_id, token_endpoint_auth_method: 'none' }
  )
  await expectNoSwaps(registered, strategy, () =>
    names.map((client_id, index) => ({
      body: { scope: `of ${index}`, client_id },
      client_id: index % 3 === 0 ? undefined : client_id
    }))
  )
})

it.each([
  ['clients', undefined],
  ['clients', 5],
  ['onDecision', true],
  ['realm', 'OAuth']
])('NoneStrategy refuses the option %s: %p', (key, value) => {
  const options = { clients, [key]: value } as StrategyOptions
  expect(() => new NoneStrategy(options)).toThrow(ConfigurationError)
  expect(() => new NoneStrategy(options)).toThrow(expect.objectContaining({ key }))
})
