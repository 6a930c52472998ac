/** Selecting the one strategy a request calls for. */
import { describe, expect, it } from '@jest/globals'
import express, { type RequestHandler } from 'express'
import { authenticateClient, type AuthenticateClientOptions } from '../../lib/authentication/authenticate-client.ts'
import { ConfigurationError } from '../../lib/options.ts'
import { ClientSecretBasicStrategy } from '../../lib/strategies/client-secret-basic.ts'
import { NoneStrategy } from '../../lib/strategies/none.ts'
import { carrying } from '../strategies/assertions.ts'
import {
  certified,
  clients,
  every,
  hmac,
  mechanisms,
  selecting,
  selfSigned,
  signed,
  type Sent
} from '../strategies/every-strategy.ts'
import { postOver, tlsClient } from '../strategies/tls-requests.ts'
import {
  appOf,
  basic,
  challenge,
  expectClient,
  expectInvalidRequest,
  expectRefused,
  notPassed,
  operatorView,
  post,
  rawBasic,
  secret
} from '../support/servers/strategy-app.ts'

describe('a request is judged by the strategy it calls for', () => {
  it.each([
    ['no parser before it', [] as RequestHandler[]],
    ['express.urlencoded before it', [express.urlencoded({ extended: true })]]
  ])('with %s', async (_what, before) => {
    const tested = selecting(undefined, {}, before)
    const requests: readonly (readonly [client_id: string, form: Record<string, string>, headers?: Record<string, string>])[] = [
      ['basic', {}, basic('basic', secret)],
      ['basic', { client_id: 'basic' }, basic('basic', secret)],
      ['post', { client_id: 'post', client_secret: secret }],
      ['hmac', carrying(await hmac())],
      ['keys', carrying(await signed())],
      ['keys', carrying(await signed(), { client_id: 'keys' })],
      ['app', { client_id: 'app' }],
      ['app', { client_id: 'app', client_secret: '' }]
    ]
    for (const [client_id, form, headers] of requests)
      expectClient(await post(tested.app, { scope: 'jobs', ...form }, headers), client_id)
    expectClient(await postOver(tested.app, tlsClient(certified), { scope: 'jobs', client_id: 'tls' }), 'tls')
    expectClient(await postOver(tested.app, tlsClient(selfSigned), { scope: 'jobs', client_id: 'self-signed' }), 'self-signed')
    expectClient(await postOver(tested.app, tlsClient(selfSigned), { scope: 'jobs', client_id: 'app' }), 'app')
    expect(tested.decisions.map(({ method }) => method)).toEqual([
      ...[
        'client_secret_basic',
        'client_secret_basic',
        'client_secret_post',
        'client_secret_jwt',
        'private_key_jwt',
        'private_key_jwt'
      ],
      ...['none', 'none', 'tls_client_auth', 'self_signed_tls_client_auth', 'none']
    ])
  })

  it('whatever the order of the strategies', async () => {
    const app = appOf([authenticateClient({ clients, strategies: [...every()].reverse() })]).app
    expectClient(await post(app, { scope: 'jobs', ...carrying(await hmac()) }), 'hmac')
    expectClient(await post(app, { scope: 'jobs', client_id: 'app' }), 'app')
    expectClient(await postOver(app, tlsClient(certified), { scope: 'jobs', client_id: 'tls' }), 'tls')
  })

  it('and a certificate beside it is no second mechanism', async () => {
    const { app } = selecting()
    for (const mechanism of Object.values(mechanisms)) {
      const { form, headers } = await mechanism()
      expect((await postOver(app, tlsClient(certified), form, headers)).status).toBe(200)
    }
  })
})

describe('two mechanisms in one request', () => {
  const names = Object.keys(mechanisms)
  const pairs = names.flatMap((one, index) => names.slice(index + 1).map(other => [one, other] as const))
  const mounted: readonly (readonly [what: string, only: readonly string[] | undefined])[] = [
    ['every method mounted', undefined],
    ['only client_secret_post mounted', ['client_secret_post']],
    ['only private_key_jwt mounted', ['private_key_jwt']]
  ]

  describe.each(mounted)('with %s', (_what, only) => {
    it.each(pairs)('%s and %s are invalid_request', async (one, other) => {
      const tested = selecting(only)
      const [first, second] = [await mechanisms[one]?.(), await mechanisms[other]?.()]
      const form = { ...first?.form, ...second?.form }
      expectInvalidRequest(await post(tested.app, form, { ...first?.headers, ...second?.headers }))
      expect(notPassed(tested)).toEqual(['one_mechanism:fail'])
      expect(operatorView(tested)).not.toContain(secret)
    })

    it('all three are too, and so is a broken one beside a good one', async () => {
      const { app } = selecting(only)
      const form = { ...(await mechanisms['body_secret']?.())?.form, ...(await mechanisms['assertion']?.())?.form }
      expectInvalidRequest(await post(app, form, basic('basic', secret)))
      expectInvalidRequest(await post(app, form, { Authorization: 'Bearer x' }))
      expectInvalidRequest(await post(app, { client_secret: 'x' }, basic('basic', secret)))
      expectInvalidRequest(await post(app, { client_assertion: 'x' }, basic('basic', secret)))
      expectInvalidRequest(await post(app, { client_assertion_type: 'x', client_id: 'post', client_secret: secret }))
      expectInvalidRequest(await post(app, { client_id: 'post', client_secret: secret }, rawBasic('malformed')))
    })
  })
})

describe('two client_ids', () => {
  it('in one request are invalid_request', async () => {
    const tested = selecting()
    for (const client_id of ['post', 'nobody', 'Basic', 'basic ']) {
      expectInvalidRequest(await post(tested.app, { client_id }, basic('basic', secret)))
      expect(notPassed(tested)).toEqual(['one_client_id:fail'])
    }
  })

  it('beside an assertion refuse it', async () => {
    const tested = selecting()
    expectRefused(await post(tested.app, carrying(await signed(), { client_id: 'hmac' })))
    expect(notPassed(tested)).toEqual(['issuer_and_subject:fail'])
  })
})

const refused: readonly (readonly [what: string, make: () => Promise<Sent> | Sent, check: string])[] = [
  ['a wrong secret in the header', () => ({ form: {}, headers: basic('basic', 'wrong') }), 'secret'],
  [
    'a wrong secret in the header, naming a public client',
    () => ({ form: { client_id: 'app' }, headers: basic('app', 'x') }),
    'registered_method'
  ],
  ['a wrong secret in the body', () => ({ form: { client_id: 'post', client_secret: 'wrong' } }), 'secret'],
  ['a secret of a public client', () => ({ form: { client_id: 'app', client_secret: 'x' } }), 'registered_method'],
  ['post for a client of basic', () => ({ form: { client_id: 'basic', client_secret: secret } }), 'registered_method'],
  ['basic for a client of post', () => ({ form: {}, headers: basic('post', secret) }), 'registered_method'],
  ['an assertion of a public client', async () => ({ form: carrying(await signed('app')) }), 'registered_method'],
  ['an assertion of a client of basic', async () => ({ form: carrying(await hmac('basic')) }), 'registered_method'],
  ['an HMAC for a client with keys', async () => ({ form: carrying(await hmac('keys')) }), 'algorithm'],
  ['a bad signature', async () => ({ form: carrying(await hmac('hmac', secret.toUpperCase())) }), 'signature'],
  ['an assertion that cannot be read', () => ({ form: carrying('x.y.z', { client_id: 'app' }) }), 'assertion_format'],
  ['a bare client_id of a client of basic', () => ({ form: { client_id: 'basic' } }), 'registered_method'],
  ['a bare client_id of a client with keys', () => ({ form: { client_id: 'keys' } }), 'registered_method'],
  ['a bare client_id of a client with a certificate', () => ({ form: { client_id: 'tls' } }), 'certificate'],
  [
    'a bare client_id of a client of a method that is not mounted',
    () => ({ form: { client_id: 'future' } }),
    'registered_method'
  ],
  ['an unknown client in the header', () => ({ form: {}, headers: basic('nobody', secret) }), 'client'],
  ['an unknown client in the body', () => ({ form: { client_id: 'nobody', client_secret: secret } }), 'client'],
  ['an unknown client in an assertion', async () => ({ form: carrying(await signed('nobody')) }), 'client'],
  ['an unknown client alone', () => ({ form: { client_id: 'nobody' } }), 'client'],
  ['nothing', () => ({ form: {} }), 'supported_method'],
  ['an unknown scheme', () => ({ form: { client_id: 'app' }, headers: { Authorization: 'Bearer x' } }), 'supported_method'],
  ['an empty header', () => ({ form: { client_id: 'app' }, headers: { Authorization: '' } }), 'supported_method'],
  [
    'an unknown assertion type',
    async () => ({ form: { ...carrying(await signed()), client_assertion_type: 'urn:x' } }),
    'supported_method'
  ]
]

describe('refused is', () => {
  it.each(refused)('%s, with the same words and a whole record', async (_what, make, check) => {
    const tested = selecting(undefined, { endpoint: 'pushed_authorization_request' })
    const { form, headers } = await make()
    expectRefused(await post(tested.app, form, headers), headers?.['Authorization'] === undefined ? undefined : challenge)
    expect(tested.decisions).toHaveLength(1)
    const [decision] = tested.decisions
    expect(decision).toMatchObject({
      outcome: 'refused',
      endpoint: 'pushed_authorization_request',
      mechanism: expect.any(String)
    })
    expect(decision?.trace_id).toMatch(/^[0-9a-f]{32}$/)
    expect(decision?.checks.filter(({ outcome }) => outcome === 'fail')).toEqual([
      expect.objectContaining({ check, section: expect.any(String), fix: expect.stringMatching(/^[A-Z].*\.$/) })
    ])
    const view = operatorView(tested)
    const { client_assertion = '' } = form
    for (const hidden of [secret, ...client_assertion.split('.')].filter(({ length }) => length > 8))
      expect(view).not.toContain(hidden)
  })

  it.each(refused)('%s, where nothing but none could have judged it', async (_what, make) => {
    const { app } = selecting(['none'])
    const { form, headers } = await make()
    expectRefused(await post(app, form, headers), headers?.['Authorization'] === undefined ? undefined : challenge)
  })

  it('an unknown scheme, with the challenge of the strategy that is mounted', async () => {
    const { app } = selecting(undefined, { strategies: [new ClientSecretBasicStrategy({ clients, realm: 'Billing' })] })
    expectRefused(await post(app, {}, { Authorization: 'Bearer x' }), 'Basic realm="Billing", charset="UTF-8"')
  })
})

describe('authenticateClient', () => {
  const none = new NoneStrategy({ clients })
  it.each([
    ['clients', undefined],
    ['clients', 'list'],
    ['clients[0].client_id', [{}]],
    ['strategies', undefined],
    ['strategies', []],
    ['strategies', none],
    ['strategies[0]', ['none']],
    ['strategies[0]', [null]],
    ['strategies[1]', [none, {}]],
    ['strategies[1]', [none, new NoneStrategy({ clients })]],
    ['endpoint', ''],
    ['endpoint', 5],
    ['certificate', 'Client-Cert'],
    ['onDecision', {}],
    ['jsonBody', 'yes'],
    ['maxBytes', 'lots'],
    ['maxBytes', 0],
    ['maxBytes', Number.NaN],
    ['maxParameters', -1],
    ['maxParameters', Infinity],
    ['strategy', [none]],
    ['onDecison', () => undefined]
  ])('names the wrong option %s: %p', (named, value) => {
    const option = named.replace(/\[.*/, '')
    const options = { clients, strategies: [none], [option]: value } as unknown as AuthenticateClientOptions
    expect(() => authenticateClient(options)).toThrow(ConfigurationError)
    expect(() => authenticateClient(options)).toThrow(expect.objectContaining({ key: named }))
  })

  it('takes certificates from where it is told, and answers 400 where they cannot be read', async () => {
    const der = certified.der
    const proxied = selecting(undefined, {
      certificateSource: req => (req.headers['x-cert'] === undefined ? undefined : { der, verified: true })
    })
    expectClient(await post(proxied.app, { scope: 'jobs', client_id: 'tls' }, { 'X-Cert': '1' }), 'tls')
    expectRefused(await post(proxied.app, { client_id: 'tls' }))
    const broken = selecting(undefined, {
      certificateSource: () => {
        throw new Error('not a certificate')
      }
    })
    expectInvalidRequest(await post(broken.app, { client_id: 'tls' }))
    expectClient(await post(broken.app, { scope: 'jobs', client_id: 'app' }), 'app')
  })
})
