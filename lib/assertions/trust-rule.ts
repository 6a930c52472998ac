/** The trust of a server in one other issuer: checked once, at construction. */
import type { JWK } from 'jose'
import {
  ConfigurationError,
  eachOf,
  integer,
  isSecureAddress,
  nested,
  oneOf,
  readBy,
  required,
  text,
  textLike,
  type Check,
  type Checks,
  type Read
} from '../options.ts'
import { asymmetricAlgorithms, someOf } from '../client-keys/algorithms.ts'
import { isPublicKey, unsuitableRsa } from '../client-keys/public-keys.ts'
import { keysInSet } from '../clients/metadata/jwk.ts'

/** An issuer whose JWTs are accepted. Exactly one of `jwks` and `jwks_uri`. */
export interface TrustedIssuer {
  /** Exactly what its JWTs say in `iss`. */
  readonly issuer: string
  /** Its public keys. */
  readonly jwks?: { /** The keys, each a JWK (RFC 7517 §5). */ readonly keys: readonly JWK[] } | undefined
  /** Where its public keys are: https, or http on a loopback host. */
  readonly jwks_uri?: string | undefined
  /**
   * The signature algorithms accepted of it. Default: every asymmetric one this library verifies. Symmetric ones and
   * `none` never are.
   */
  readonly algorithms?: readonly string[] | undefined
  /**
   * `once` (default): each JWT needs a `jti` and is used up by its first success. `allow`: one may be used until it
   * expires.
   */
  readonly replay?: 'once' | 'allow' | undefined
  /** Seconds a JWT may live. Default 3600, at most 86400. */
  readonly maxLifetime?: number | undefined
  /** Seconds its clock may be ahead, and a JWT be past its `exp`. Default 10, at most 60. */
  readonly clockTolerance?: number | undefined
}

const algorithms = [...asymmetricAlgorithms.keys()]
const listOfAlgorithms = someOf(algorithms)

/** Public keys, as a JWK set. */
export const jwksCheck = readBy('an object with a list "keys"', readJwks)
/** Where a server may fetch from. */
export const fetchableCheck = textLike('an https URL (http only on localhost, 127.0.0.1 or [::1])', isFetchable)
/** Asymmetric signature algorithms: all of them where there is no list. */
export const algorithmsCheck = readBy(listOfAlgorithms.takes, (value, key) => listOfAlgorithms.read(value, key) ?? algorithms)

export const trustedIssuerChecks = {
  issuer: required(text()),
  jwks: jwksCheck,
  jwks_uri: fetchableCheck,
  algorithms: algorithmsCheck,
  replay: oneOf(['once', 'allow'], 'once'),
  maxLifetime: integer({ min: 1, max: 86_400, default: 3600 }),
  clockTolerance: integer({ min: 0, max: 60, default: 10 })
} satisfies Checks<TrustedIssuer>

/** A {@link TrustedIssuer} with its defaults. */
export type TrustRule = Read<typeof trustedIssuerChecks>

const listOfIssuers = required(eachOf('trusted issuers', required(nested(trustedIssuerChecks))))

/** A list of trusted issuers, as rules by issuer. */
export const trustedIssuersCheck: Check<ReadonlyMap<string, TrustRule>> = readBy(listOfIssuers.takes, (value, key) => {
  const rules = new Map<string, TrustRule>()
  listOfIssuers.read(value, key).forEach((rule, index) => {
    if ((rule.jwks === undefined) === (rule.jwks_uri === undefined))
      throw new ConfigurationError(`${key}[${index}].jwks`, 'or jwks_uri must be given, and not both')
    if (rules.has(rule.issuer))
      throw new ConfigurationError(`${key}[${index}].issuer`, 'must not be that of another trusted issuer')
    rules.set(rule.issuer, rule)
  })
  return rules
})

function readJwks(jwks: unknown, key: string): TrustedIssuer['jwks'] {
  if (jwks === undefined) return undefined
  const keys = keysInSet(jwks)
  if (keys === undefined) throw new ConfigurationError(key, 'must be an object with a list "keys"')
  keys.forEach((jwk, index) => {
    // whoever can read this configuration could sign as the issuer
    if (!isPublicKey(jwk))
      throw new ConfigurationError(`${key}.keys[${index}]`, 'must be a public key in JWK form, with no private or symmetric part')
    const problem = unsuitableRsa(jwk)
    if (problem !== undefined)
      throw new ConfigurationError(`${key}.keys[${index}]`, `must be a key this server verifies with; this one ${problem}`)
  })
  return { keys: keys as readonly JWK[] }
}

/** Whether a server may fetch from this address: https, or http on a loopback host. */
export function isFetchable(address: string): boolean {
  const url = URL.canParse(address) ? new URL(address) : undefined
  return url !== undefined && isSecureAddress(url)
}
