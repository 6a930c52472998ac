import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import request from 'supertest'
import type { ClientMetadata } from '../../lib/clients/client.ts'
import { ConfigurationError } from '../../lib/options.ts'
import type { StrategyOptions } from '../../lib/strategies/attempt.ts'
import { ClientSecretPostStrategy } from '../../lib/strategies/client-secret-post.ts'
import {
  bareMounts,
  basic,
  encode,
  expectClient,
  expectInvalidRequest,
  expectRefused,
  extendedMounts,
  listen,
  mounts,
  notPassed,
  operatorView,
  post,
  secret,
  withMiddleware,
  withPassport,
  type StrategySetup
} from '../support/servers/strategy-app.ts'
import { anyCharacter } from '../support/checks/any-character.ts'
import { describeBadParameters } from './bad-parameters.ts'
import { expectNoSwaps } from './overlap.ts'
import { runs } from '../support/checks/runs.ts'

const method = 'client_secret_post'
const credentials: readonly (readonly [what: string, client_id: string, client_secret: string])[] = [
  ['plain', 'billing', secret],
  ['a URL as the id', 'https://billing.example/client?a=b&c=d#e', 'x'],
  ['colons', 'urn:client:1', ':a:b:'],
  ['plus signs and spaces', 'plus + plus', ' +a b+ '],
  ['percent signs', '100%', '%41%zz%'],
  ['non-ASCII', 'Rechnung-größe', 'пароль-秘密-🔑'],
  ['what a form has reserved', 'a=b&c=d', '&=;,/?@[]']
]
const clients: ClientMetadata[] = [
  ...credentials.map(([, client_id, client_secret]) => ({ client_id, client_secret, token_endpoint_auth_method: method })),
  { client_id: 'basic', client_secret: secret },
  { client_id: 'public', token_endpoint_auth_method: 'none' },
  { client_id: 'expired', client_secret: secret, client_secret_expires_at: 1, token_endpoint_auth_method: method }
]
const strategy: StrategySetup['strategy'] = options => new ClientSecretPostStrategy(options)
const setup: StrategySetup = { clients, strategy }
const good = { scope: 'jobs', client_id: 'billing', client_secret: secret }

const refused: readonly (readonly [what: string, parameters: Readonly<Record<string, string>>, check: string])[] = [
  ['an unknown client', { client_id: 'nobody' }, 'client:fail'],
  ['an id every object has', { client_id: 'constructor' }, 'client:fail'],
  ['an id in other letters', { client_id: 'Billing' }, 'client:fail'],
  ['a wrong secret', { client_secret: 'wrong' }, 'secret:fail'],
  ['the right secret and more', { client_secret: `${secret}x` }, 'secret:fail'],
  ['the right secret and a space', { client_secret: `${secret} ` }, 'secret:fail'],
  ['the secret of another client', { client_secret: ':a:b:' }, 'secret:fail'],
  ['a secret that is encoded twice', { client_id: '100%', client_secret: '%2541%25zz%25' }, 'secret:fail'],
  ['a client of another method that has a secret', { client_id: 'basic' }, 'registered_method:fail'],
  ['a public client', { client_id: 'public' }, 'registered_method:fail'],
  ['an expired secret', { client_id: 'expired' }, 'secret_expiry:fail'],
  ['more than 1024 characters', { client_secret: secret.padEnd(50_000, 'x') }, 'secret:fail']
]

describe.each(mounts)('client_secret_post through %s', (_way, mount) => {
  it.each(credentials)('authenticates with %s', async (_what, client_id, client_secret) => {
    const tested = mount(setup)
    expectClient(await post(tested.app, { scope: 'jobs', client_id, client_secret }), client_id)
    expect(tested.decisions).toEqual([
      expect.objectContaining({ outcome: 'authenticated', client_id, method, mechanism: 'body_secret', credential: 'secret:1' })
    ])
  })

  it.each(refused)('refuses %s in the same words', async (_what, parameters, check) => {
    const tested = mount(setup)
    expectRefused(await post(tested.app, { ...good, ...parameters }))
    expect(notPassed(tested)).toEqual([check])
    expect(operatorView(tested)).not.toContain(secret)
  })

  it('answers a secret without a client_id with invalid_request', async () => {
    const tested = mount(setup)
    expectInvalidRequest(await post(tested.app, { ...good, client_id: undefined }))
    expect(notPassed(tested)).toEqual(tested.decisions.length === 0 ? [] : ['request:fail'])
    expect(operatorView(tested)).not.toContain(secret)
  })
})

describeBadParameters(setup, () => good, ['client_id', 'client_secret'])

describe('a request without a secret in its body', () => {
  it.each([
    ['nothing', {}, {}],
    ['a client_id alone', { client_id: 'billing' }, {}],
    ['an empty secret', { client_id: 'billing', client_secret: '' }, {}],
    ['an Authorization header', {}, basic('billing', secret)]
  ])('is Passport’s own 401: %s', async (_what, parameters, headers) => {
    const { app, decisions } = withPassport()(setup)
    const response = await post(app, parameters, headers)
    expect([response.status, response.text, response.headers['www-authenticate']]).toEqual([401, 'Unauthorized', undefined])
    expect(decisions).toEqual([])
    const failing = withPassport([], [], { failWithError: true })(setup)
    expectRefused(await post(failing.app, parameters, headers))
  })

  it.each([...bareMounts, ...extendedMounts])('never takes credentials from the URL: %s', async (_way, mount) => {
    const { app } = mount(setup)
    expectInvalidRequest(await post(app, { scope: 'jobs' }).query({ client_id: 'billing', client_secret: secret }))
    expectInvalidRequest(await post(app, good).query({ client_secret: secret }))
    expectClient(await post(app, good).query({ client_id: 'nobody' }), 'billing')
  })
})

describe.each([...bareMounts, ...extendedMounts])('a request of another kind through %s', (_way, mount) => {
  it.each(['PUT', 'DELETE', 'PATCH'])('%s is judged as POST is', async method => {
    const { url, close } = await listen(mount(setup).app)
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const statusOf = async (body: string) => (await fetch(url, { method, headers, body })).status
    const statuses = [await statusOf(encode(good)), await statusOf(encode({ ...good, client_secret: 'wrong' }))]
    await close()
    expect(statuses).toEqual([200, 401])
  })

  it('GET carries nothing', async () => {
    expect((await request(mount(setup).app).get('/')).status).toBe(401)
  })

  it.each([
    ['JSON', 'application/json', JSON.stringify(good)],
    ['JSON called a form', 'application/x-www-form-urlencoded', JSON.stringify(good)],
    ['plain text', 'text/plain', encode(good)],
    [
      'multipart',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="client_id"\r\n\r\nbilling\r\n--x--'
    ],
    ['a form in UTF-16', 'application/x-www-form-urlencoded; charset=utf-16', encode(good)],
    ['a type that is none', 'nonsense', encode(good)]
  ])('%s gives no client', async (_what, type, body) => {
    const { app } = mount(setup)
    const response = await post(app, body, { 'Content-Type': type })
    expect([401, 415]).toContain(response.status)
  })

  it('takes bytes of a form that are not UTF-8 for no one', async () => {
    const { app } = mount(setup)
    const bytes = Buffer.concat([Buffer.from(`${encode(good)}&state=`), Buffer.of(0xff, 0xfe)])
    const response = await post(app, bytes)
    expect([200, 400]).toContain(response.status)
    const inSecret = await post(app, Buffer.concat([Buffer.from(encode(good)), Buffer.of(0xff)]))
    expect([400, 401]).toContain(inSecret.status)
  })
})

describe('arbitrary forms', () => {
  it.each([...bareMounts, ...extendedMounts])('never give 200 or a fault through %s', async (_way, mount) => {
    const { url, close } = await listen(mount(setup).app)
    const names = fc.constantFrom(
      'client_id',
      'client_secret',
      'client_secret[]',
      'client_id[a]',
      '__proto__',
      'hasOwnProperty',
      ''
    )
    const values = fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.constantFrom('billing', 'public', 'basic', 'nobody', '%', '%00', '%ff', '+')
    )
    const written = fc
      .tuple(names, values, fc.boolean())
      .map(([name, value, raw]) => (raw ? `${name}=${value}` : encode({ [name]: value })))
    const forms = fc.oneof(
      fc.array(written, { maxLength: 5 }).map(pairs => pairs.join('&')),
      fc.string({ unit: anyCharacter })
    )
    try {
      await fc.assert(
        fc.asyncProperty(forms, async form => {
          expect([400, 401]).toContain((await post(url, form)).status)
        }),
        { numRuns: runs(100) }
      )
    } finally {
      await close()
    }
  })
})

it('overlapping requests never swap clients', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `client-${index}`)
  const registered = names.map(name => ({
    client_id: name,
    client_secret: `secret of ${name}`,
    token_endpoint_auth_method: method
  }))
  await expectNoSwaps(registered, strategy, () =>
    names.flatMap((client_id, index) => [
      { body: { scope: 'jobs', client_id, client_secret: `secret of ${client_id}` }, client_id },
      { body: { client_id, client_secret: `secret of client-${index + 1}` }, client_id: undefined }
    ])
  )
})

describe('ClientSecretPostStrategy', () => {
  it.each([
    ['clients', undefined],
    ['clients', 'billing'],
    ['onDecision', {}],
    ['clock', 'now'],
    ['realm', 'OAuth']
  ])('refuses the option %s: %p', (key, value) => {
    const options = { clients, [key]: value } as StrategyOptions
    expect(() => new ClientSecretPostStrategy(options)).toThrow(ConfigurationError)
    expect(() => new ClientSecretPostStrategy(options)).toThrow(expect.objectContaining({ key }))
  })

  it('reads the time from its clock', async () => {
    const registered = [
      {
        ...clients[0],
        client_id: 'short',
        client_secret: 'x',
        client_secret_expires_at: 1000,
        token_endpoint_auth_method: method
      }
    ]
    let now = 999_999
    const make: StrategySetup['strategy'] = options => new ClientSecretPostStrategy({ ...options, clock: () => now })
    const { app } = withMiddleware()({ clients: registered, strategy: make })
    const form = { scope: 'jobs', client_id: 'short', client_secret: 'x' }
    expectClient(await post(app, form), 'short')
    now = 1_000_000
    expectRefused(await post(app, form))
  })
})
