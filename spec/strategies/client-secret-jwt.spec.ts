import { describe, expect, it } from '@jest/globals'
import type { ClientMetadata } from '../../lib/clients/client.ts'
import { ClientSecretJwtStrategy } from '../../lib/strategies/client-secret-jwt.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
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
import { assemble, carrying, claimsOf, makeKey, sign } from './assertions.ts'
import { describeBadParameters } from './bad-parameters.ts'
import { expectNoSwaps } from './overlap.ts'

const method = 'client_secret_jwt'
const pair = await makeKey('ES256', { kid: 'pair' })
const clients: ClientMetadata[] = [
  { client_id: 'billing', client_secret: secret, token_endpoint_auth_method: method },
  { client_id: 'other', client_secret: secret.toUpperCase(), token_endpoint_auth_method: method },
  {
    client_id: 'größe',
    client_secret: 'пароль-秘密-🔑-a secret of more than sixty-four bytes in UTF-8',
    token_endpoint_auth_method: method
  },
  { client_id: 'only-384', client_secret: secret, token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: 'HS384' },
  { client_id: 'only-none', client_secret: secret, token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: 'none' },
  {
    client_id: 'only-es256',
    client_secret: secret,
    token_endpoint_auth_method: method,
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [pair.jwk] }
  },
  { client_id: 'enough-for-256', client_secret: 'x'.repeat(32), token_endpoint_auth_method: method },
  { client_id: 'expired', client_secret: secret, client_secret_expires_at: 1, token_endpoint_auth_method: method },
  { client_id: 'basic', client_secret: secret },
  { client_id: 'keys', client_secret: secret, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [pair.jwk] } },
  { client_id: 'public', token_endpoint_auth_method: 'none' }
]
const strategy: StrategySetup['strategy'] = options => new ClientSecretJwtStrategy({ ...options, issuer, store: memoryStore() })
const setup: StrategySetup = { clients, strategy }
const hs256 = (client_id = 'billing', key = secret) => sign(key, { alg: 'HS256' }, claimsOf(client_id))

const refused: readonly (readonly [what: string, make: () => Promise<string> | string, check: string])[] = [
  ['an unknown client', () => hs256('nobody'), 'client:fail'],
  ['a wrong secret', () => hs256('billing', `${secret}!`), 'signature:fail'],
  ['the secret of another client', () => hs256('billing', secret.toUpperCase()), 'signature:fail'],
  ['an empty signature', async () => (await hs256()).replace(/[^.]+$/, ''), 'signature:fail'],
  ['a cut signature', async () => (await hs256()).slice(0, -4), 'signature:fail'],
  ['other claims under the signature', async () => swapClaims(await hs256(), claimsOf('billing')), 'signature:fail'],
  ['a client of client_secret_basic', () => hs256('basic'), 'registered_method:fail'],
  ['a client of private_key_jwt', () => hs256('keys'), 'registered_method:fail'],
  ['a public client', () => hs256('public'), 'registered_method:fail'],
  ['an expired secret', () => hs256('expired'), 'key:fail'],
  ['a secret shorter than the hash', () => sign('x'.repeat(32), { alg: 'HS384' }, claimsOf('enough-for-256')), 'key:fail'],
  ['another hash than was registered', () => hs256('only-384'), 'algorithm:fail'],
  ['none', () => assemble({ alg: 'none' }, claimsOf('billing'), ''), 'algorithm:fail'],
  ['none with a signature', async () => swapHeader(await hs256(), { alg: 'none' }), 'algorithm:fail'],
  ['none in other letters', () => assemble({ alg: 'nOnE' }, claimsOf('billing'), ''), 'algorithm:fail'],
  ['none where none was registered', () => assemble({ alg: 'none' }, claimsOf('only-none'), ''), 'algorithm:fail'],
  ['a hash nobody uses', () => assemble({ alg: 'HS1' }, claimsOf('billing')), 'algorithm:fail'],
  ['an alg in other letters', async () => swapHeader(await hs256(), { alg: 'hs256' }), 'algorithm:fail'],
  ['a private key', () => sign(pair.privateKey, { alg: 'ES256' }, claimsOf('billing')), 'algorithm:fail'],
  ['a private key that was registered', () => sign(pair.privateKey, { alg: 'ES256' }, claimsOf('only-es256')), 'algorithm:fail'],
  ['a secret where ES256 was registered', () => hs256('only-es256'), 'algorithm:fail'],
  [
    'a key in its own header',
    () =>
      sign(
        'k'.repeat(64),
        { alg: 'HS256', jwk: { kty: 'oct', k: Buffer.from('k'.repeat(64)).toString('base64url') } },
        claimsOf('billing')
      ),
    'signature:fail'
  ]
]

describe.each(mounts)('client_secret_jwt through %s', (_way, mount) => {
  it.each(['HS256', 'HS384', 'HS512'])('authenticates with %s', async alg => {
    const tested = mount(setup)
    for (const [client_id, key] of [
      ['billing', secret],
      ['größe', clients[2]?.client_secret ?? '']
    ] as const) {
      expectClient(await post(tested.app, carrying(await sign(key, { alg }, claimsOf(client_id)))), client_id)
    }
    expect(tested.decisions).toEqual([
      expect.objectContaining({
        outcome: 'authenticated',
        client_id: 'billing',
        method,
        mechanism: 'assertion',
        credential: 'secret:1'
      }),
      expect.objectContaining({ outcome: 'authenticated', client_id: 'größe' })
    ])
  })

  it.each(refused)('refuses %s in the same words', async (_what, make, check) => {
    const tested = mount(setup)
    const assertion = await make()
    expectRefused(await post(tested.app, carrying(assertion)))
    expect(notPassed(tested)).toEqual([check])
    expectKeptSecret(operatorView(tested), assertion)
  })

  it('takes one assertion once', async () => {
    const { app } = mount(setup)
    const assertion = await hs256()
    expectClient(await post(app, carrying(assertion)), 'billing')
    expectRefused(await post(app, carrying(assertion)))
  })
})

describe('algorithms', () => {
  it('are the registered one alone', async () => {
    const { app } = withPassport()(setup)
    expectClient(await post(app, carrying(await sign(secret, { alg: 'HS384' }, claimsOf('only-384')))), 'only-384')
    expectClient(
      await post(app, carrying(await sign('x'.repeat(32), { alg: 'HS256' }, claimsOf('enough-for-256')))),
      'enough-for-256'
    )
  })

  it('are those of the option, of the kind that uses a secret', async () => {
    const limited = (algorithms?: readonly string[]) =>
      new ClientSecretJwtStrategy({ clients, issuer, store: memoryStore(), algorithms })
    expect(limited().signingAlgorithms).toEqual(['HS256', 'HS384', 'HS512'])
    expect(limited(['HS512', 'ES256']).signingAlgorithms).toEqual(['HS512'])
    const { app } = withMiddleware()({ clients, strategy: () => limited(['HS512', 'ES256']) })
    expectRefused(await post(app, carrying(await hs256())))
    expectClient(await post(app, carrying(await sign(secret, { alg: 'HS512' }, claimsOf('billing')))), 'billing')
  })
})

describeBadParameters(setup, async () => carrying(await hs256()), ['client_assertion', 'client_assertion_type'])

it('overlapping requests never swap clients', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `client-${index}`)
  const secretOf = (client_id: string) => `${client_id} ${secret}`
  const registered = names.map(client_id => ({
    client_id,
    client_secret: secretOf(client_id),
    token_endpoint_auth_method: method
  }))
  await expectNoSwaps(registered, strategy, () =>
    Promise.all(
      names.flatMap((client_id, index) => [
        hs256(client_id, secretOf(client_id)).then(assertion => ({ body: carrying(assertion), client_id })),
        hs256(client_id, secretOf(`client-${index + 1}`)).then(assertion => ({ body: carrying(assertion), client_id: undefined }))
      ])
    )
  )
})

function swapHeader(assertion: string, header: unknown): string {
  return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...assertion.split('.').slice(1)].join('.')
}

function swapClaims(assertion: string, claims: unknown): string {
  const [header, , signature] = assertion.split('.')
  return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
}

function expectKeptSecret(view: string, assertion: string): void {
  expect(view).not.toContain(secret)
  for (const part of assertion.split('.').filter(({ length }) => length > 8)) expect(view).not.toContain(part)
}
