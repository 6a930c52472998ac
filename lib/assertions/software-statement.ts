/** Software statements (RFC 7591 §2.3): what a trusted issuer says about a piece of software, signed. */
import { InvalidSoftwareStatementError, UnapprovedSoftwareStatementError } from '../errors.ts'
import { flag, type Checks, type Read } from '../options.ts'
import type { Clock } from '../client-request.ts'
import { isAccepted } from '../client-keys/algorithms.ts'
import { decodeUnverified, isNumericDate, typeOf, type ReadJws } from './compact-jws.ts'
import type { FetchJson } from '../outbound/guarded-fetch.ts'
import { remoteKeySets, type RemoteKeySets } from '../client-keys/remote-key-set.ts'
import { issuerKeys } from './trusted-issuers.ts'
import { isRefusal, refuseHeader, verifySignature } from './trusted-jwt.ts'
import { trustedIssuersCheck, type TrustedIssuer, type TrustRule } from './trust-rule.ts'
import { asList, type JsonObject } from '../json.ts'

/** The rules for software statements (RFC 7591 §2.3). */
export interface SoftwareStatementOptions {
  /**
   * The issuers whose statements are accepted. A statement is not used up: every installation of a piece of software
   * registers with the same one, so `replay` and `maxLifetime` of an issuer say nothing here.
   */
  readonly trustedIssuers: readonly TrustedIssuer[]
  /** True: nobody registers without one. Default false. */
  readonly required?: boolean | undefined
}

export interface SoftwareStatements {
  readonly required: boolean
  /**
   * The claims of a statement: signed by an asymmetric algorithm with a key of the trusted issuer it names; between
   * `nbf`/`iat` and `exp` where it has them; for this server where it has an `aud`.
   *
   * @throws UnapprovedSoftwareStatementError for an issuer that is not trusted, {@link InvalidSoftwareStatementError}
   * for anything else that is wrong, {@link TemporarilyUnavailableError} where the issuer's keys cannot be had.
   */
  verify(statement: string): Promise<JsonObject>
}

interface Context {
  /** This server's issuer identifier. */
  readonly issuer: string
  readonly clock: Clock
  readonly fetchJson: FetchJson
}

/** No `typ` is registered for statements; what was made for something else is not taken for one (RFC 8725 §3.11). */
const acceptedTypes: readonly string[] = ['jwt', 'software-statement+jwt']

export const softwareStatementChecks = {
  trustedIssuers: trustedIssuersCheck,
  required: flag(false)
} satisfies Checks<SoftwareStatementOptions>

/** Makes the judge of statements, by options that were read. Without any, it accepts no statement. */
export function softwareStatements(
  options: Read<typeof softwareStatementChecks> | undefined,
  context: Context
): SoftwareStatements {
  const { trustedIssuers: rules, required } = options ?? { trustedIssuers: new Map<string, TrustRule>(), required: false }
  const remote = remoteKeySets({ fetchJson: context.fetchJson, clock: context.clock })
  return { required, verify: statement => verify(statement, rules, remote, context) }
}

async function verify(
  statement: string,
  rules: ReadonlyMap<string, TrustRule>,
  remote: RemoteKeySets,
  context: Context
): Promise<JsonObject> {
  const jws = decodeUnverified(statement)
  if (jws.outcome === 'malformed') throw refused('is not a signed JWT', jws.reason)
  const { iss } = jws.payload
  const rule = typeof iss === 'string' ? rules.get(iss) : undefined
  if (rule === undefined) throw new UnapprovedSoftwareStatementError({ reason: 'its iss is not a trusted issuer' })
  const claims = await verifiedClaims(statement, jws, rule, remote)
  checkTimes(claims, rule, context.clock() / 1000)
  const { aud } = claims
  const audiences = asList(aud)
  if (aud !== undefined && !audiences.includes(context.issuer))
    throw refused('is for another server', 'aud does not name this issuer')
  return claims
}

async function verifiedClaims(statement: string, jws: ReadJws, rule: TrustRule, remote: RemoteKeySets): Promise<JsonObject> {
  const { alg, crit, typ } = jws.header
  if (crit !== undefined) throw refused('has a crit header', 'no extension is understood (RFC 7515 §4.1.11)')
  if (typ !== undefined && !acceptedTypes.some(accepted => accepted === typeOf(typ)))
    throw refused('is a JWT of another kind', `accepted types are ${acceptedTypes.join(', ')}`)
  if (!isAccepted(alg, rule.algorithms))
    throw refused('is signed by an algorithm that is not accepted', `accepted are ${rule.algorithms.join(', ')}`)
  const signed = refuseHeader(jws.header) ?? (await verifySignature(statement, jws, issuerKeys(rule, remote)))
  if (isRefusal(signed)) throw refused('has a signature that its issuer did not make', signed.reason)
  return signed.claims
}

function checkTimes(claims: JsonObject, { clockTolerance }: TrustRule, now: number): void {
  for (const claim of ['exp', 'nbf', 'iat']) {
    const time = claims[claim]
    if (time === undefined) continue
    if (!isNumericDate(time)) throw refused(`has an ${claim} that is no time`, 'seconds since the epoch are expected')
    if (claim === 'exp' ? time + clockTolerance <= now : time - clockTolerance > now)
      throw refused(claim === 'exp' ? 'has expired' : 'is not valid yet', `${claim} is ${time}; it is ${Math.floor(now)}`)
  }
}

/** @param is completes "the software statement …". */
function refused(is: string, reason: string): InvalidSoftwareStatementError {
  return new InvalidSoftwareStatementError(`the software statement ${is}`, { reason })
}
