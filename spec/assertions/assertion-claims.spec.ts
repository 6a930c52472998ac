import { describe, expect, it } from '@jest/globals'
import { DecisionBuilder } from '../../lib/decisions/builder.ts'
import type { AssertionOptions } from '../../lib/assertions/client-assertion.ts'
import type { AssertionAudience } from '../../lib/clients/client.ts'
import { claims, issuer, now, policyOf, refusal, secret, secretClient, sign, tokenEndpoint, verify } from './signing.ts'

const client = secretClient()

async function signed(overrides: Readonly<Record<string, unknown>>): Promise<string> {
  return sign(Buffer.from(secret), { alg: 'HS256' }, claims(overrides))
}

async function accepts(overrides: Readonly<Record<string, unknown>>, options: Partial<AssertionOptions> = {}) {
  return verify({ assertion: await signed(overrides), client, policy: policyOf(options) })
}

const absentOrOfWrongType: [unknown][] = [[undefined], [null], [''], [5], [true], [{}], [[]], [[null]], [['a', 'b']]]
const notNumbers: [unknown][] = [[null], ['1800000060'], [''], [true], [{}], [[now + 60]], [-1], [1e300]]

describe('iss and sub', () => {
  it.each([...absentOrOfWrongType, ['billing '], ['Billing'], ['other'], ['billing\0'], [['billing']]])(
    'refuses iss %j',
    async iss => {
      expect(await refusal(() => accepts({ iss }))).toMatchObject({ check: 'issuer_and_subject', expected: 'billing' })
    }
  )

  it.each([...absentOrOfWrongType, ['billing '], ['Billing'], ['other'], [['billing']]])('refuses sub %j', async sub => {
    expect(await refusal(() => accepts({ sub }))).toMatchObject({ check: 'issuer_and_subject', expected: 'billing' })
  })

  it('accepts a client_id parameter that agrees, and refuses one that does not', async () => {
    await verify({ assertion: await signed({}), client, client_id_parameter: 'billing' })
    const assertion = await signed({})
    const check = await refusal(() => verify({ assertion, client, client_id_parameter: 'other' }))
    expect(check).toMatchObject({ check: 'issuer_and_subject', received: 'the parameter client_id other' })
  })
})

describe('aud', () => {
  const wrong: [unknown][] = [
    ...absentOrOfWrongType,
    [tokenEndpoint],
    [`${issuer}/`],
    [issuer.toUpperCase()],
    [`${issuer}:443`],
    ['https://as.example.com.evil.example'],
    [[tokenEndpoint]],
    [[issuer, tokenEndpoint]],
    [[issuer, 'https://other.example']],
    [[issuer, issuer]],
    [[[issuer]]]
  ]

  it('accepts the issuer, also as a list of one', async () => {
    await accepts({ aud: issuer })
    await accepts({ aud: [issuer] })
  })

  it.each(wrong)('refuses %j', async aud => {
    expect(await refusal(() => accepts({ aud }))).toMatchObject({ check: 'audience', expected: issuer })
  })

  it('refuses a list where only a string will do', async () => {
    await accepts({ aud: issuer }, { audienceAsStringOnly: true })
    const check = await refusal(() => accepts({ aud: [issuer] }, { audienceAsStringOnly: true }))
    expect(check).toMatchObject({ check: 'audience', section: 'FAPI 2.0 §5.3.2.1', fix: 'Send aud as a string, not as a list.' })
  })

  it.each([[tokenEndpoint], [[tokenEndpoint]], [[issuer, tokenEndpoint]], [['https://other.example', tokenEndpoint]]])(
    'accepts %j under report and legacy, and tells of it under report',
    async aud => {
      for (const dial of ['report', 'legacy'] satisfies AssertionAudience[]) {
        const decision = new DecisionBuilder('token')
        await verify({ assertion: await signed({ aud }), client, policy: policyOf({ assertionAudience: dial }), decision })
        const audience = decision.finish('authenticated').checks.find(({ check }) => check === 'audience')
        expect(audience?.outcome).toBe(dial === 'report' ? 'report' : 'pass')
      }
    }
  )

  it('does not tell of the issuer under report', async () => {
    const decision = new DecisionBuilder('token')
    await verify({ assertion: await signed({}), client, policy: policyOf({ assertionAudience: 'report' }), decision })
    expect(decision.finish('authenticated').checks).toContainEqual({ check: 'audience', outcome: 'pass' })
  })

  it.each(['report', 'legacy'] satisfies AssertionAudience[])(
    'refuses what names this server in no way under %s',
    async assertionAudience => {
      for (const aud of [undefined, [], 'https://other.example', ['https://other.example'], `${tokenEndpoint}/`, 5, [null]]) {
        expect(await refusal(() => accepts({ aud }, { assertionAudience }))).toMatchObject({ check: 'audience' })
      }
    }
  )

  it("lets the client's own dial override the server's, both ways", async () => {
    const lenient = secretClient({ assertion_audience: 'legacy' })
    const strict = secretClient({ assertion_audience: 'issuer' })
    await verify({ assertion: await signed({ aud: tokenEndpoint }), client: lenient })
    const assertion = await signed({ aud: tokenEndpoint })
    const policy = policyOf({ assertionAudience: 'legacy' })
    expect(await refusal(() => verify({ assertion, client: strict, policy }))).toMatchObject({ check: 'audience' })
  })
})

describe('the fix of an audience that was refused', () => {
  const plain = 'Send the issuer as the only aud.'
  const forThis = 'Send the issuer as the only aud, or set assertion_audience of this client to "report" while it moves.'
  const forAll =
    'Send the issuer as the only aud, or set assertionAudience, or assertion_audience of this client, to "report" while clients move.'

  it.each<[unknown, string, AssertionAudience | undefined, string]>([
    ['one of this server’s endpoints', tokenEndpoint, undefined, forAll],
    ['one in a list', [tokenEndpoint] as unknown as string, undefined, forAll],
    ['one beside the issuer', [issuer, tokenEndpoint] as unknown as string, undefined, forAll],
    ['one, for a client that was said to have moved', tokenEndpoint, 'issuer', forThis],
    ['one beside another server', [tokenEndpoint, 'https://other.example'] as unknown as string, undefined, plain],
    ['another server', 'https://other.example', undefined, plain],
    ['the issuer and another server', [issuer, 'https://other.example'] as unknown as string, undefined, plain],
    ['nothing', undefined as unknown as string, undefined, plain],
    ['an empty list', [] as unknown as string, undefined, plain]
  ])('names the settings that would help: %s', async (_, aud, assertion_audience, fix) => {
    const assertion = await signed({ aud })
    const asking = assertion_audience === undefined ? client : secretClient({ assertion_audience })
    expect(await refusal(() => verify({ assertion, client: asking }))).toMatchObject({ check: 'audience', fix })
  })

  it('names none where a profile leaves none', async () => {
    const options = { legacyAudiences: [], audienceAsStringOnly: true }
    expect(await refusal(() => accepts({ aud: tokenEndpoint }, options))).toMatchObject({ fix: plain })
  })
})

describe('exp', () => {
  it.each([[undefined], ...notNumbers.filter(([value]) => value !== 1e300)])('refuses %j', async exp => {
    expect(await refusal(() => accepts({ exp }))).toMatchObject({ check: 'expiry' })
  })

  it('refuses what JSON reads as infinite', async () => {
    const payload = JSON.stringify(claims({ exp: 0 })).replace('"exp":0', '"exp":1e999')
    const assertion = await sign(Buffer.from(secret), { alg: 'HS256' }, payload)
    expect(await refusal(() => verify({ assertion, client }))).toMatchObject({ check: 'expiry' })
  })

  it.each([
    [now - 9, {}],
    [now - 59, { clockTolerance: 60 }],
    [now + 1, { clockTolerance: 0 }],
    [now + 0.5, { clockTolerance: 0 }]
  ])('accepts %d with %j', async (exp, options) => {
    await accepts({ exp }, options)
  })

  it.each([
    [now - 10, {}],
    [now - 300, {}],
    [now - 60, { clockTolerance: 60 }],
    [now, { clockTolerance: 0 }],
    [0, {}]
  ])('refuses %d with %j', async (exp, options) => {
    expect(await refusal(() => accepts({ exp }, options))).toMatchObject({ check: 'expiry', received: String(exp) })
  })
})

describe.each([
  ['nbf', 'not_before'],
  ['iat', 'issued_at']
])('%s', (claim, check) => {
  it.each(notNumbers)('refuses %j', async value => {
    expect(await refusal(() => accepts({ [claim]: value }))).toMatchObject({ check })
  })

  it.each([
    [undefined, {}],
    [now - 30, {}],
    [now + 0.25, {}],
    [now + 10, {}],
    [now + 60, { clockTolerance: 60, maxLifetime: 86_400 }]
  ])('accepts %p with %j', async (value, options) => {
    await accepts({ [claim]: value, exp: now + 120 }, options)
  })

  it.each([
    [now + 11, {}],
    [now + 61, {}],
    [now + 61, { clockTolerance: 60 }],
    [now + 1, { clockTolerance: 0 }],
    [Number.MAX_SAFE_INTEGER, {}]
  ])('refuses %p with %j', async (value, options) => {
    expect(await refusal(() => accepts({ [claim]: value, exp: now + 120 }, options))).toMatchObject({
      check,
      received: String(value)
    })
  })

  it('accepts ten seconds ahead of a clock between two seconds', async () => {
    const policy = policyOf({ clock: () => now * 1000 - 900 })
    await verify({ assertion: await signed({ [claim]: now + 10 }), client, policy })
  })

  it('refuses more than sixty seconds ahead of a clock between two seconds', async () => {
    const policy = policyOf({ clock: () => now * 1000 - 900, clockTolerance: 60 })
    const assertion = await signed({ [claim]: now + 60, exp: now + 120 })
    expect(await refusal(() => verify({ assertion, client, policy }))).toMatchObject({ check })
  })
})

describe('lifetime', () => {
  it.each([
    [{ exp: now + 3600 }],
    [{ exp: now + 3610, iat: now + 10 }],
    [{ exp: now + 3600, iat: undefined }],
    [{ exp: now + 60, iat: now - 3540 }]
  ])('accepts %j', async overrides => {
    await accepts(overrides)
  })

  it.each([
    [{ exp: now + 3601 }],
    [{ exp: now + 3601, iat: undefined }],
    [{ exp: now + 60, iat: now - 3600 }],
    [{ exp: now + 60, iat: 0 }],
    [{ exp: Number.MAX_SAFE_INTEGER }]
  ])('refuses %j', async overrides => {
    expect(await refusal(() => accepts(overrides))).toMatchObject({ check: 'lifetime', expected: 'at most 3600 s' })
  })

  it('is an option', async () => {
    await accepts({ exp: now + 300 }, { maxLifetime: 300 })
    expect(await refusal(() => accepts({ exp: now + 301 }, { maxLifetime: 300 }))).toMatchObject({ check: 'lifetime' })
  })
})

describe('jti', () => {
  it.each([[undefined], [null], [''], [5], [{}], [['a']], ['a'.repeat(513)]])('refuses %j', async jti => {
    expect(await refusal(() => accepts({ jti }))).toMatchObject({ check: 'jti' })
  })

  it.each([['a'], ['a'.repeat(512)], ['with spaces, \u0000 and \u2028'], ['\ud800']])('accepts %j', async jti => {
    await accepts({ jti })
  })
})
