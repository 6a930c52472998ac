import { describe, expect, it } from '@jest/globals'
import type { JWK } from 'jose'
import { guardedFetch } from '../../lib/outbound/guarded-fetch.ts'
import type { ClientMetadata } from '../../lib/clients/client.ts'
import { ConfigurationError } from '../../lib/options.ts'
import {
  SelfSignedTlsClientAuthStrategy,
  type SelfSignedTlsClientAuthOptions
} from '../../lib/strategies/self-signed-tls-client-auth.ts'
import { makeCertificate, type MadeCertificate } from '../support/certificates/certificates.ts'
import { rsaKey } from '../support/keys/made-keys.ts'
import {
  bareMounts,
  basic,
  expectClient,
  expectRefused,
  mounts,
  notPassed,
  post,
  slowly,
  withMiddleware,
  withPassport,
  type StrategySetup
} from '../support/servers/strategy-app.ts'
import { describeBadParameters } from './bad-parameters.ts'
import { serveKeys } from './key-server.ts'
import { authority, postOver, tlsClient, type TlsClient } from './tls-requests.ts'

const method = 'self_signed_tls_client_auth'
const day = 86_400_000
const withX5c = ({ jwk, der }: MadeCertificate): JWK => ({ ...jwk, x5c: [der.toString('base64')] })

const ec = makeCertificate({ subject: 'billing' })
const sameKey = makeCertificate({ subject: 'billing', key: ec.key })
const rsa = makeCertificate({ subject: 'billing', key: rsaKey() })
const stranger = makeCertificate({ subject: 'billing' })
const vouchedFor = makeCertificate({ subject: 'billing', issuer: authority })
const expired = makeCertificate({ notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) })
const early = makeCertificate({ notBefore: new Date(Date.now() + day), notAfter: new Date(Date.now() + 2 * day) })

const registered = (client_id: string, ...keys: readonly unknown[]): ClientMetadata => ({
  client_id,
  token_endpoint_auth_method: method,
  jwks: { keys: keys as JWK[] }
})
const clients: ClientMetadata[] = [
  registered('x5c', withX5c(ec)),
  registered('bare', ec.jwk),
  registered('rsa', rsa.jwk),
  registered('second', { kty: 'EC' }, null, withX5c(rsa), withX5c(ec)),
  registered('encryption', { ...ec.jwk, use: 'enc' }),
  registered('as-issuer', { ...stranger.jwk, x5c: [stranger.der.toString('base64'), ec.der.toString('base64')] }),
  registered('other-key', { ...ec.jwk, x5c: [stranger.der.toString('base64')] }),
  registered('private', { ...ec.jwk, d: 'AAAA' }),
  registered('malformed', { ...ec.jwk, x5c: 'not a list' }, { ...ec.jwk, x5c: [] }, { kty: 'EC', crv: 'P-256', x: '', y: '' }),
  registered('none'),
  registered('expired', withX5c(expired), expired.jwk),
  registered('early', withX5c(early)),
  registered('vouched-for', stranger.jwk),
  {
    client_id: 'tls',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=billing',
    jwks: { keys: [ec.jwk] }
  },
  { client_id: 'keys', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [withX5c(ec)] } },
  { client_id: 'public', token_endpoint_auth_method: 'none', jwks: { keys: [ec.jwk] } }
]
const strategy: StrategySetup['strategy'] = options => new SelfSignedTlsClientAuthStrategy(options)
const setup: StrategySetup = { clients, strategy }

const refused: readonly (readonly [what: string, client_id: string, certificate: TlsClient | undefined, check: string])[] = [
  ['no certificate', 'x5c', undefined, 'certificate:fail'],
  ['an unknown client', 'nobody', tlsClient(ec), 'client:fail'],
  ['another certificate', 'x5c', tlsClient(stranger), 'certificate_key:fail'],
  ['another certificate of the same key, where x5c is registered', 'x5c', tlsClient(sameKey), 'certificate_key:fail'],
  ['another key', 'bare', tlsClient(rsa), 'certificate_key:fail'],
  ['the certificate as an issuer in x5c', 'as-issuer', tlsClient(ec), 'certificate_key:fail'],
  ['the key beside another certificate', 'other-key', tlsClient(ec), 'certificate_key:fail'],
  ['a registered private key', 'private', tlsClient(ec), 'certificate_key:fail'],
  ['malformed keys', 'malformed', tlsClient(ec), 'certificate_key:fail'],
  ['no keys', 'none', tlsClient(ec), 'certificate_key:fail'],
  ['a certificate an authority vouches for', 'vouched-for', tlsClient(vouchedFor), 'certificate_key:fail'],
  ['a certificate that has expired', 'expired', tlsClient(expired), 'certificate_validity:fail'],
  ['a certificate of tomorrow', 'early', tlsClient(early), 'certificate_validity:fail'],
  ['a client of tls_client_auth', 'tls', tlsClient(ec), 'registered_method:fail'],
  ['a client of private_key_jwt', 'keys', tlsClient(ec), 'registered_method:fail'],
  ['a public client', 'public', tlsClient(ec), 'registered_method:fail']
]

describe.each(mounts)('self_signed_tls_client_auth through %s', (_way, mount) => {
  it('authenticates a registered certificate, or one of a registered key', async () => {
    const tested = mount(setup)
    for (const [client_id, certificate] of [
      ['x5c', ec],
      ['bare', ec],
      ['bare', sameKey],
      ['rsa', rsa],
      ['second', ec],
      ['second', rsa],
      ['encryption', ec]
    ] as const) {
      expectClient(await postOver(tested.app, tlsClient(certificate), { scope: 'jobs', client_id }), client_id)
      const credential = `x5t#S256:${certificate.thumbprint}`
      expect(tested.decisions.at(-1)).toMatchObject({
        outcome: 'authenticated',
        client_id,
        method,
        mechanism: 'client_id',
        credential
      })
    }
  })
})

describe.each(bareMounts)('a certificate through %s', (_way, mount) => {
  it('is refused in the same words wherever it is another', async () => {
    const tested = mount(setup)
    const failed: Record<string, readonly string[]> = {}
    for (const [what, client_id, certificate] of refused) {
      expectRefused(await postOver(tested.app, certificate, { scope: 'jobs', client_id }))
      failed[what] = notPassed(tested)
    }
    expect(failed).toEqual(Object.fromEntries(refused.map(([what, , , check]) => [what, [check]])))
  })
})

describe('a jwks_uri', () => {
  it('is asked for the certificate, and again after a new one was put there', async () => {
    const keys = await serveKeys([withX5c(ec)])
    const behind: ClientMetadata = { client_id: 'remote', token_endpoint_auth_method: method, jwks_uri: keys.url }
    let time = Date.now()
    const { app } = withMiddleware()({
      clients: [behind],
      strategy: options =>
        new SelfSignedTlsClientAuthStrategy({ ...options, fetchJson: guardedFetch({ allowLoopback: true }), clock: () => time })
    })
    try {
      const form = { scope: 'jobs', client_id: 'remote' }
      expectClient(await postOver(app, tlsClient(ec), form), 'remote')
      expectRefused(await postOver(app, tlsClient(rsa), form))
      keys.serve([withX5c(rsa)])
      expectRefused(await postOver(app, tlsClient(rsa), form))
      time += 60_000
      expectClient(await postOver(app, tlsClient(rsa), form), 'remote')
      expectRefused(await postOver(app, tlsClient(ec), form))
    } finally {
      await keys.close()
    }
  })

  it('that does not answer refuses the client', async () => {
    const keys = await serveKeys([])
    await keys.close()
    const behind: ClientMetadata = { client_id: 'remote', token_endpoint_auth_method: method, jwks_uri: keys.url }
    const tested = withMiddleware()({
      clients: [behind],
      strategy: options => new SelfSignedTlsClientAuthStrategy({ ...options, fetchJson: guardedFetch({ allowLoopback: true }) })
    })
    expectRefused(await postOver(tested.app, tlsClient(ec), { client_id: 'remote' }))
    expect(notPassed(tested)).toEqual(['key:fail'])
  })
})

it.each([
  ['no client_id', {}, {}],
  ['a secret', { client_id: 'bare', client_secret: 'x' }, {}],
  ['an assertion', { client_id: 'bare', client_assertion: 'x', client_assertion_type: 'y' }, {}],
  ['an Authorization header', { client_id: 'bare' }, basic('bare', 'x')]
])('is not the method of a request with %s', async (_what, form, headers) => {
  const response = await postOver(withPassport()(setup).app, tlsClient(ec), form, headers)
  expect([response.status, response.text]).toEqual([401, 'Unauthorized'])
})

it('a plain connection has no certificate, whatever its headers say', async () => {
  const tested = withMiddleware()(setup)
  expectRefused(await post(tested.app, { client_id: 'bare' }, { 'Client-Cert': `:${ec.der.toString('base64')}:` }))
  expect(notPassed(tested)).toEqual(['certificate:fail'])
})

describeBadParameters(setup, () => ({ client_id: 'bare', scope: 'jobs' }), ['client_id'], 401)

it('overlapping requests never swap clients', async () => {
  const own = Array.from({ length: 8 }, () => makeCertificate())
  const slow = slowly(own.map(({ jwk }, index) => registered(`client-${index}`, jwk)))
  for (const mount of [withPassport(), withMiddleware()]) {
    const { app } = mount({ clients: slow, strategy })
    const answers = await Promise.all(
      own.flatMap((certificate, index) =>
        [index, (index + 1) % own.length].map(named =>
          postOver(app, tlsClient(certificate), { scope: 'jobs', client_id: `client-${named}` })
        )
      )
    )
    answers.forEach((answer, index) => {
      if (index % 2 === 0) expectClient(answer, `client-${index / 2}`)
      else expectRefused(answer)
    })
  }
})

it.each([
  ['clients', undefined],
  ['keys', {}],
  ['keys', 'jwks'],
  ['fetchJson', 'https://client.example/jwks'],
  ['jwks', []]
])('SelfSignedTlsClientAuthStrategy refuses the option %s: %p', (key, value) => {
  const options = { clients, [key]: value } as SelfSignedTlsClientAuthOptions
  expect(() => new SelfSignedTlsClientAuthStrategy(options)).toThrow(ConfigurationError)
  expect(() => new SelfSignedTlsClientAuthStrategy(options)).toThrow(expect.objectContaining({ key }))
})
