/** The claims of a trusted issuer's JWT whose signature was verified (RFC 7523 §3, rfc7523bis). */
import { describeClaim, isName, isNumericDate, longestName } from './compact-jws.ts'
import type { JwtRefusal, TrustedJwtCheck } from './trusted-jwt.ts'
import { asList, type JsonObject } from '../json.ts'

/** The limits set to an issuer for the times of its JWTs. */
export interface TimeRule {
  /** Seconds its clock may be ahead, and a JWT be past its `exp`. */
  readonly clockTolerance: number
  /** Seconds a JWT may live. */
  readonly maxLifetime: number
}

interface TrustedClaimsContext {
  readonly rule: TimeRule & { readonly replay: 'once' | 'allow' }
  /** One of these must be among `aud`. */
  readonly audiences: readonly string[]
  /** Seconds since the epoch. */
  readonly now: number
}

type TimesContext = Pick<TrustedClaimsContext, 'now'> & { readonly rule: TimeRule }
type Judge = (claims: JsonObject, context: TimesContext) => JwtRefusal | undefined

// beyond this a clock is wrong, whatever the tolerance (FAPI 2.0 §5.3.2.1, note 3)
const mostAhead = 60

/** Every check of times by its name, in the order they are made. */
export const timeChecks: readonly (readonly [check: TimeCheck, judge: Judge])[] = [
  ['expiry', judgeExpiry],
  ['not_before', (claims, context) => judgeNotAhead('nbf', claims, context)],
  ['issued_at', (claims, context) => judgeNotAhead('iat', claims, context)],
  ['lifetime', judgeLifetime]
]

type TimeCheck = Extract<TrustedJwtCheck, 'expiry' | 'not_before' | 'issued_at' | 'lifetime'>

/** Why the first claim that is wrong is refused. Undefined where all are right. */
export function refuseTrustedClaims(claims: JsonObject, context: TrustedClaimsContext): JwtRefusal | undefined {
  const refusal = judgeAudience(claims, context)
  if (refusal !== undefined) return refusal
  for (const [, judge] of timeChecks) {
    const refusal = judge(claims, context)
    if (refusal !== undefined) return refusal
  }
  return judgeSubject(claims) ?? judgeJti(claims, context.rule.replay)
}

/** Compared as strings: no case folding, no slash added or taken away (rfc7523bis, item 3 of RFC 7523 §3). */
function judgeAudience({ aud }: JsonObject, { audiences }: TrustedClaimsContext): JwtRefusal | undefined {
  const values = asList(aud)
  if (values.some(value => audiences.some(audience => audience === value))) return undefined
  const [expected, received] = [audiences.join(' or '), describeClaim(aud)]
  return { check: 'audience', reason: `aud must name ${expected}; received ${received}`, expected, received }
}

function judgeExpiry({ exp }: JsonObject, { rule, now }: TimesContext): JwtRefusal | undefined {
  if (!isNumericDate(exp)) return noDate('expiry', 'exp', exp)
  if (exp + rule.clockTolerance > now) return undefined
  const seconds = Math.floor(now)
  const times = { expected: `later than ${seconds}`, received: String(exp) }
  return { check: 'expiry', reason: `expired at ${exp}; it is ${seconds}`, ...times }
}

function judgeNotAhead(claim: 'nbf' | 'iat', claims: JsonObject, { rule, now }: TimesContext): JwtRefusal | undefined {
  const value = claims[claim]
  const check = claim === 'nbf' ? 'not_before' : 'issued_at'
  if (value === undefined) return undefined
  if (!isNumericDate(value)) return noDate(check, claim, value)
  // times are whole seconds: a clock within the tolerance is not refused for the fraction of one
  if (value <= Math.min(Math.ceil(now) + rule.clockTolerance, now + mostAhead)) return undefined
  const seconds = Math.floor(now)
  const reason = `${claim} is ${value}, and it is ${seconds}: the issuer's clock is ahead`
  return { check, reason, expected: `no later than ${seconds}`, received: String(value) }
}

function noDate(check: TimeCheck, claim: string, value: unknown): JwtRefusal {
  const [expected, received] = [`${claim} in seconds since the epoch`, describeClaim(value)]
  return { check, reason: `${claim} must be seconds since the epoch; received ${received}`, expected, received }
}

/** A used jti is remembered, and a stolen JWT good, for as long as the JWT lives: that has to end. */
function judgeLifetime({ exp, iat }: JsonObject, { rule, now }: TimesContext): JwtRefusal | undefined {
  const ahead = Math.floor(Number(exp) - now)
  const lifetime = isNumericDate(iat) ? Math.max(Number(exp) - iat, ahead - rule.clockTolerance) : ahead
  if (lifetime <= rule.maxLifetime) return undefined
  const reason = `lives ${lifetime} s, and at most ${rule.maxLifetime} s are accepted`
  return { check: 'lifetime', reason, expected: `at most ${rule.maxLifetime} s`, received: `${lifetime} s` }
}

function judgeSubject({ sub }: JsonObject): JwtRefusal | undefined {
  if (isName(sub)) return undefined
  const [expected, received] = [`a string of 1 to ${longestName} characters`, describeClaim(sub)]
  return { check: 'subject', reason: `sub must be ${expected}; received ${received}`, expected, received }
}

/** @param replay `once`: it has to have one. */
export function judgeJti({ jti }: JsonObject, replay: 'once' | 'allow'): JwtRefusal | undefined {
  if (isName(jti) || (jti === undefined && replay === 'allow')) return undefined
  // what identifies an assertion is not repeated to whoever reads logs
  const received = typeof jti === 'string' ? `${jti.length} characters` : describeClaim(jti)
  const expected = `a string of 1 to ${longestName} characters`
  return { check: 'jti', reason: `jti must be ${expected}; received ${received}`, expected, received }
}
