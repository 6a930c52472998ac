/** The key or certificate a token is bound to: the `cnf` claim (RFC 7800 §3). */
import { isJsonObject } from '../json.ts'

/** The key, the certificate, or both that a token is bound to, each by its thumbprint. */
export interface Confirmation {
  /** Thumbprint of the client certificate (RFC 8705 §3.1). */
  readonly 'x5t#S256'?: string
  /** Thumbprint of the DPoP key (RFC 9449 §6.1). */
  readonly jkt?: string
}

/** True when a token with this confirmation can only be used by whoever holds the key. */
export function isSenderConstrained(confirmation: Confirmation | undefined): boolean {
  return confirmation?.['x5t#S256'] !== undefined || confirmation?.jkt !== undefined
}

/** Whether a request that proves `proved` may use what is bound to `bound`: it proves everything that names. */
export function isProvedBy(bound: Confirmation | undefined, proved: Confirmation | undefined): boolean {
  if (bound?.jkt !== undefined && bound.jkt !== proved?.jkt) return false
  return bound?.['x5t#S256'] === undefined || bound['x5t#S256'] === proved?.['x5t#S256']
}

/**
 * The `cnf` of somebody else's JWT; undefined where it has none. `unknown` where it names what this server cannot ask a
 * request to prove: such a JWT is good for nobody here, because treating it as bound to nothing would let anybody use
 * it.
 */
export function readConfirmationClaim(cnf: unknown): Confirmation | undefined | 'unknown' {
  if (cnf === undefined) return undefined
  if (!isJsonObject(cnf)) return 'unknown'
  const members = Object.entries(cnf)
  const known = members.every(([name, value]) => ['jkt', 'x5t#S256'].includes(name) && typeof value === 'string' && value !== '')
  return known && members.length > 0 ? cnf : 'unknown'
}
