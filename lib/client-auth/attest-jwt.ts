/**
 * Client instances that somebody attests: the attestation they were given, and the proof that it is theirs
 * (draft-ietf-oauth-attestation-based-client-auth-12).
 */
import { randomUUID } from 'node:crypto'
import type { CryptoKey } from 'jose'
import { SignJWT } from 'jose/jwt/sign'
import { fn, readBy, readOptions, text, textLike, valueLike, ConfigurationError, type Checks } from '../options.ts'
import {
  clientAuthentication,
  ClientAuthenticationError,
  type AuthenticatedParties,
  type ClientAuthentication
} from './client-authentication.ts'
import { isJwt } from './workload-token.ts'

/** The attestation that a client instance was given, and the key it has. */
export interface AttestJwtOptions extends AuthenticatedParties {
  /** The attestation, or a function that gets one that is fresh enough, for every request. */
  readonly attestation: string | (() => string | Promise<string>)
  /**
   * The private key of the instance, which the attestation names in `cnf`. Absent: the request's DPoP proof is the
   * proof of it, for the method `attest_jwt_client_auth_dpop`; the library makes that one with the same key.
   */
  readonly key?: CryptoKey | undefined
  /**
   * Gets the server's latest challenge, from an `OAuth-Client-Attestation-Challenge` header or its
   * `challenge_endpoint`; undefined while there is none.
   */
  readonly challenge?: (() => string | undefined | Promise<string | undefined>) | undefined
}

const attestationTakes = 'a JWT, or a function that gets one'

const attestJwtChecks = {
  attestation: readBy(attestationTakes, (value, key): AttestJwtOptions['attestation'] => {
    if (typeof value === 'string' && isJwt(value)) return value
    if (typeof value === 'function') return value as () => string
    throw new ConfigurationError(key, `must be ${attestationTakes}`)
  }),
  key: valueLike<CryptoKey>('a private CryptoKey that signs, of an algorithm of JOSE', isSigningKey),
  challenge: fn<NonNullable<AttestJwtOptions['challenge']>>(),
  issuer: textLike('an absolute URL', value => URL.canParse(value)),
  client_id: text()
} satisfies Checks<AttestJwtOptions>

/**
 * The methods `attest_jwt_client_auth`, and without `key` `attest_jwt_client_auth_dpop`. Each request has a proof of
 * its own, for the server it goes to.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const config = await client.discovery(new URL(issuer), 'wallet', undefined, attestJwt({ attestation, key }))
 */
export function attestJwt(options: AttestJwtOptions): ClientAuthentication {
  const { attestation, key, challenge, ...parties } = readOptions(options, attestJwtChecks)
  return clientAuthentication(parties, async ({ issuer, client_id, body, headers }) => {
    const jwt = typeof attestation === 'string' ? attestation : await attestation()
    if (!isJwt(jwt)) throw new ClientAuthenticationError('attestation did not return a JWT')
    if (client_id !== undefined) body.set('client_id', client_id)
    headers.set('OAuth-Client-Attestation', jwt)
    if (key !== undefined) headers.set('OAuth-Client-Attestation-PoP', await proof(key, issuer, await challenge?.()))
  })
}

function proof(key: CryptoKey, audience: string, challenge: string | undefined): Promise<string> {
  return new SignJWT(challenge === undefined ? {} : { challenge })
    .setProtectedHeader({ alg: algorithmOf(key) ?? '', typ: 'oauth-client-attestation-pop+jwt' })
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt()
    .sign(key)
}

function isSigningKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'private') return false
  const key = value as CryptoKey
  return key.usages.includes('sign') && algorithmOf(key) !== undefined
}

/** The `alg` of what a key signs (RFC 7518 §3.1, RFC 9864); undefined where JOSE has none. */
function algorithmOf({ algorithm }: CryptoKey): string | undefined {
  const { name, namedCurve, hash } = algorithm as { name: string; namedCurve?: string; hash?: { readonly name: string } }
  const bits = hash?.name.replace('SHA-', '') ?? ''
  const byName: Readonly<Record<string, string | undefined>> = {
    ECDSA: { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }[namedCurve ?? ''],
    Ed25519: 'Ed25519',
    'RSA-PSS': `PS${bits}`,
    'RSASSA-PKCS1-v1_5': `RS${bits}`
  }
  return byName[name]
}
