import { beforeAll, describe, expect, it } from '@jest/globals'
import { SignJWT } from 'jose'
import { asymmetricAlgorithms, symmetricAlgorithms } from '../../lib/client-keys/algorithms.ts'
import { assertionChecks } from '../../lib/assertions/client-assertion.ts'
import { DecisionBuilder } from '../../lib/decisions/builder.ts'
import { TemporarilyUnavailableError } from '../../lib/errors.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import type { Store } from '../../lib/stores/store.ts'
import {
  assemble,
  claims,
  issuer,
  keyClient,
  makeKey,
  makeKeys,
  now,
  policyOf,
  refusal,
  secret,
  secretClient,
  sign,
  verify,
  type SigningKey
} from './signing.ts'

let keyOf: (alg: string) => SigningKey

beforeAll(async () => {
  keyOf = await makeKeys(asymmetricAlgorithms.keys())
})

describe('verifyClientAssertion', () => {
  it.each([...asymmetricAlgorithms.keys()])('accepts %s', async alg => {
    const { privateKey, jwk } = keyOf(alg)
    const client = keyClient([{ ...jwk, kid: 'k1' }])
    const assertion = await sign(privateKey, { alg, kid: 'k1', typ: 'client-authentication+jwt' })
    expect(await verify({ assertion, client })).toEqual({ credential: 'kid:k1' })
  })

  it.each([...symmetricAlgorithms.keys()])('accepts %s', async alg => {
    const assertion = await sign(Buffer.from(secret), { alg })
    expect(await verify({ assertion, client: secretClient() })).toEqual({ credential: 'secret:1' })
  })

  it('accepts what SignJWT of jose makes, and names a key without kid by its thumbprint', async () => {
    const { privateKey, jwk } = keyOf('ES256')
    const assertion = await new SignJWT(claims()).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
    expect(await verify({ assertion, client: keyClient([jwk]) })).toEqual({
      credential: expect.stringMatching(/^jkt:[\w-]{43}$/)
    })
  })

  it('passes every check it announces, in order, and puts nothing secret into the record', async () => {
    const decision = new DecisionBuilder('token')
    decision.announce(assertionChecks)
    const assertion = await sign(Buffer.from(secret), { alg: 'HS256' })
    await verify({ assertion, client: secretClient(), decision })
    const record = decision.finish('authenticated')
    expect(record.checks).toEqual(assertionChecks.map(check => ({ check, outcome: 'pass' })))
    expect(record.credential).toBe('secret:1')
    expect(JSON.stringify(record)).not.toContain(secret)
    expect(JSON.stringify(record)).not.toContain(assertion.split('.')[2])
  })

  it('takes secrets that were handed in, and tries each', async () => {
    const secrets = [
      { id: 'old', key: Buffer.alloc(64, 1) },
      { id: 'new', key: Buffer.alloc(64, 2) }
    ]
    const assertion = await sign(Buffer.alloc(64, 2), { alg: 'HS512' })
    expect(await verify({ assertion, client: secretClient(), secrets })).toEqual({ credential: 'secret:new' })
  })
})

describe('the header', () => {
  it.each(['a', `${assemble({ alg: 'HS256' })}.e30`, ''])('must be of a compact JWS, which %j is not', async assertion => {
    expect(await refusal(() => verify({ assertion, client: secretClient() }))).toMatchObject({ check: 'assertion_format' })
  })

  it.each([[['exp']], [[]], [null], ['b64'], [['b64']]])('may not have crit: %j', async crit => {
    const assertion = assemble({ alg: 'HS256', crit, b64: true })
    expect(await refusal(() => verify({ assertion, client: secretClient() }))).toMatchObject({
      check: 'header',
      received: 'crit'
    })
  })

  it.each([[null], [5], [['k1']], [{}]])('may not have the kid %j', async kid => {
    const assertion = assemble({ alg: 'ES256', kid })
    expect(await refusal(() => verify({ assertion, client: keyClient([]) }))).toMatchObject({ check: 'header' })
  })

  it('is not asked for a key: jwk, jku, x5c, x5u and x5t are ignored', async () => {
    const attacker = await makeKey('ES256')
    const embedded = {
      jwk: attacker.jwk,
      jku: 'https://evil.example/jwks',
      x5c: ['AAAA'],
      x5u: 'https://evil.example/c',
      x5t: 'AAAA'
    }
    const forged = await sign(attacker.privateKey, { alg: 'ES256', ...embedded })
    const { privateKey, jwk } = keyOf('ES256')
    expect(await refusal(() => verify({ assertion: forged, client: keyClient([jwk]) }))).toMatchObject({ check: 'signature' })
    await verify({ assertion: await sign(privateKey, { alg: 'ES256', ...embedded }), client: keyClient([jwk]) })
  })

  it.each([
    undefined,
    'JWT',
    'jwt',
    'client-authentication+jwt',
    'application/client-authentication+jwt',
    'Client-Authentication+JWT',
    'application/jwt'
  ])('may have the typ %j', async typ => {
    await verify({ assertion: await sign(Buffer.from(secret), { alg: 'HS256', typ }), client: secretClient() })
  })

  it.each([
    'at+jwt',
    'dpop+jwt',
    'logout+jwt',
    'oauth-id-jag+jwt',
    'JOSE',
    'application/at+jwt',
    'x/jwt',
    '',
    ' jwt',
    null,
    5,
    ['JWT'],
    {}
  ])('may not have the typ %j', async typ => {
    const assertion = await sign(Buffer.from(secret), { alg: 'HS256', typ })
    expect(await refusal(() => verify({ assertion, client: secretClient() }))).toMatchObject({ check: 'type' })
  })
})

describe('replay', () => {
  it('lets exactly one of fifty concurrent presentations through', async () => {
    const { privateKey, jwk } = keyOf('ES256')
    const client = keyClient([jwk])
    const policy = policyOf()
    const assertion = await sign(privateKey, { alg: 'ES256' })
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => verify({ assertion, client, policy })))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await refusal(() => verify({ assertion, client, policy }))).toMatchObject({ check: 'replay' })
  })

  it('knows a jti in whichever assertion it comes back, and keeps clients apart', async () => {
    const policy = policyOf()
    const signed = (overrides: object) => sign(Buffer.from(secret), { alg: 'HS256' }, claims({ jti: 'one', ...overrides }))
    await verify({ assertion: await signed({}), client: secretClient(), policy })
    const again = await signed({ exp: now + 30 })
    expect(await refusal(() => verify({ assertion: again, client: secretClient(), policy }))).toMatchObject({ check: 'replay' })
    const other = secretClient({ client_id: 'other' })
    await verify({ assertion: await signed({ iss: 'other', sub: 'other' }), client: other, policy })
  })

  it('remembers until the assertion is refused for its age', async () => {
    let time = now
    const clock = () => time * 1000
    const policy = policyOf({ clock, store: memoryStore({ clock }) })
    const assertion = await sign(Buffer.from(secret), { alg: 'HS256' }, claims({ exp: now + 60 }))
    await verify({ assertion, client: secretClient(), policy })
    for (const [later, check] of [
      [69.9, 'replay'],
      [70, 'expiry']
    ] as const) {
      time = now + later
      expect(await refusal(() => verify({ assertion, client: secretClient(), policy }))).toMatchObject({ check })
    }
  })

  it('uses nothing up where another check fails', async () => {
    const policy = policyOf()
    const jti = 'kept'
    const wrong = await sign(Buffer.from(secret), { alg: 'HS256' }, claims({ jti, aud: `${issuer}/` }))
    await refusal(() => verify({ assertion: wrong, client: secretClient(), policy }))
    await verify({
      assertion: await sign(Buffer.from(secret), { alg: 'HS256' }, claims({ jti })),
      client: secretClient(),
      policy
    })
  })

  it('is unavailable, never open, where the store fails', async () => {
    const store: Store = { ...memoryStore(), add: () => Promise.reject(new Error('down')) }
    const assertion = await sign(Buffer.from(secret), { alg: 'HS256' })
    await expect(verify({ assertion, client: secretClient(), policy: policyOf({ store }) })).rejects.toThrow(
      TemporarilyUnavailableError
    )
  })
})
