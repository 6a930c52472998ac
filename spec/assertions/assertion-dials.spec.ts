/** What each dial lets through, and what none ever does. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import { readOptions } from '../../lib/options.ts'
import { dialChecks, type AssertionDials } from '../../lib/assertions/assertion-dials.ts'
import { DecisionBuilder } from '../../lib/decisions/builder.ts'
import type { Client } from '../../lib/clients/client.ts'
import {
  assemble,
  claims,
  keyClient,
  makeKey,
  now,
  policyOf,
  refusal,
  secret,
  secretClient,
  sign,
  verify,
  type SigningKey
} from './signing.ts'

let key: SigningKey

beforeAll(async () => {
  key = await makeKey('ES256')
})

const hs = (payload?: unknown, header: object = {}) => sign(Buffer.from(secret), { alg: 'HS256', ...header }, payload)

/** The checks that were reported, of an assertion that is accepted. */
async function reported(
  assertion: string,
  dials: AssertionDials,
  client: Client = secretClient(),
  algorithms?: readonly string[]
) {
  const decision = new DecisionBuilder('token')
  await verify({ assertion, client, policy: policyOf({ assertionDials: dials, algorithms }), decision })
  return decision.finish('authenticated').checks.filter(({ outcome }) => outcome === 'report')
}

describe('typ', () => {
  it.each([
    ['none at all', {}, 'no typ'],
    ['JWT', { typ: 'JWT' }, 'JWT'],
    ['application/jwt', { typ: 'application/jwt' }, 'application/jwt']
  ])('%s is good, reported or refused, as the dial says', async (_what, header, received) => {
    expect(await reported(await hs(claims(), header), {})).toEqual([])
    expect(await reported(await hs(claims(), header), { typ: 'report' })).toMatchObject([
      { check: 'type', expected: 'client-authentication+jwt', received, section: 'rfc7523bis §3.2' }
    ])
    const assertion = await hs(claims(), header)
    expect(await refusal(() => reported(assertion, { typ: 'enforce' }))).toMatchObject({ check: 'type', received })
  })

  it.each([['client-authentication+jwt'], ['application/Client-Authentication+JWT']])('%s is always good', async typ => {
    for (const dial of ['off', 'report', 'enforce'] as const)
      expect(await reported(await hs(claims(), { typ }), { typ: dial })).toEqual([])
  })

  it.each([['at+jwt'], ['dpop+jwt'], ['logout+jwt'], ['oauth-id-jag+jwt'], ['']])('%j is never', async typ => {
    for (const dial of ['off', 'report', 'enforce'] as const) {
      const assertion = await hs(claims(), { typ })
      expect(await refusal(() => reported(assertion, { typ: dial }))).toMatchObject({ check: 'type' })
    }
  })
})

describe('alg', () => {
  const report = { alg: 'report' } as const
  const registered = () => keyClient([key.jwk], { token_endpoint_auth_signing_alg: 'PS256' })

  it('outside the list, or not the one registered, is reported', async () => {
    const es256 = () => sign(key.privateKey, { alg: 'ES256' })
    const expected = { check: 'algorithm', expected: 'PS256', received: 'ES256' }
    expect(await reported(await es256(), report, keyClient([key.jwk]), ['PS256'])).toMatchObject([expected])
    expect(await reported(await es256(), report, registered())).toMatchObject([expected])
    expect(await reported(await hs(), report, secretClient(), ['HS512', 'ES256'])).toMatchObject([{ expected: 'HS512' }])
    expect(await reported(await es256(), report, keyClient([key.jwk]))).toEqual([])
    const assertion = await es256()
    expect(await refusal(() => reported(assertion, {}, registered()))).toMatchObject(expected)
  })

  it.each([['none'], ['HS256'], ['HS512'], ['RSA-OAEP'], ['es256'], [5], [null]])(
    '%j is refused of a client with a key',
    async alg => {
      const payload = claims()
      const secretOfTheKey = Buffer.from(JSON.stringify(key.jwk))
      const forged =
        alg === 'HS256' ? await sign(secretOfTheKey, { alg }, payload) : assemble({ alg }, payload, alg === 'none' ? '' : 'AAAA')
      for (const client of [keyClient([key.jwk]), registered()])
        expect(['algorithm', 'assertion_format']).toContain((await refusal(() => reported(forged, report, client))).check)
    }
  )

  it.each([['none'], ['ES256'], ['RS256']])('%s is refused of a client with a secret', async alg => {
    const forged = alg === 'ES256' ? await sign(key.privateKey, { alg }) : assemble({ alg }, claims(), '')
    expect(['algorithm', 'assertion_format']).toContain((await refusal(() => reported(forged, report))).check)
  })

  it('is no way round a signature, or a key that is too short', async () => {
    const other = await makeKey('ES256')
    const forged = await sign(other.privateKey, { alg: 'ES256' })
    expect(await refusal(() => reported(forged, report, registered()))).toMatchObject({ check: 'signature' })
    const short = 'a secret of forty bytes, good for HS256.'
    const assertion = await sign(Buffer.from(short), { alg: 'HS512' })
    const client = secretClient({ client_secret: short, token_endpoint_auth_signing_alg: 'HS256' })
    expect(await refusal(() => reported(assertion, report, client))).toMatchObject({ check: 'key' })
  })
})

describe('clock', () => {
  const report = { clock: 'report' } as const

  it.each([['iat'], ['nbf']])('%s up to a minute ahead is reported, and refused beyond', async claim => {
    const check = claim === 'iat' ? 'issued_at' : 'not_before'
    const at = (seconds: number) => hs(claims({ [claim]: now + seconds, exp: now + 120 }))
    expect(await reported(await at(10), report)).toEqual([])
    for (const seconds of [11, 59, 60])
      expect(await reported(await at(seconds), report)).toMatchObject([{ check, received: String(now + seconds) }])
    for (const seconds of [61, 3600, 1e15]) {
      const assertion = await at(seconds)
      expect(await refusal(() => reported(assertion, report))).toMatchObject({ check })
    }
    const assertion = await at(11)
    expect(await refusal(() => reported(assertion, {}))).toMatchObject({ check, expected: `at most ${now + 10}` })
  })

  it.each([['tomorrow'], [null], [[now]]])('an iat of %j is refused', async iat => {
    const assertion = await hs(claims({ iat }))
    expect(await refusal(() => reported(assertion, report))).toMatchObject({ check: 'issued_at' })
  })

  it('does not let one live longer', async () => {
    const assertion = await hs(claims({ iat: now + 60, exp: now + 4000 }))
    expect(await refusal(() => reported(assertion, report))).toMatchObject({ check: 'lifetime' })
  })
})

describe('dialChecks', () => {
  it('has defaults that change nothing', () => {
    expect(readOptions({}, dialChecks)).toEqual({ typ: 'off', alg: 'enforce', clock: 'enforce' })
  })
})
