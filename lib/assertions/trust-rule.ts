/** What a server trusts one other issuer with: checked once, at construction. */
import type { JWK } from 'jose'
import { checkInteger, checkKeys, checkOneOf, ConfigurationError, isLoopbackHost } from '../options.ts'
import { asymmetricAlgorithms } from '../client-keys/algorithms.ts'
import { isPublicKey, unsuitableRsa } from '../client-keys/public-keys.ts'

/** An issuer whose JWTs are accepted. Exactly one of `jwks` and `jwks_uri`. */
export interface TrustedIssuer {
  /** Exactly what its JWTs say in `iss`. */
  readonly issuer: string
  /** Its public keys. */
  readonly jwks?: { readonly keys: readonly JWK[] } | undefined
  /** Where its public keys are: https, or http on a loopback host. */
  readonly jwks_uri?: string | undefined
  /** The signature algorithms accepted of it. Default: every asymmetric one this library verifies. Symmetric ones and `none` never are. */
  readonly algorithms?: readonly string[] | undefined
  /** `once` (default): each JWT needs a `jti` and is used up by its first success. `allow`: one may be used until it expires. */
  readonly replay?: 'once' | 'allow' | undefined
  /** Seconds a JWT may live. Default 3600, at most 86400. */
  readonly maxLifetime?: number | undefined
  /** Seconds its clock may be ahead, and a JWT be past its `exp`. Default 10, at most 60. */
  readonly clockTolerance?: number | undefined
}

/** A {@link TrustedIssuer} with its defaults. */
export interface TrustRule {
  readonly issuer: string
  readonly jwks: { readonly keys: readonly JWK[] } | undefined
  readonly jwks_uri: string | undefined
  readonly algorithms: readonly string[]
  readonly replay: 'once' | 'allow'
  readonly maxLifetime: number
  readonly clockTolerance: number
}

const known = ['issuer', 'jwks', 'jwks_uri', 'algorithms', 'replay', 'maxLifetime', 'clockTolerance']

/**
 * The rules by issuer.
 *
 * @param key names the list in errors.
 * @throws {@link ConfigurationError} naming the member that is wrong.
 */
export function trustRules(list: unknown, key: string): ReadonlyMap<string, TrustRule> {
  if (!Array.isArray(list)) throw new ConfigurationError(key, 'must be a list of trusted issuers')
  const rules = new Map<string, TrustRule>()
  list.forEach((given: unknown, index) => {
    const rule = toRule(given, `${key}[${index}]`)
    if (rules.has(rule.issuer))
      throw new ConfigurationError(`${key}[${index}].issuer`, 'must not be that of another trusted issuer')
    rules.set(rule.issuer, rule)
  })
  return rules
}

function toRule(given: unknown, key: string): TrustRule {
  if (typeof given !== 'object' || given === null) throw new ConfigurationError(key, 'must be an object')
  checkKeys(given, known, `${key}.`)
  const options = given as Partial<TrustedIssuer>
  const { issuer, jwks, jwks_uri } = options
  if (typeof issuer !== 'string' || issuer === '') throw new ConfigurationError(`${key}.issuer`, 'must be a non-empty string')
  if ((jwks === undefined) === (jwks_uri === undefined))
    throw new ConfigurationError(`${key}.jwks`, 'or jwks_uri must be given, and not both')
  return {
    issuer,
    jwks: checkJwks(jwks, `${key}.jwks`),
    jwks_uri: checkJwksUri(jwks_uri, `${key}.jwks_uri`),
    algorithms: checkAlgorithms(options.algorithms, `${key}.algorithms`),
    replay: checkOneOf(options.replay, `${key}.replay`, ['once', 'allow'], 'once'),
    maxLifetime: checkInteger(options.maxLifetime, `${key}.maxLifetime`, { min: 1, max: 86_400, default: 3600 }),
    clockTolerance: checkInteger(options.clockTolerance, `${key}.clockTolerance`, { min: 0, max: 60, default: 10 })
  }
}

function checkJwks(jwks: unknown, key: string): TrustRule['jwks'] {
  if (jwks === undefined) return undefined
  const keys: unknown = typeof jwks === 'object' && jwks !== null && 'keys' in jwks ? jwks.keys : undefined
  if (!Array.isArray(keys)) throw new ConfigurationError(key, 'must be an object with a list "keys"')
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

function checkJwksUri(jwks_uri: unknown, key: string): string | undefined {
  if (jwks_uri === undefined) return undefined
  const url = typeof jwks_uri === 'string' && URL.canParse(jwks_uri) ? new URL(jwks_uri) : undefined
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLoopbackHost(url.hostname)))
    throw new ConfigurationError(key, 'must be an https URL (http only on localhost, 127.0.0.1 or [::1])')
  return jwks_uri as string
}

function checkAlgorithms(algorithms: unknown, key: string): readonly string[] {
  const all = [...asymmetricAlgorithms.keys()]
  if (algorithms === undefined) return all
  if (!Array.isArray(algorithms) || algorithms.length === 0 || !algorithms.every(alg => all.includes(alg as string)))
    throw new ConfigurationError(key, `must be a list of ${all.join(', ')}`)
  return algorithms as readonly string[]
}
