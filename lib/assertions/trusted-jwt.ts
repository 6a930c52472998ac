/**
 * A JWT that somebody else than a client of ours signed: one verifier for every issuer this server trusts, be it for a
 * grant, for a client's authentication, or as the keeper of a SPIFFE trust domain.
 */
import type { JWK } from 'jose'
import { isAccepted } from '../client-keys/algorithms.ts'
import { importPublicKey, suitableKeys } from '../client-keys/public-keys.ts'
import { TemporarilyUnavailableError } from '../errors.ts'
import { printable } from '../printable.ts'
import { isSignedBy } from '../crypto/jws-signature.ts'
import { describeClaim, typeOf, type ReadJws } from './compact-jws.ts'
import type { JsonObject } from '../json.ts'

/** The checks of such a JWT, in this order. */
export type TrustedJwtCheck =
  | 'format'
  | 'issuer'
  | 'header'
  | 'type'
  | 'algorithm'
  | 'key'
  | 'signature'
  | 'audience'
  | 'expiry'
  | 'not_before'
  | 'issued_at'
  | 'lifetime'
  | 'subject'
  | 'jti'

/** A check that failed. It quotes identifiers, algorithms, audiences and times only. */
export interface JwtRefusal {
  readonly check: TrustedJwtCheck
  /** A clause for the operator. */
  readonly reason: string
  readonly expected?: string
  readonly received?: string
}

/** Where the keys of an issuer are. */
export interface IssuerKeys {
  /** Their owner, for messages. */
  readonly of: string
  /**
   * Its keys. Asks for newer ones, where that is possible and not too soon, where `satisfied` says that these are not
   * the ones needed. `problem`: why they could not be had, as a clause. Never rejects.
   */
  find(satisfied: (keys: readonly JWK[]) => boolean): Promise<{
    readonly keys: readonly JWK[]
    readonly problem: string | undefined
  }>
}

/** The members of a JOSE header that are read: keys and key URLs in it are not. */
interface TrustedHeader {
  readonly alg: string
  readonly kid: string | undefined
  /** In lower case, without `application/`; undefined where there was none. */
  readonly typ: unknown
}

export function isRefusal(value: object): value is JwtRefusal {
  return 'check' in value && 'reason' in value
}

/** Refuses `crit`, and a `kid` that is no string, whatever an issuer is trusted with. */
export function refuseHeader({ kid, crit }: JsonObject): JwtRefusal | undefined {
  if (crit !== undefined) {
    const reason = 'crit names extensions, and none is understood (RFC 7515 §4.1.11)'
    return { check: 'header', reason, received: 'crit' }
  }
  if (kid === undefined || typeof kid === 'string') return undefined
  return { check: 'header', reason: 'kid must be a string', expected: 'a string as kid', received: typeof kid }
}

/** Refuses a JWT made for something else (RFC 8725 §3.11). @param types those accepted beside none and `JWT`. */
export function refuseType({ typ }: JsonObject, types: readonly string[]): JwtRefusal | undefined {
  const type = typeOf(typ)
  if (type === undefined || (typeof type === 'string' && ['jwt', ...types].includes(type))) return undefined
  const [expected, received] = [['JWT', ...types].join(' or '), describeClaim(typ)]
  return { check: 'type', reason: `typ must be ${expected}; received ${received}`, expected, received }
}

export function refuseAlgorithm({ alg }: JsonObject, algorithms: readonly string[]): JwtRefusal | undefined {
  if (isAccepted(alg, algorithms)) return undefined
  const [expected, received] = [algorithms.join(', '), describeClaim(alg)]
  return { check: 'algorithm', reason: `alg must be one of ${expected}; received ${received}`, expected, received }
}

/** The header, once nothing in it is refused. */
export function trustedHeader({ alg, kid, typ }: JsonObject): TrustedHeader {
  return { alg: String(alg), kid: typeof kid === 'string' ? kid : undefined, typ: typeOf(typ) }
}

/** The claims that were signed, and the key that signed them: `kid:<kid>` or `jkt:<thumbprint>`. */
export interface SignedClaims {
  readonly claims: JsonObject
  readonly key: string
}

/**
 * Verifies the signature with the issuer's keys.
 *
 * @param jwt the text, and what was read of it: nothing of its header may be refused.
 * @throws {@link TemporarilyUnavailableError} where the keys cannot be had.
 */
export async function verifySignature(
  jwt: string,
  { header, payload }: ReadJws,
  issuer: IssuerKeys
): Promise<SignedClaims | JwtRefusal> {
  const { alg, kid } = trustedHeader(header)
  let looked: readonly JWK[] | undefined
  let suitable: readonly JWK[] = []
  const choose = (keys: readonly JWK[]): readonly JWK[] => {
    // whoever keeps the keys has asked already, as a rule
    if (keys !== looked) suitable = suitableKeys((looked = keys), { alg, kid })
    return suitable
  }
  const { keys, problem } = await issuer.find(keys => choose(keys).length > 0)
  const imported = await Promise.all(choose(keys).map(jwk => importPublicKey(jwk, alg)))
  const candidates = imported.filter(candidate => candidate !== undefined)
  if (candidates.length === 0) {
    // the key may well be there: whoever sent this can do nothing but come back
    if (problem !== undefined)
      throw new TemporarilyUnavailableError({ reason: `the keys of ${issuer.of} cannot be had: ${problem}` })
    const received = `${alg} ${kid === undefined ? 'without kid' : `and kid ${printable(kid)}`}`
    return { check: 'key', reason: `no key of ${issuer.of} fits ${received}`, expected: `a key of ${issuer.of}`, received }
  }
  for (const { key, credential } of candidates) {
    if (await isSignedBy(jwt, key, alg)) return { claims: payload, key: credential }
  }
  const expected = printable(candidates.map(({ credential }) => credential).join(', '))
  return { check: 'signature', reason: `made by none of ${expected}`, expected, received: `a signature (${alg}) of another key` }
}
