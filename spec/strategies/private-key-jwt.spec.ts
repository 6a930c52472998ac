import { describe, expect, it } from '@jest/globals'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { exportSPKI, importJWK, type CryptoKey, type JWK } from 'jose'
import type { ClientMetadata } from '../../lib/clients/client.ts'
import { PrivateKeyJwtStrategy } from '../../lib/strategies/private-key-jwt.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { makeCertificate } from '../support/certificates/certificates.ts'
import {
  expectClient,
  expectRefused,
  issuer,
  mounts,
  notPassed,
  operatorView,
  post,
  secret,
  withMiddleware,
  withPassport,
  type StrategySetup
} from '../support/servers/strategy-app.ts'
import { assemble, carrying, claimsOf, makeKey, sign, type SigningKey } from './assertions.ts'
import { describeBadParameters } from './bad-parameters.ts'
import { expectNoSwaps } from './overlap.ts'

const method = 'private_key_jwt'
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const
const keys = new Map<string, SigningKey>()
for (const alg of algorithms) keys.set(alg, await makeKey(alg, { kid: alg, alg }))
const jwks = { keys: [...keys.values()].map(({ jwk }) => jwk) }
const keyOf = (alg: string): SigningKey => keys.get(alg) ?? fail(alg)
const strangers = { RS256: await makeKey('RS256'), ES256: await makeKey('ES256', { kid: 'ES256' }) }
const certificate = makeCertificate()

/** RSA under 2048 bits: jose would not sign with it, so it is made by hand where it is used. */
const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
const both: JWK = { ...strangers.ES256.jwk, kid: 'private', d: 'AAAA' }

const clients: ClientMetadata[] = [
  { client_id: 'billing', token_endpoint_auth_method: method, jwks },
  { client_id: 'only-ps256', token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: 'PS256', jwks },
  { client_id: 'only-ed25519', token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: 'Ed25519', jwks },
  {
    client_id: 'only-hs256',
    token_endpoint_auth_method: method,
    token_endpoint_auth_signing_alg: 'HS256',
    client_secret: secret,
    jwks
  },
  { client_id: 'with-secret', token_endpoint_auth_method: method, client_secret: secret, jwks },
  {
    client_id: 'no-kid',
    token_endpoint_auth_method: method,
    jwks: { keys: [{ ...keyOf('ES256').jwk, kid: undefined } as unknown as JWK] }
  },
  { client_id: 'one-kid', token_endpoint_auth_method: method, jwks: { keys: jwks.keys.map(key => ({ ...key, kid: 'same' })) } },
  { client_id: 'encryption', token_endpoint_auth_method: method, jwks: { keys: [{ ...keyOf('ES256').jwk, use: 'enc' }] } },
  { client_id: 'short', token_endpoint_auth_method: method, jwks: { keys: [short.publicKey.export({ format: 'jwk' })] } },
  {
    client_id: 'odd-keys',
    token_endpoint_auth_method: method,
    jwks: { keys: [null, 'key', {}, { kty: 'EC' }, both] as unknown as JWK[] }
  },
  {
    client_id: 'symmetric',
    token_endpoint_auth_method: method,
    jwks: { keys: [{ kty: 'oct', k: Buffer.from(secret).toString('base64url') }] }
  },
  { client_id: 'hmac', client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt', jwks },
  { client_id: 'self-signed', token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks },
  { client_id: 'public', token_endpoint_auth_method: 'none', jwks }
]
const strategy: StrategySetup['strategy'] = options => new PrivateKeyJwtStrategy({ ...options, issuer, store: memoryStore() })
const setup: StrategySetup = { clients, strategy }
const es256 = (client_id = 'billing', header: Record<string, unknown> = {}, { privateKey } = keyOf('ES256')) =>
  sign(privateKey, { alg: 'ES256', ...header }, claimsOf(client_id))
const publicJwk = keyOf('RS256').jwk
const pem = await exportSPKI((await importJWK(publicJwk, 'RS256')) as CryptoKey)
const pkcs1 = createPublicKey(pem).export({ format: 'pem', type: 'pkcs1' }).toString()

/** HMAC with what an attacker knows: the public key. */
const confused = (key: string | Uint8Array, client_id = 'billing') =>
  sign(key, { alg: 'HS256', kid: 'RS256' }, claimsOf(client_id))

const refused: readonly (readonly [what: string, make: () => Promise<string> | string, check: string])[] = [
  ['an unknown client', () => es256('nobody'), 'client:fail'],
  ['a key of nobody', () => es256('billing', {}, strangers.ES256), 'signature:fail'],
  ['a key of nobody under a known kid', () => es256('billing', { kid: 'ES256' }, strangers.ES256), 'signature:fail'],
  ['an unknown kid', () => es256('billing', { kid: 'nobody' }), 'key:fail'],
  ['the kid of another kind of key', () => es256('billing', { kid: 'RS256' }), 'key:fail'],
  [
    'a kid that is no string',
    async () => assemble({ alg: 'ES256', kid: 5 }, claimsOf('billing'), (await es256()).split('.')[2]),
    'header:fail'
  ],
  ['an empty signature', async () => (await es256()).replace(/[^.]+$/, ''), 'signature:fail'],
  [
    'a signature of zeros',
    async () => (await es256()).replace(/[^.]+$/, Buffer.alloc(64).toString('base64url')),
    'signature:fail'
  ],
  [
    'a signature in DER',
    async () => (await es256()).replace(/[^.]+$/, Buffer.from('3006020101020101', 'hex').toString('base64url')),
    'signature:fail'
  ],
  ['none', () => assemble({ alg: 'none' }, claimsOf('billing'), ''), 'algorithm:fail'],
  ['HS256 with the public key’s PEM', () => confused(pem), 'algorithm:fail'],
  ['HS256 with the PEM, trimmed', () => confused(pem.trim()), 'algorithm:fail'],
  ['HS256 with the PEM of PKCS #1', () => confused(pkcs1), 'algorithm:fail'],
  ['HS256 with the public JWK', () => confused(JSON.stringify(publicJwk)), 'algorithm:fail'],
  ['HS256 with the modulus', () => confused(Buffer.from(publicJwk.n ?? '', 'base64url')), 'algorithm:fail'],
  ['HS256 with the PEM, where HS256 was registered', () => confused(pem, 'only-hs256'), 'algorithm:fail'],
  ['HS256 with a symmetric key in the jwks', () => confused(secret, 'symmetric'), 'algorithm:fail'],
  ['HS256 with the client’s secret', () => confused(secret, 'with-secret'), 'algorithm:fail'],
  ['another alg than was registered', () => es256('only-ps256'), 'algorithm:fail'],
  [
    'PS256 called RS256',
    () => sign(keyOf('PS256').privateKey, { alg: 'PS256' }, claimsOf('billing')).then(jws => relabel(jws, 'RS256')),
    'signature:fail'
  ],
  ['an encryption key', () => es256('encryption'), 'key:fail'],
  ['an RSA key of 1024 bits', () => assemble({ alg: 'RS256' }, claimsOf('short')), 'key:fail'],
  ['a jwks of malformed and private keys', () => es256('odd-keys', {}, strangers.ES256), 'key:fail'],
  ['a client of client_secret_jwt', () => es256('hmac'), 'registered_method:fail'],
  ['a client of self_signed_tls_client_auth', () => es256('self-signed'), 'registered_method:fail'],
  ['a public client with a jwks', () => es256('public'), 'registered_method:fail'],
  ['an embedded jwk', () => es256('billing', { jwk: strangers.ES256.jwk }, strangers.ES256), 'signature:fail'],
  [
    'a jku',
    () => es256('billing', { jku: 'https://attacker.example/jwks.json', kid: 'ES256' }, strangers.ES256),
    'signature:fail'
  ],
  ['an x5u', () => es256('billing', { x5u: 'https://attacker.example/chain.pem' }, strangers.ES256), 'signature:fail'],
  ['crit', () => assemble({ alg: 'ES256', crit: ['exp'], exp: 1 }, claimsOf('billing')), 'header:fail'],
  ['an empty crit', () => assemble({ alg: 'ES256', crit: [] }, claimsOf('billing')), 'header:fail'],
  ['b64 as crit', () => assemble({ alg: 'ES256', crit: ['b64'], b64: false }, claimsOf('billing')), 'header:fail']
]

describe.each(mounts)('private_key_jwt through %s', (_way, mount) => {
  it('authenticates with every algorithm, by kid and without one', async () => {
    const tested = mount(setup)
    for (const alg of algorithms) {
      const { privateKey } = keyOf(alg)
      expectClient(await post(tested.app, carrying(await sign(privateKey, { alg, kid: alg }, claimsOf('billing')))), 'billing')
      expect(tested.decisions.at(-1)).toMatchObject({
        outcome: 'authenticated',
        method,
        mechanism: 'assertion',
        credential: `kid:${alg}`
      })
      const assertion = await sign(privateKey, { alg, typ: 'client-authentication+jwt' }, claimsOf('billing'))
      expectClient(await post(tested.app, carrying(assertion, { client_id: 'billing' })), 'billing')
    }
  })

  it.each(refused)('refuses %s in the same words', async (_what, make, check) => {
    const tested = mount(setup)
    const assertion = await make()
    expectRefused(await post(tested.app, carrying(assertion)))
    expect(notPassed(tested)).toEqual([check])
    const view = operatorView(tested)
    for (const part of assertion.split('.').filter(({ length }) => length > 8)) expect(view).not.toContain(part)
  })
})

describe('keys', () => {
  it('are found among several of one kid, and without any', async () => {
    const { app } = withPassport()(setup)
    for (const alg of algorithms) {
      const assertion = await sign(keyOf(alg).privateKey, { alg, kid: 'same' }, claimsOf('one-kid'))
      expectClient(await post(app, carrying(assertion)), 'one-kid')
    }
    expectClient(await post(app, carrying(await es256('no-kid'))), 'no-kid')
    expectRefused(await post(app, carrying(await es256('no-kid', { kid: 'ES256' }))))
  })

  it('are not taken from a certificate in the header', async () => {
    const tested = withMiddleware()(setup)
    const header = { alg: 'ES256', x5c: [certificate.der.toString('base64')], kid: 'ES256' }
    const key = await importJWK(certificate.key.export({ format: 'jwk' }), 'ES256')
    expectRefused(await post(tested.app, carrying(await sign(key, header, claimsOf('billing')))))
    expect(notPassed(tested)).toEqual(['signature:fail'])
  })

  it('sign with the registered algorithm, under either name of Ed25519', async () => {
    const { app } = withPassport()(setup)
    const { privateKey } = keyOf('PS256')
    expectClient(await post(app, carrying(await sign(privateKey, { alg: 'PS256' }, claimsOf('only-ps256')))), 'only-ps256')
    for (const alg of ['EdDSA', 'Ed25519']) {
      expectClient(
        await post(app, carrying(await sign(keyOf(alg).privateKey, { alg, kid: alg }, claimsOf('only-ed25519')))),
        'only-ed25519'
      )
    }
  })

  it('are asymmetric, whatever the option lists', () => {
    const limited = new PrivateKeyJwtStrategy({ clients, issuer, store: memoryStore(), algorithms: ['HS256', 'ES256'] })
    expect(limited.signingAlgorithms).toEqual(['ES256'])
    expect(new PrivateKeyJwtStrategy({ clients, issuer, store: memoryStore() }).signingAlgorithms).toEqual(algorithms)
  })
})

describeBadParameters(setup, async () => carrying(await es256()), ['client_assertion', 'client_assertion_type'])

it('overlapping requests never swap clients', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `client-${index}`)
  const own = new Map(await Promise.all(names.map(async name => [name, await makeKey('ES256', { kid: name })] as const)))
  const registered = [...own].map(([client_id, { jwk }]) => ({
    client_id,
    token_endpoint_auth_method: method,
    jwks: { keys: [jwk] }
  }))
  await expectNoSwaps(registered, strategy, () =>
    Promise.all(
      names.flatMap(client_id => [
        es256(client_id, { kid: client_id }, own.get(client_id)).then(assertion => ({ body: carrying(assertion), client_id })),
        es256(client_id, {}, strangers.ES256).then(assertion => ({ body: carrying(assertion), client_id: undefined }))
      ])
    )
  )
})

function relabel(assertion: string, alg: string): string {
  return [Buffer.from(JSON.stringify({ alg })).toString('base64url'), ...assertion.split('.').slice(1)].join('.')
}

function fail(alg: string): never {
  throw new Error(`no key for ${alg}`)
}
