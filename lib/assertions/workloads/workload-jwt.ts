/**
 * The checks that tokens of platforms and JWT-SVIDs have in common: all that ask nothing of the client, as the decision
 * tells them.
 */
import type { CheckDetail, CheckName } from '../../decisions/decision.ts'
import type { DecisionBuilder } from '../../decisions/builder.ts'
import { TemporarilyUnavailableError } from '../../errors.ts'
import { describeClaim, typeOf, type ReadJws, type UnverifiedJws } from '../compact-jws.ts'
import {
  isRefusal,
  refuseAlgorithm,
  refuseHeader,
  refuseType,
  verifySignature,
  type IssuerKeys,
  type JwtRefusal,
  type SignedClaims,
  type TrustedJwtCheck
} from '../trusted-jwt.ts'
import { timeChecks, type TimeRule } from '../trusted-jwt-claims.ts'
import { asList, type JsonObject } from '../../json.ts'

/** The section that asks for each check, and the sentence that says how to make it pass. */
const told: Readonly<Partial<Record<TrustedJwtCheck, readonly [section: string, fix: string]>>> = {
  header: ['RFC 7515 §4.1.11', 'Present the token as the platform signed it: no crit header is understood, and kid is a string.'],
  type: [
    'RFC 8725 §3.11',
    'Present the token that the platform issues for workloads; a JWT made for something else proves no client.'
  ],
  algorithm: [
    'RFC 8725 §3.1',
    'Have the platform sign with one of these, or add its algorithm to the algorithms it is trusted with.'
  ],
  key: ['RFC 7523 §3', 'Have the platform publish the key it signs with, or add the key to the jwks it is configured with here.'],
  signature: ['RFC 7523 §3', 'Present the token as the platform signed it: it was changed, or another platform made it.'],
  expiry: ['RFC 7523 §3', 'Read the token anew before each request: the platform replaces it before it expires.'],
  not_before: ['RFC 7523 §3', 'Put the platform’s clock, or this server’s, right.'],
  issued_at: ['RFC 7523 §3', 'Put the platform’s clock, or this server’s, right; a token without iat is not taken.'],
  lifetime: ['RFC 7523 §3', 'Ask the platform for a token of a shorter life, or raise maxLifetime for it.'],
  jti: ['RFC 7523 §3', 'Have the platform put a jti into its tokens, or let its tokens be used many times.']
}

/** The refusal as a failed check of the decision; always the same words on the wire. */
export function refuseBy(decision: DecisionBuilder, refusal: JwtRefusal): Error {
  return decision.refuse(refusal.check, detailOf(refusal))
}

function detailOf({ check, expected, received }: JwtRefusal): CheckDetail {
  const [section, fix] = told[check] ?? []
  return {
    ...(section !== undefined && { section }),
    ...(expected !== undefined && { expected }),
    ...(received !== undefined && { received }),
    ...(fix !== undefined && { fix })
  }
}

/** @throws {@link InvalidClientError} for what is no signed JWT. */
export function readFormat(jws: UnverifiedJws, decision: DecisionBuilder): ReadJws {
  if (jws.outcome === 'read') {
    decision.pass('assertion_format')
    return jws
  }
  throw decision.refuse('assertion_format', {
    section: 'RFC 7523 §3',
    received: jws.reason,
    fix: 'Send the platform’s token as it is, one signed JWT in compact serialization, as client_assertion.'
  })
}

/** The rule for the header of a token. */
interface HeaderRule {
  readonly algorithms: readonly string[]
  /** The values of `typ` accepted beside none and `JWT`. */
  readonly types: readonly string[]
  /** Whether any other is reported or refused. That of another kind of JWT is always refused. */
  readonly otherTypes: 'report' | 'enforce'
}

/** JWTs that say something else than who a workload is. */
const otherKinds =
  /^(?:at\+jwt|dpop\+jwt|logout\+jwt|oauth-id-jag\+jwt|authorization-grant\+jwt|oauth-client-attestation.*|token-introspection\+jwt|secevent\+jwt|oauth-authz-req\+jwt)$/

/**
 * @throws {@link InvalidClientError} at the first check that fails; {@link TemporarilyUnavailableError} with the
 * decision where the keys cannot be had.
 */
export async function verifySigned(
  jwt: string,
  jws: ReadJws,
  { rule, keys, decision }: { readonly rule: HeaderRule; readonly keys: IssuerKeys; readonly decision: DecisionBuilder }
): Promise<SignedClaims> {
  checkHeader(jws.header, rule, decision)
  const verified = await signedBy(jwt, jws, keys, decision)
  if (isRefusal(verified)) {
    if (verified.check === 'signature') decision.pass('key')
    throw refuseBy(decision, verified)
  }
  decision.pass('key')
  decision.pass('signature')
  return verified
}

async function signedBy(
  jwt: string,
  jws: ReadJws,
  keys: IssuerKeys,
  decision: DecisionBuilder
): Promise<SignedClaims | JwtRefusal> {
  try {
    return await verifySignature(jwt, jws, keys)
  } catch (error) {
    throw withRecord(error, 'key', decision)
  }
}

/** The same 503 for every client, there or not; in the record stands which source did not answer, and why. */
export function withRecord(error: unknown, check: CheckName, decision: DecisionBuilder): unknown {
  if (!(error instanceof TemporarilyUnavailableError)) return error
  const { reason } = error
  error.decision = decision.refuse(check, {
    ...(reason !== undefined && { received: reason }),
    fix: 'Let this server reach what publishes these keys, or configure them here; the client may come back with the same token.'
  }).decision
  return error
}

function checkHeader(header: JsonObject, rule: HeaderRule, decision: DecisionBuilder): void {
  const wrong = refuseHeader(header)
  if (wrong !== undefined) throw refuseBy(decision, wrong)
  decision.pass('header')
  const type = refuseType(header, rule.types)
  if (type === undefined) decision.pass('type')
  else if (rule.otherTypes === 'report' && !isOtherKind(header)) decision.report('type', detailOf(type))
  else throw refuseBy(decision, type)
  const algorithm = refuseAlgorithm(header, rule.algorithms)
  if (algorithm !== undefined) throw refuseBy(decision, algorithm)
  decision.pass('algorithm')
}

function isOtherKind({ typ }: JsonObject): boolean {
  const type = typeOf(typ)
  return typeof type !== 'string' || otherKinds.test(type)
}

/** The checks of times, each passed or thrown. @param iat whether it has to be there. */
export function checkTimes(
  claims: JsonObject,
  context: {
    readonly rule: TimeRule
    readonly now: number
    readonly decision: DecisionBuilder
    readonly iat: 'required' | 'optional'
  }
): void {
  const { decision, iat } = context
  for (const [check, judge] of timeChecks) {
    const refusal = judge(claims, context)
    if (refusal !== undefined) throw refuseBy(decision, refusal)
    if (check === 'issued_at' && iat === 'required' && claims['iat'] === undefined)
      throw refuseBy(decision, { check, reason: 'iat is missing', expected: 'iat', received: 'nothing' })
    decision.pass(check)
  }
}

/** The audience of a token: one value, one of these; a list that has more is reported where the dial says so. */
interface AudienceRule {
  readonly audiences: readonly string[]
  readonly several: 'report' | 'enforce'
  readonly fix: string
}

/** The audiences among those wanted that a token is for; empty: it is for none, or for others too. */
export function audiencesIn(
  { aud }: JsonObject,
  { audiences, several }: Pick<AudienceRule, 'audiences' | 'several'>
): readonly string[] {
  const values = asList(aud)
  if (values.length > 1 && several === 'enforce') return []
  return audiences.filter(audience => values.includes(audience))
}

/**
 * Passes the check `audience`, and reports a list that has more in it than it should. @throws {@link
 * InvalidClientError}
 */
export function checkAudience(claims: JsonObject, rule: AudienceRule, decision: DecisionBuilder): readonly string[] {
  const { aud } = claims
  const found = audiencesIn(claims, rule)
  const isSole = !Array.isArray(aud) || aud.length === 1
  if (found.length > 0 && isSole) {
    decision.pass('audience')
    return found
  }
  const expected = [...new Set(rule.audiences)].join(' or ')
  const detail = {
    section: 'rfc7523bis §4',
    expected: isSole ? expected : `${expected} alone`,
    received: describeClaim(aud),
    fix: rule.fix
  }
  if (found.length === 0) throw decision.refuse('audience', detail)
  decision.report('audience', detail)
  return found
}

/** The names of checks that {@link verifySigned} and {@link checkTimes} go through, in order. */
export const signedChecks: readonly CheckName[] = ['header', 'type', 'algorithm', 'key', 'signature']
export const timeCheckNames: readonly CheckName[] = ['expiry', 'not_before', 'issued_at', 'lifetime']
