/** RSA keys by their public exponent, wherever a key comes in: what it costs to verify with one must not be up to its sender. */
import { createPublicKey } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { SignJWT, type JWK } from 'jose'
import { chainVerifier } from '../../lib/certificates/x509/chain.ts'
import { clientKeys } from '../../lib/client-keys/client-keys.ts'
import { dpopAlgorithms, verifyDpopProof } from '../../lib/assertions/dpop-proof.ts'
import { parseCertificate } from '../../lib/certificates/x509/certificate.ts'
import { suitableKeys, unsuitable } from '../../lib/client-keys/public-keys.ts'
import { readOptions } from '../../lib/options.ts'
import { softwareStatementChecks, softwareStatements } from '../../lib/assertions/software-statement.ts'
import { toClient } from '../../lib/clients/client.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { makeAuthority, makeCertificate } from '../support/certificates/certificates.ts'
import { prove } from '../support/clients/dpop.ts'
import { refusal as registration } from '../endpoints/registration/rules.ts'
import { rsaKeyWithExponent, type RsaKey } from '../support/keys/rsa-keys.ts'
import { base64url } from '../support/keys/rsa-numbers.mjs'
import { signAs } from '../support/servers/trusted-issuer.ts'
import { acceptor, accepted } from '../assertions/accepting.ts'
import { issuer, keyClient, now, sign, verify } from '../assertions/signing.ts'

const usual: readonly bigint[] = [3n, 65_537n, 2n ** 32n + 15n, 2n ** 33n - 9n]
const unusual: readonly bigint[] = [1n, 2n ** 33n + 17n, 2n ** 64n + 13n, 2n ** 2040n - 1n]
const words = /public exponent/

const { n } = (await rsaKeyWithExponent(65_537n)).jwk
const withExponent = (e: unknown) => ({ kty: 'RSA', n, e })

describe('suitableKeys', () => {
  const key = (kid: string | undefined, more: Partial<JWK> = {}): JWK => ({
    kty: 'RSA',
    n: String(n),
    e: 'AQAB',
    ...more,
    ...(kid !== undefined && { kid })
  })
  const kids = (keys: readonly JWK[], kid?: string) => suitableKeys(keys, { alg: 'RS256', kid }).map(({ kid }) => kid)

  it('are the same, and in the same order, however large the set is', () => {
    const few = [key('a', { use: 'enc' }), key('b'), key('a', { e: 'Aw' }), key(undefined), key('a')]
    for (const kid of ['a', 'b', 'c', '__proto__', '', undefined]) {
      const found = suitableKeys(few, { alg: 'RS256', kid })
      const many = [...Array.from({ length: 1000 }, (_, index) => key(`other-${index}`, { use: 'enc' })), ...few]
      for (let times = 0; times < 2; times++) expect(suitableKeys(many, { alg: 'RS256', kid })).toEqual(found)
    }
    expect(kids(few, 'a')).toEqual(['a', 'a'])
  })

  it('are four at most', () => {
    for (const size of [5, 500])
      expect(
        kids(
          Array.from({ length: size }, () => key('a')),
          'a'
        )
      ).toHaveLength(4)
  })
})

describe('unsuitable', () => {
  it.each([...usual])('takes the public exponent %s', e => {
    expect(unsuitable(withExponent(base64url(e)), 'PS256')).toBeUndefined()
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 65_537],
    ['a list', ['AQAB']],
    ['the empty string', ''],
    ['0', 'AA'],
    ['1', 'AQ'],
    ['2', 'Ag'],
    ['65536', 'AQAA'],
    ['2^33', base64url(2n ** 33n)],
    ['2^33 + 1', base64url(2n ** 33n + 1n)],
    ['2^64 + 1', base64url(2n ** 64n + 1n)],
    ['3,064 bits', base64url(2n ** 3064n - 1n)],
    ['half a million bits', base64url(2n ** 524_288n - 1n)],
    ['what is no base64url', '!!!!']
  ])('refuses a public exponent that is %s', (_, e) => {
    expect(unsuitable(withExponent(e), 'RS256')).toMatch(words)
  })

  it('reads an exponent as the import reads it, whatever stands there', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 16 }),
      fc.stringMatching(/^[A-Za-z0-9_+/=-]{0,16}$/),
      fc.bigInt({ min: 0n, max: 2n ** 40n }).map(base64url),
      fc.bigInt({ min: 0n, max: 2n ** 40n }).map(e => `AAAA${base64url(e)}`)
    )
    fc.assert(
      fc.property(text, e => {
        const exponent = exponentOf(e)
        const isUsual = exponent !== undefined && exponent >= 3n && exponent < 2n ** 33n && exponent % 2n === 1n
        // one that cannot be imported verifies nothing, whatever is said of it here
        if (exponent !== undefined) expect(unsuitable(withExponent(e), 'PS256') === undefined).toBe(isUsual)
      }),
      { numRuns: 500 }
    )
  })
})

function exponentOf(e: string): bigint | undefined {
  try {
    return createPublicKey({ key: { kty: 'RSA', n, e } as JWK & { n: string }, format: 'jwk' }).asymmetricKeyDetails
      ?.publicExponent
  } catch {
    return undefined
  }
}

const byUri = (key: RsaKey) => () => Promise.resolve({ json: { keys: [key.jwk] } })
const idp = 'https://idp.example'

/** Each is given something that the key really signed, and resolves with `accepted` or with why not. */
const imports: Readonly<Record<string, (key: RsaKey) => Promise<string | undefined>>> = {
  'a client’s jwks': async key => {
    const assertion = await sign(key.privateKey, { alg: 'PS256' })
    return verdict(() => verify({ assertion, client: keyClient([key.jwk]) }))
  },
  'a client’s jwks_uri': async key => {
    const metadata = {
      client_id: 'billing',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: 'https://client.example/jwks'
    }
    const assertion = await sign(key.privateKey, { alg: 'PS256' })
    return verdict(() => verify({ assertion, client: toClient(metadata), clientKeys: clientKeys({ fetchJson: byUri(key) }) }))
  },
  'the header of a DPoP proof': async ({ jwk, privateKey }) => {
    const address = `${issuer}/oauth2/token`
    const policy = { issuer, store: memoryStore(), clock: () => now * 1000, algorithms: dpopAlgorithms, nonces: undefined }
    const proof = await prove({ privateKey, jwk, alg: 'PS256', jkt: '' }, 'POST', address, now * 1000)
    return verdict(() => verifyDpopProof({ proof, method: 'POST', addresses: [address], policy }))
  },
  'a trusted issuer’s jwks_uri': async key => {
    const { issuers } = acceptor([{ issuer: idp, jwks_uri: `${idp}/jwks` }], { fetchJson: byUri(key) })
    const outcome = await issuers.verify(await signAs({ issuer: idp, alg: 'PS256', ...key }, issuer, now), accepted)
    return outcome.outcome === 'verified' ? 'accepted' : outcome.reason
  },
  'a trusted issuer’s jwks': key => verdict(() => acceptor([{ issuer: idp, jwks: { keys: [key.jwk] } }])),
  'the jwks of who signs software statements': key =>
    verdict(() =>
      softwareStatements(readOptions({ trustedIssuers: [{ issuer: idp, jwks: { keys: [key.jwk] } }] }, softwareStatementChecks), {
        issuer,
        clock: Date.now,
        fetchJson: byUri(key)
      })
    ),
  'the jwks_uri of who signs software statements': async key => {
    const { privateKey } = key
    const statements = softwareStatements(
      readOptions({ trustedIssuers: [{ issuer: idp, jwks_uri: `${idp}/jwks` }] }, softwareStatementChecks),
      { issuer, clock: () => now * 1000, fetchJson: byUri(key) }
    )
    const statement = await new SignJWT({ iss: idp }).setProtectedHeader({ alg: 'PS256' }).sign(privateKey)
    return verdict(() => statements.verify(statement))
  },
  'a registration': ({ jwk }) =>
    Promise.resolve(registration({ redirect_uris: ['https://client.example/cb'], jwks: { keys: [jwk] } })),
  'a certificate': ({ key }) => verdict(() => parseCertificate(makeCertificate({ key }).der)),
  'an authority': ({ key }) => verdict(() => chainVerifier({ ca: makeAuthority({ key }).pem })),
  'an authority in between': async ({ key }) => {
    const root = makeAuthority({ subject: 'root' })
    const between = makeAuthority({ subject: 'between', issuer: root, key })
    const leaf = makeCertificate({ issuer: between })
    const { verified, reason } = await chainVerifier({ ca: root.pem })(leaf.der, [between.der], Date.now())
    return verified ? 'accepted' : reason
  }
}

/** `accepted`, or everything the operator is told. */
async function verdict(attempt: () => unknown): Promise<string> {
  try {
    await attempt()
    return 'accepted'
  } catch (error) {
    const { message, reason, decision } = error as { message: string; reason?: string; decision?: unknown }
    return JSON.stringify([message, reason, decision])
  }
}

const described = (e: bigint) => (e < 2n ** 40n ? e.toString() : `of ${e.toString(2).length} bits`)
const usualKeys = await Promise.all(usual.map(rsaKeyWithExponent))
const unusualKeys = await Promise.all(unusual.map(rsaKeyWithExponent))

describe.each(Object.keys(imports))('%s', name => {
  it.each(usual.map((e, index) => ({ e: described(e), key: usualKeys[index] })))(
    'may have the public exponent $e',
    async ({ key }) => {
      expect(key && (await imports[name]?.(key))).toBe('accepted')
    }
  )

  it.each(unusual.map((e, index) => ({ e: described(e), key: unusualKeys[index] })))(
    'has no public exponent $e',
    async ({ key }) => {
      expect(key && (await imports[name]?.(key))).toMatch(refusals[name] ?? words)
    }
  )
})

/** Where keys that are no good are passed over, and what is left is no key at all. */
const refusals: Readonly<Record<string, RegExp>> = {
  'a trusted issuer’s jwks_uri': /^key: no key of/,
  'the jwks_uri of who signs software statements': /no key of/,
  'an authority in between': /is not issued by a configured authority/
}
