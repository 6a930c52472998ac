import { beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose'
import {
  softwareStatementChecks,
  softwareStatements,
  type SoftwareStatementOptions,
  type SoftwareStatements
} from '../../lib/assertions/software-statement.ts'
import { OAuthError } from '../../lib/errors.ts'
import { ConfigurationError, readOptions } from '../../lib/options.ts'

const issuer = 'https://as.example.com'
const now = 1_800_000_000
const authority = 'https://directory.example'
const remote = 'https://remote.example'

type Context = Parameters<typeof softwareStatements>[1]
const statementsBy = (options: SoftwareStatementOptions | undefined, context: Context): SoftwareStatements =>
  softwareStatements(options && readOptions(options, softwareStatementChecks), context)

let key: { readonly privateKey: CryptoKey; readonly jwk: JWK }
let other: CryptoKey
let statements: SoftwareStatements
let fetched: () => Promise<{ json: unknown }>
beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  key = { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: 'k1' } }
  other = (await generateKeyPair('ES256')).privateKey
  statements = statementsBy(
    {
      trustedIssuers: [
        { issuer: authority, jwks: { keys: [key.jwk] } },
        { issuer: remote, jwks_uri: `${remote}/jwks`, algorithms: ['ES256'] }
      ]
    },
    { issuer, clock: () => now * 1000, fetchJson: () => fetched() }
  )
})

const signed = (claims: JWTPayload, header: object = {}, privateKey = key.privateKey): Promise<string> =>
  new SignJWT({ iss: authority, software_id: 'x', ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header })
    .sign(privateKey)

const refusal = (statement: string): Promise<string> =>
  statements.verify(statement).then(
    () => 'accepted',
    (error: unknown) => (error instanceof OAuthError ? `${error.status} ${error.error}` : Promise.reject(error as Error))
  )

const invalid = '400 invalid_software_statement'

describe('a software statement', () => {
  it('is accepted from a trusted issuer, any number of times, with nothing in it but the issuer', async () => {
    const statement = await signed({})
    for (let time = 0; time < 2; time++) expect(await statements.verify(statement)).toEqual({ iss: authority, software_id: 'x' })
  })

  it.each<[string, JWTPayload, object]>([
    ['times that fit', { exp: now + 1, nbf: now, iat: now }, {}],
    ['a clock ten seconds ahead', { iat: now + 10, nbf: now + 10 }, {}],
    ['times years apart', { iat: 1, exp: now * 2 }, {}],
    ['an audience that is this server', { aud: issuer }, {}],
    ['an audience that names this server among others', { aud: ['https://other.example', issuer] }, {}],
    ['the usual type', {}, { typ: 'JWT' }],
    ['a type of its own', {}, { typ: 'software-statement+jwt' }],
    ['no kid', {}, { kid: undefined }]
  ])('may have %s', async (_, claims, header) => {
    expect(await refusal(await signed(claims, header))).toBe('accepted')
  })

  it.each<[string, () => string | Promise<string>]>([
    ['no JWT', () => 'x'],
    ['empty', () => ''],
    ['encrypted', () => 'a.b.c.d.e'],
    ['expired', () => signed({ exp: now - 10 })],
    ['of the future', () => signed({ nbf: now + 11 })],
    ['made in the future', () => signed({ iat: now + 3600 })],
    ['of no time', () => signed({ exp: 'never' as never })],
    ['for another server', () => signed({ aud: 'https://other.example' })],
    ['for nobody', () => signed({ aud: [] })],
    ['signed by another key', () => signed({}, {}, other)],
    ['of another kid', () => signed({}, { kid: 'k2' })],
    ['an access token', () => signed({}, { typ: 'at+jwt' })],
    ['a client assertion', () => signed({}, { typ: 'client-authentication+jwt' })],
    ['one with extensions', async () => (await signed({})).replace(/^[^.]+/, encoded({ alg: 'ES256', crit: ['x'] }))],
    ['unsigned', async () => `${encoded({ alg: 'none' })}.${(await signed({})).split('.')[1]}.`],
    ['an HMAC under the public key', () => hmac({ iss: authority })],
    ['altered', async () => (await signed({})).replace(/\.[^.]+\./, `.${encoded({ iss: authority, software_id: 'y' })}.`)]
  ])('is invalid where it is %s', async (_, statement) => {
    expect(await refusal(await statement())).toBe(invalid)
  })

  it.each<[string, JWTPayload]>([
    ['another issuer', { iss: 'https://evil.example' }],
    ['an issuer spelt otherwise', { iss: `${authority}/` }],
    ['no issuer', { iss: undefined as never }],
    ['an issuer that is no string', { iss: [authority] as never }],
    ['a name objects have', { iss: '__proto__' }]
  ])('is unapproved from %s', async (_, claims) => {
    expect(await refusal(await signed(claims))).toBe('400 unapproved_software_statement')
  })

  it('is unapproved where nobody is trusted', async () => {
    const none = statementsBy(undefined, { issuer, clock: Date.now, fetchJson: () => fetched() })
    await expect(none.verify(await signed({}))).rejects.toMatchObject({ error: 'unapproved_software_statement' })
    expect(none.required).toBe(false)
  })

  it('is looked up at its issuer’s jwks_uri; while that does not answer, whoever sent it is told to come back', async () => {
    fetched = () => Promise.reject(new Error('down'))
    expect(await refusal(await signed({ iss: remote }))).toBe('503 temporarily_unavailable')
    const fresh = statementsBy(
      { trustedIssuers: [{ issuer: remote, jwks_uri: `${remote}/jwks` }] },
      { issuer, clock: () => now * 1000, fetchJson: () => Promise.resolve({ json: { keys: [key.jwk] } }) }
    )
    expect(await fresh.verify(await signed({ iss: remote }))).toMatchObject({ iss: remote })
  })

  it.each([{ trustedIssuers: 'x' }, { trustedIssuers: [{}] }, { trustedIssuers: [{ issuer: authority }] }, { issuers: [] }, 5])(
    'needs options that are right: %j',
    options => {
      expect(() => statementsBy(options as never, { issuer, clock: Date.now, fetchJson: () => fetched() })).toThrow(
        ConfigurationError
      )
    }
  )
})

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function hmac(claims: JWTPayload): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(JSON.stringify(key.jwk)))
}
