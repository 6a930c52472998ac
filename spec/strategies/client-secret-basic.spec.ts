import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { connect } from 'node:net'
import type { ClientMetadata } from '../../lib/clients/client.ts'
import { ConfigurationError } from '../../lib/options.ts'
import { ClientSecretBasicStrategy, type ClientSecretBasicOptions } from '../../lib/strategies/client-secret-basic.ts'
import {
  bareMounts,
  basic,
  challenge,
  expectClient,
  expectInvalidRequest,
  expectRefused,
  listen,
  mounts,
  notPassed,
  operatorView,
  post,
  rawBasic,
  secret,
  withMiddleware,
  withPassport,
  type StrategySetup
} from '../support/servers/strategy-app.ts'
import { anyCharacter } from '../support/checks/any-character.ts'
import { expectNoSwaps } from './overlap.ts'
import { runs } from '../support/checks/runs.ts'

const credentials: readonly (readonly [what: string, client_id: string, client_secret: string])[] = [
  ['plain', 'billing', secret],
  ['a URL as the id', 'https://billing.example/client?a=b&c=d#e', 'x'],
  ['colons in both halves', 'urn:client:1', 'a:b:c'],
  ['a colon first', 'colon-first', ':right'],
  ['a colon last', 'colon-last', 'right:'],
  ['a colon alone', 'colon', ':'],
  ['plus signs', 'plus+plus', '+a+b+'],
  ['spaces', 'with space', ' right '],
  ['percent signs', '100%', '%41%zz%'],
  ['non-ASCII', 'Rechnung-größe', 'пароль-秘密-🔑'],
  ['what a form has reserved', 'a=b&c=d', '&=;,/?@'],
  ['characters that are no letters of base64url', 'öö', '???>>>~~~']
]

const clients: ClientMetadata[] = [
  ...credentials.map(([, client_id, client_secret]) => ({ client_id, client_secret })),
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'hmac', client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt' },
  { client_id: 'public', token_endpoint_auth_method: 'none' },
  { client_id: 'expired', client_secret: secret, client_secret_expires_at: 1 },
  { client_id: 'long', client_secret: 's'.repeat(1024) }
]
const strategy: StrategySetup['strategy'] = options => new ClientSecretBasicStrategy(options)
const setup: StrategySetup = { clients, strategy }
const body = { scope: 'jobs' }

const refused: readonly (readonly [what: string, headers: { Authorization: string }])[] = [
  ['an unknown client', basic('nobody', secret)],
  ['a wrong secret', basic('billing', 'wrong')],
  ['the right secret and more', basic('billing', `${secret}:anything`)],
  ['the right secret and a space', basic('billing', `${secret} `)],
  ['most of the right secret', basic('billing', secret.slice(0, -1))],
  ['the secret of another client', basic('billing', ':right')],
  ['an empty secret', rawBasic('billing:')],
  ['an empty id', rawBasic(`:${secret}`)],
  ['two empty halves', rawBasic(':')],
  ['an id in other letters', basic('BILLING', secret)],
  ['an id every object has', basic('__proto__', secret)],
  ['a client of another method', basic('post', secret)],
  ['a client of another method that has a secret', basic('hmac', secret)],
  ['a public client', rawBasic('public:')],
  ['an expired secret', basic('expired', secret)],
  ['a secret that begins like one of 1024 characters', basic('long', 's'.repeat(1025))],
  ['a wrong plus sign that was not encoded', rawBasic('plus%2Bplus:+a+b')]
]

const malformed: readonly (readonly [what: string, header: string])[] = [
  ['the scheme alone', 'Basic'],
  ['two spaces', `Basic  ${Buffer.from('billing:x').toString('base64')}`],
  ['a tab', `Basic\t${Buffer.from('billing:x').toString('base64')}`],
  ['characters that are not base64', 'Basic !!YmlsbGluZzp4'],
  ['base64url', `Basic ${Buffer.from('billing:???>>>').toString('base64url')}`],
  ['a further word', 'Basic YmlsbGluZzp4 more'],
  ['too much padding', 'Basic YmlsbGluZzp4===='],
  ['bits after the end', 'Basic YmlsbGluZzp='],
  ['two credentials', 'Basic YmlsbGluZzp4, Basic YmlsbGluZzp4'],
  ['no colon', rawBasic('billing').Authorization],
  ['an encoded colon alone', rawBasic('billing%3Ax').Authorization],
  ['a line break', rawBasic('billing:a\r\nb').Authorization],
  ['a null character in the id', rawBasic('bill\u0000ing:x').Authorization],
  ['Latin-1', rawBasic(Buffer.from('billing:größe', 'latin1')).Authorization],
  ['letters outside ASCII', 'Basic größe'],
  ['more than 8192 characters', rawBasic(`billing:${'x'.repeat(7000)}`).Authorization]
]

/** What no client that encodes sends. */
const misencoded: readonly (readonly [what: string, header: string])[] = [
  ['a lone percent sign', rawBasic('billing:100%').Authorization],
  ['a percent sign without hex digits', rawBasic('billing:%zz').Authorization],
  ['a percent sign in the id', rawBasic('bill%ing:x').Authorization],
  ['percent-encoding that is not UTF-8', rawBasic('billing:%FF').Authorization],
  ['an overlong encoding', rawBasic('billing:%C0%AF').Authorization],
  ['an encoded null character', rawBasic('billing:%00').Authorization]
]
const strict: StrategySetup = {
  clients,
  strategy: options => new ClientSecretBasicStrategy({ ...options, basicEncoding: 'enforce' })
}

describe.each(mounts)('client_secret_basic through %s', (_way, mount) => {
  it.each(credentials)('authenticates with %s', async (_what, client_id, client_secret) => {
    const tested = mount(setup)
    expectClient(await post(tested.app, body, basic(client_id, client_secret)), client_id)
    expect(tested.decisions).toEqual([
      expect.objectContaining({ outcome: 'authenticated', client_id, method: 'client_secret_basic', credential: 'secret:1' })
    ])
  })

  it.each(refused)('refuses %s in the same words', async (_what, headers) => {
    const tested = mount(setup)
    expectRefused(await post(tested.app, body, headers), challenge)
    expect(tested.decisions).toEqual([expect.objectContaining({ outcome: 'refused', mechanism: 'authorization_header' })])
    expect(operatorView(tested)).not.toContain(secret)
  })

  it('answers a malformed header with invalid_request', async () => {
    const tested = mount(strict)
    expectInvalidRequest(await post(tested.app, body, rawBasic('billing:100%')))
    expect(operatorView(tested)).not.toContain('100%')
  })
})

describe.each(bareMounts)('a header through %s', (_way, mount) => {
  it.each(malformed)('is malformed with %s', async (_what, Authorization) => {
    expectInvalidRequest(await post(mount(setup).app, body, { Authorization }))
  })

  it.each(misencoded)(
    'with %s is malformed where encoding is enforced, and otherwise a wrong secret',
    async (_what, Authorization) => {
      expectInvalidRequest(await post(mount(strict).app, body, { Authorization }))
      expectRefused(await post(mount(setup).app, body, { Authorization }), challenge)
    }
  )

  it.each([
    ['another case of the scheme', 'bAsIc YmlsbGluZzp4'],
    ['no padding', `Basic ${Buffer.from('billing:xy').toString('base64').replaceAll('=', '')}`]
  ])('is read with %s', async (_what, Authorization) => {
    expectRefused(await post(mount(setup).app, body, { Authorization }), challenge)
  })

  it.each([
    ['colons in the secret', 'https%3A%2F%2Fbilling.example%2Fclient%3Fa%3Db%26c%3Dd%23e:x'],
    ['colons that were not encoded', 'colon-first::right'],
    ['non-ASCII that was not encoded', 'Rechnung-größe:пароль-秘密-🔑'],
    ['lower-case hex digits and encoded letters', '%62%69lling:' + encodeURIComponent(secret).replaceAll('%2C', '%2c')]
  ])('is read with %s', async (_what, text) => {
    expect((await post(mount(setup).app, body, rawBasic(text))).status).toBe(200)
  })

  it('is malformed when it is there twice', async () => {
    const { url, close } = await listen(mount(setup).app)
    const { Authorization } = basic('billing', secret)
    try {
      expect(await sendRaw(url, [`Authorization: ${Authorization}`, `authorization: ${Authorization}`])).toMatch(
        /^HTTP\/1\.1 400 /
      )
    } finally {
      await close()
    }
  })

  it('never gives 200 or a fault, whatever it holds', async () => {
    const { url, close } = await listen(mount(setup).app)
    const text = fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.tuple(fc.constantFrom('billing', 'public', ''), fc.string()).map(half => half.join(':'))
    )
    const header = fc.oneof(
      fc.string().map(value => value.replace(/[^\x20-\x7e]/g, '')),
      fc
        .tuple(fc.constantFrom('Basic ', 'basic ', 'BASIC\t', 'Bearer ', 'Basic  '), text)
        .map(([scheme, value]) => scheme + Buffer.from(value).toString('base64')),
      fc.tuple(fc.constantFrom('Basic ', 'Basic'), fc.base64String()).map(parts => parts.join(''))
    )
    try {
      await fc.assert(
        fc.asyncProperty(header, async Authorization => {
          expect([400, 401]).toContain((await post(url, body, { Authorization })).status)
        }),
        { numRuns: runs(150) }
      )
    } finally {
      await close()
    }
  })
})

describe('a request without Basic credentials', () => {
  const others = [undefined, '', 'Bearer abc', 'Basically YmlsbGluZzp4', 'NotBasic YmlsbGluZzp4', 'DPoP abc', 'Negotiate abc']

  it.each(others)('is Passport’s own 401 with a challenge: Authorization %p', async Authorization => {
    const { app, decisions } = withPassport()(setup)
    const response = await post(app, body, Authorization === undefined ? {} : { Authorization })
    expect([response.status, response.text, response.headers['www-authenticate']]).toEqual([401, 'Unauthorized', challenge])
    expect(decisions).toEqual([])
  })

  it.each(others)('is refused with the challenge under failWithError: Authorization %p', async Authorization => {
    const { app } = withPassport([], [], { failWithError: true })(setup)
    expectRefused(await post(app, body, Authorization === undefined ? {} : { Authorization }), challenge)
  })

  it('is not what a secret in the body, or in the URL, is', async () => {
    const { app } = withPassport()(setup)
    expect((await post(app, { client_id: 'billing', client_secret: secret })).text).toBe('Unauthorized')
    expectInvalidRequest(await post(app, body, {}).query({ client_id: 'billing', client_secret: secret }))
  })
})

describe('overlapping requests', () => {
  const names = Array.from({ length: 20 }, (_, index) => `client-${index}`)

  it('never swap clients', async () => {
    const registered = names.map(name => ({ client_id: name, client_secret: `secret of ${name}` }))
    await expectNoSwaps(registered, strategy, () =>
      names.flatMap((client_id, index) => [
        { body, headers: basic(client_id, `secret of ${client_id}`), client_id },
        { body, headers: basic(client_id, `secret of client-${index + 1}`), client_id: undefined }
      ])
    )
  })
})

describe('ClientSecretBasicStrategy', () => {
  it.each([
    ['realm', ''],
    ['realm', 'say "OAuth"'],
    ['realm', 'back\\slash'],
    ['realm', 'two\r\nlines'],
    ['realm', 'größe'],
    ['realm', 5],
    ['clients', undefined],
    ['clients', null],
    ['clients', 'billing'],
    ['clients', {}],
    ['onDecision', 'console.log'],
    ['clock', 1_800_000_000],
    ['relm', 'OAuth']
  ])('refuses the option %s: %p', (key, value) => {
    const options = { clients, [key]: value } as ClientSecretBasicOptions
    expect(() => new ClientSecretBasicStrategy(options)).toThrow(ConfigurationError)
    expect(() => new ClientSecretBasicStrategy(options)).toThrow(expect.objectContaining({ key }))
  })

  it('puts its realm into the challenge', async () => {
    const { app } = withPassport()({
      clients,
      strategy: options => new ClientSecretBasicStrategy({ ...options, realm: 'Billing API' })
    })
    for (const headers of [{}, basic('nobody', 'x')] as Record<string, string>[]) {
      expect((await post(app, body, headers)).headers['www-authenticate']).toBe('Basic realm="Billing API", charset="UTF-8"')
    }
  })

  it('says in the record which check failed', async () => {
    const tested = withMiddleware()(setup)
    const failed: Record<string, readonly string[]> = {}
    for (const [what, headers] of refused) {
      await post(tested.app, body, headers)
      failed[what] = notPassed(tested)
    }
    expect(failed).toMatchObject({
      'an unknown client': ['client:fail'],
      'a wrong secret': ['secret:fail'],
      'a client of another method': ['registered_method:fail'],
      'a public client': ['registered_method:fail'],
      'an expired secret': ['secret_expiry:fail']
    })
  })
})

/** Sends what no HTTP client would, and reads the whole answer. */
function sendRaw(url: string, headers: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.on('data', chunk => (answer += chunk.toString()))
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
    const lines = ['POST / HTTP/1.1', `Host: ${hostname}`, 'Connection: close', 'Content-Length: 0', ...headers, '', '']
    socket.write(lines.join('\r\n'))
  })
}
