/** SPIFFE bundles (SPIFFE Trust Domain and Bundle §4): which keys of a trust domain are for what. */
import type { JWK } from 'jose'
import { isPublicKey, keptKey } from '../../client-keys/public-keys.ts'
import { anchorProblem } from '../../certificates/x509/path-rules.ts'
import { readPathCertificate } from '../../certificates/x509/path-certificate.ts'
import { CertificateError } from '../../certificates/x509/certificate.ts'
import { keysInSet } from '../../clients/metadata/jwk.ts'
import { ConfigurationError, readBy, type Check } from '../../options.ts'
import { isJsonObject, type JsonObject } from '../../json.ts'

/** A bundle, read. */
export interface Bundle {
  /** The keys of JWT-SVIDs. */
  readonly jwtKeys: readonly JWK[]
  /** The certificates X.509-SVIDs lead to, DER. */
  readonly certificates: readonly Uint8Array[]
  /** Undefined where it does not say. */
  readonly sequence: number | undefined
  /** Seconds after which to ask again, within bounds. */
  readonly refreshHint: number
}

const shortestHint = 30
const longestHint = 3600
const defaultHint = 300
const mostKeys = 10_000

/**
 * Reads a bundle; undefined for what is none. Keys whose `use` is not known are passed over, and so is what is
 * malformed. Never throws.
 */
export function readBundle(json: unknown): Bundle | undefined {
  const keys = keysInSet(json)
  if (keys === undefined || keys.length > mostKeys) return undefined
  const { spiffe_sequence: sequence, spiffe_refresh_hint: hint } = json as JsonObject
  return {
    jwtKeys: keys.flatMap(key => jwtKey(key)),
    certificates: keys.flatMap(key => certificateOf(key)),
    sequence: isCount(sequence) ? sequence : undefined,
    refreshHint: isCount(hint) && hint > 0 ? Math.min(Math.max(hint, shortestHint), longestHint) : defaultHint
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Its own `use` is said by its being here: from now on it is a key like any other. */
function jwtKey(key: unknown): JWK[] {
  if (!isPublicKey(key) || key.use !== 'jwt-svid' || typeof key.kid !== 'string') return []
  const kept = { ...keptKey(key) }
  delete kept.use
  return [kept]
}

/** SPIFFE Trust Domain and Bundle §4.2.2: exactly one certificate, of an authority. */
function certificateOf(key: unknown): Uint8Array[] {
  if (!isJsonObject(key) || key['use'] !== 'x509-svid') return []
  const x5c: readonly unknown[] = Array.isArray(key['x5c']) ? key['x5c'] : []
  const [encoded, more] = x5c
  if (typeof encoded !== 'string' || more !== undefined) return []
  const der = Buffer.from(encoded, 'base64')
  try {
    return anchorProblem(readPathCertificate(der)) === undefined ? [der] : []
  } catch (error) {
    if (error instanceof CertificateError) return []
    throw error
  }
}

/** A bundle that is configured: what is in it can be used. */
export const bundleCheck: Check<Bundle | undefined> = readBy('a SPIFFE bundle: an object with a list "keys"', (value, key) => {
  if (value === undefined) return undefined
  const bundle = readBundle(value)
  if (bundle === undefined) throw new ConfigurationError(key, 'must be a SPIFFE bundle: an object with a list "keys"')
  const keys = keysInSet(value) ?? []
  checkPublic(keys, key)
  if (keys.length > 0 && bundle.jwtKeys.length + bundle.certificates.length === 0)
    throw new ConfigurationError(
      `${key}.keys`,
      'must have a key with the use jwt-svid and a kid, or with the use x509-svid and one x5c'
    )
  return bundle
})

/** Whoever can read this configuration could sign as the trust domain. */
function checkPublic(keys: readonly unknown[], path: string): void {
  keys.forEach((key, index) => {
    if (typeof key === 'object' && key !== null && ('d' in key || 'k' in key))
      throw new ConfigurationError(`${path}.keys[${index}]`, 'must be a public key, with no private or symmetric part')
  })
}
