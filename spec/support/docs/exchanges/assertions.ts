/** The methods whose client signs an assertion. */
import { CompactSign, exportJWK, generateKeyPair, type CryptoKey } from 'jose'
import type { Parts } from '../../clients/attestation.ts'
import { callback } from '../../servers/authorization-server.ts'
import { bearer } from '../../servers/workloads.ts'
import { issuer, now, tokenPath, type Answer, type Send } from './exchange.ts'
import { grant, secret, sendChanged, type Change, type MethodScript } from './script.ts'
import { codeGrant, faultsOf } from './secrets.ts'

type Key = CryptoKey | Uint8Array

const own = await generateKeyPair('ES256', { extractable: true })
const another = await generateKeyPair('ES256')
const jwk = { ...(await exportJWK(own.publicKey)), kid: '2026-12', alg: 'ES256', use: 'sig' }
const keysAt = 'https://billing.example.com/jwks'

/** Claims every assertion of a client's own has. Its `jti` is new each time. */
const claimsOf = (jti: string) => ({ iss: 'billing', sub: 'billing', aud: issuer, jti, iat: now, exp: now + 60 })

export const sign = (claims: object, header: Readonly<Record<string, unknown>>, key: Key): Promise<string> =>
  new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: 'ES256', ...header }).sign(key)

let signed = 0

type Talk = (send: Send, change?: Change, granted?: Readonly<Record<string, string>>) => Promise<Answer>

function scriptOf(
  method: string,
  header: Readonly<Record<string, unknown>>,
  key: Key,
  rest: Pick<MethodScript, 'registered' | 'documents' | 'faults'>
): MethodScript & { readonly talk: Talk } {
  const assertion = ({ header: more, claims, key: other }: Parts = {}) =>
    sign(
      { ...claimsOf(`b4f1c2d0-7c0e-4f5a-9a51-${String(++signed).padStart(12, '0')}`), ...claims },
      { ...header, ...more },
      other ?? key
    )
  return {
    method,
    ...rest,
    async talk(send, change = {}, granted: Readonly<Record<string, string>> = grant) {
      const form = { ...granted, client_assertion_type: bearer, client_assertion: await assertion(change.jwt) }
      return sendChanged(send, { path: tokenPath, form }, change)
    }
  }
}

/** The same in both. */
const faults: readonly (readonly [string, string, Change])[] = [
  ['`aud` is the address of the token endpoint', 'audience', { jwt: { claims: { aud: `${issuer}${tokenPath}` } } }],
  ['It ended a minute ago', 'expiry', { jwt: { claims: { iat: now - 120, exp: now - 60 } } }],
  ['The client’s clock is five minutes ahead', 'issued_at', { jwt: { claims: { iat: now + 300, exp: now + 360 } } }],
  ['It is good for a day', 'lifetime', { jwt: { claims: { exp: now + 86_400 } } }],
  ['It was sent before', 'replay', { twice: true }],
  ['It has no `jti`', 'jti', { jwt: { claims: { jti: undefined } } }],
  ['`iss` is somebody else', 'issuer_and_subject', { jwt: { claims: { iss: 'https://billing.example.com' } } }],
  ['It says that it is an access token', 'type', { jwt: { header: { typ: 'at+jwt' } } }],
  ['It is no JWT', 'assertion_format', { form: { client_id: 'billing', client_assertion: 'eyJhbGciOiJFUzI1NiJ9' } }]
]

export const clientSecretJwt: MethodScript = scriptOf('client_secret_jwt', { alg: 'HS256', typ: 'JWT' }, Buffer.from(secret), {
  registered: { client_secret: secret },
  faults: faultsOf([
    ['It was signed with another secret', 'signature', { jwt: { key: Buffer.from('another-secret-of-32-bytes-length') } }],
    ['It was signed with a private key', 'algorithm', { jwt: { header: { alg: 'ES256' }, key: own.privateKey } }],
    [
      'The secret itself was sent',
      'registered_method',
      { form: { client_assertion: undefined, client_assertion_type: undefined, client_id: 'billing', client_secret: secret } }
    ],
    ...faults
  ])
})

export const privateKeyJwt = scriptOf('private_key_jwt', { alg: 'ES256', typ: 'JWT', kid: jwk.kid }, own.privateKey, {
  registered: { jwks_uri: keysAt },
  documents: { [keysAt]: { keys: [jwk] } },
  faults: faultsOf([
    ['It was signed with another key', 'signature', { jwt: { key: another.privateKey } }],
    ['Its `kid` is at no registered key', 'key', { jwt: { header: { kid: '2025-12' } } }],
    ['It was signed with a secret', 'algorithm', { jwt: { header: { alg: 'HS256' }, key: Buffer.from(secret) } }],
    ...faults
  ])
})

/** A person's browser gets the code, and the client redeems it with its proof. */
export const codeFlow: MethodScript = {
  ...privateKeyJwt,
  registered: { ...privateKeyJwt.registered, grant_types: ['authorization_code'], redirect_uris: [callback] },
  talk: async send => privateKeyJwt.talk(send, {}, await codeGrant(send)),
  faults: []
}
