/** What the two assertion methods share: the type, the claims, and single use. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { memoryStore } from '../../lib/stores/memory.ts'
import {
  expectClient,
  expectRefused,
  issuer,
  listen,
  notPassed,
  post,
  refusal,
  tokenEndpoint,
  withMiddleware,
  withPassport
} from '../support/servers/strategy-app.ts'
import { anyCharacter } from '../support/checks/any-character.ts'
import { at, claimsAt, methods, mounts, setupOf } from './assertion-methods.ts'
import { assemble, carrying } from './assertions.ts'
import { runs } from '../support/checks/runs.ts'

const goodChanges: readonly (readonly [what: string, changes: Record<string, unknown>, header: Record<string, unknown>])[] = [
  ['aud as a list of one', { aud: [issuer] }, {}],
  ['no iat', { iat: undefined }, {}],
  ['an nbf that has passed', { nbf: 1 }, {}],
  ['a clock some seconds ahead', { iat: at + 5, nbf: at + 5 }, {}],
  ['an exp that passed within the tolerance', { iat: at - 60, exp: at - 5 }, {}],
  ['a jti of 512 characters', { jti: 'j'.repeat(512) }, {}],
  ['a jti of other letters', { jti: 'größe 🔑' }, {}],
  ['more claims', { scope: 'admin', client_id: 'other', azp: 5, act: { sub: 'root' } }, {}],
  ['its own typ', {}, { typ: 'client-authentication+jwt' }],
  ['its typ as a media type', {}, { typ: 'application/client-authentication+jwt' }],
  ['typ JWT', {}, { typ: 'JWT' }],
  ['cty and other headers', {}, { cty: 'json', x: 5 }]
]

const badChanges: readonly (readonly [check: string, changes: Record<string, unknown>])[] = [
  ...[undefined, 'other', '', null, 5, ['self'], { sub: 'self' }, 'https://as.example.com'].map(
    iss => ['issuer_and_subject', { iss }] as const
  ),
  ...[
    issuer + '/',
    issuer.toUpperCase(),
    'https://as.example',
    tokenEndpoint,
    '',
    undefined,
    null,
    5,
    {},
    [],
    [issuer, issuer],
    [issuer, 'x'],
    [[issuer]]
  ].map(aud => ['audience', { aud }] as const),
  ...[undefined, null, '', String(at + 60), true, {}, [], -1, 0, 1, at - 11, 1e300].map(exp => ['expiry', { exp }] as const),
  ...[at + 90, '1', null, {}, -1].map(nbf => ['not_before', { nbf }] as const),
  ...[at + 90, '1', null, {}, -1].map(iat => ['issued_at', { iat }] as const),
  ['lifetime', { exp: at + 4000 }],
  ['lifetime', { iat: undefined, exp: at + 4000 }],
  ['lifetime', { iat: at - 3600, exp: at + 60 }],
  ...[undefined, null, '', 5, true, {}, ['x'], 'j'.repeat(513)].map(jti => ['jti', { jti }] as const)
]

const otherTypes = [
  'at+jwt',
  'application/at+jwt',
  'dpop+jwt',
  'logout+jwt',
  'oauth-id-jag+jwt',
  'oauth-authz-req+jwt',
  'token-introspection+jwt',
  'AT+JWT',
  'application/jwt+x',
  '',
  5,
  null,
  ['JWT'],
  {}
]

describe.each(methods.map(method => [method.name, method] as const))('%s', (_name, method) => {
  const good = () => claimsAt(method.client_id)

  it.each(goodChanges)('accepts %s', async (_what, changes, header) => {
    for (const mount of mounts) {
      const { app } = mount(setupOf(method))
      expectClient(await post(app, carrying(await method.sign({ ...good(), ...changes }, header))), method.client_id)
    }
  })

  it.each(badChanges)('refuses by the check %s: %j', async (check, changes) => {
    for (const mount of mounts) {
      const tested = mount(setupOf(method))
      expectRefused(await post(tested.app, carrying(await method.sign({ ...good(), ...changes }))))
      expect(notPassed(tested)).toEqual([`${check}:fail`])
    }
  })

  it.each(otherTypes)('refuses the typ %p', async typ => {
    const tested = withMiddleware()(setupOf(method))
    expectRefused(await post(tested.app, carrying(await method.sign(good(), { typ }))))
    expect(notPassed(tested)).toEqual(['type:fail'])
  })

  it.each([undefined, '', null, 5, {}, ['x'], 'other'])('refuses the sub %j, and takes it for nobody else', async sub => {
    const { app } = withPassport()(setupOf(method))
    expectRefused(await post(app, carrying(await method.sign({ ...good(), sub }))))
  })

  it.each([
    ['another client', 'other'],
    ['a client of this server', 'reported'],
    ['other letters', method.client_id.toUpperCase()]
  ])('refuses a client_id parameter of %s', async (_what, client_id) => {
    for (const mount of mounts) {
      const tested = mount(setupOf(method))
      expectRefused(await post(tested.app, carrying(await method.sign(good()), { client_id })))
      expect(notPassed(tested)).toEqual(['issuer_and_subject:fail'])
    }
  })

  it('consumes the jti last, for this client and issuer alone', async () => {
    const store = memoryStore()
    const { app } = withPassport()(setupOf(method, { store }))
    const claims = good()
    expectRefused(await post(app, carrying(await method.sign({ ...claims, aud: 'https://other.example' }))))
    expectRefused(await post(app, carrying(await method.sign(claims), { client_id: 'other' })))
    expectClient(await post(app, carrying(await method.sign(claims))), method.client_id)
    const again = withMiddleware()(setupOf(method, { store }))
    expectRefused(await post(again.app, carrying(await method.sign({ ...claims, exp: Number(claims['exp']) + 1 }))))
    expect(notPassed(again)).toEqual(['replay:fail'])
    const elsewhere = withPassport()(setupOf(method, { store, issuer: 'https://other.example' }))
    expectClient(
      await post(elsewhere.app, carrying(await method.sign({ ...claims, aud: 'https://other.example' }))),
      method.client_id
    )
  })

  it('takes one of fifty concurrent presentations', async () => {
    for (const mount of mounts) {
      const { url, close } = await listen(mount(setupOf(method)).app)
      const body = new URLSearchParams(carrying(await method.sign(claimsAt(method.client_id))))
      const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(url, { method: 'POST', body })))
      const texts = await Promise.all(answers.map(answer => answer.text()))
      await close()
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(texts.filter(text => text === refusal)).toHaveLength(49)
    }
  })

  it('answers 503 where the store cannot tell whether a jti was used', async () => {
    const failing = { ...memoryStore(), add: () => Promise.reject(new Error('the store is away')) }
    for (const mount of mounts) {
      const response = await post(
        mount(setupOf(method, { store: failing })).app,
        carrying(await method.sign(claimsAt(method.client_id)))
      )
      expect([response.status, response.body.error, response.headers['retry-after']]).toEqual([
        503,
        'temporarily_unavailable',
        '5'
      ])
    }
  })

  it('never takes an assertion that was put together at random, and never fails on one', async () => {
    const { url, close } = await listen(withMiddleware()(setupOf(method)).app)
    const json = fc.oneof(
      fc.json(),
      fc.record({ alg: fc.constantFrom('ES256', 'HS256', 'none'), kid: fc.anything() }),
      fc.constant(good())
    )
    const jws = fc.oneof(
      fc.tuple(json, json, fc.base64String()).map(([header, claims, signature]) => assemble(header, claims, signature)),
      fc.string({ unit: anyCharacter }),
      fc.array(fc.base64String(), { maxLength: 6 }).map(parts => parts.join('.'))
    )
    try {
      await fc.assert(
        fc.asyncProperty(jws, async assertion => {
          expect([400, 401]).toContain((await post(url, carrying(assertion))).status)
        }),
        { numRuns: runs(100) }
      )
    } finally {
      await close()
    }
  })
})
