/** The claims of a trusted issuer's JWT whose signature was verified (RFC 7523 §3, rfc7523bis). */
import { printable } from '../printable.ts'
import { isNumericDate, type JsonObject } from './compact-jws.ts'
import type { TrustRule } from './trust-rule.ts'

export interface TrustedClaimsContext {
  readonly rule: TrustRule
  /** One of these must be among `aud`. */
  readonly audiences: readonly string[]
  /** Seconds since the epoch. */
  readonly now: number
}

type Judge = (claims: JsonObject, context: TrustedClaimsContext) => string | undefined

const longestName = 512
// beyond this a clock is wrong, whatever the tolerance (FAPI 2.0 §5.3.2.1, note 3)
const mostAhead = 60

/** Every check by its name, in the order they are made. */
const checks: readonly (readonly [check: string, judge: Judge])[] = [
  ['audience', judgeAudience],
  ['expiry', judgeExpiry],
  ['not_before', (claims, context) => judgeNotAhead('nbf', claims, context)],
  ['issued_at', (claims, context) => judgeNotAhead('iat', claims, context)],
  ['lifetime', judgeLifetime],
  ['subject', judgeSubject],
  ['jti', judgeJti]
]

/** Why the first claim that is wrong is refused, for the operator: the check's name and what was found. Undefined where all are right. */
export function refuseTrustedClaims(claims: JsonObject, context: TrustedClaimsContext): string | undefined {
  for (const [check, judge] of checks) {
    const problem = judge(claims, context)
    if (problem !== undefined) return `${check}: ${problem}`
  }
  return undefined
}

/** A claim for the operator: identifiers and times are shown, anything else by its type. */
export function describeClaim(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string' || typeof value === 'number') return printable(String(value))
  return Array.isArray(value) && value.every(item => typeof item === 'string')
    ? printable(JSON.stringify(value.slice(0, 10)))
    : 'a value of another type'
}

/** Compared as strings: no case folding, no slash added or taken away (rfc7523bis, item 3 of RFC 7523 §3). */
function judgeAudience({ aud }: JsonObject, { audiences }: TrustedClaimsContext): string | undefined {
  const values: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (values.some(value => audiences.some(audience => audience === value))) return undefined
  return `aud must name ${audiences.join(' or ')}; received ${describeClaim(aud)}`
}

function judgeExpiry({ exp }: JsonObject, { rule, now }: TrustedClaimsContext): string | undefined {
  if (!isNumericDate(exp)) return `exp must be seconds since the epoch; received ${describeClaim(exp)}`
  return exp + rule.clockTolerance <= now ? `expired at ${exp}; it is ${Math.floor(now)}` : undefined
}

function judgeNotAhead(claim: 'nbf' | 'iat', claims: JsonObject, { rule, now }: TrustedClaimsContext): string | undefined {
  const value = claims[claim]
  if (value === undefined) return undefined
  if (!isNumericDate(value)) return `${claim} must be seconds since the epoch; received ${describeClaim(value)}`
  // times are whole seconds: a clock within the tolerance is not refused for the fraction of one
  return value > Math.min(Math.ceil(now) + rule.clockTolerance, now + mostAhead)
    ? `${claim} is ${value}, and it is ${Math.floor(now)}: the issuer's clock is ahead`
    : undefined
}

/** A used jti is remembered, and a stolen JWT good, for as long as the JWT lives: that has to end. */
function judgeLifetime({ exp, iat }: JsonObject, { rule, now }: TrustedClaimsContext): string | undefined {
  const ahead = Math.floor(Number(exp) - now)
  const lifetime = isNumericDate(iat) ? Math.max(Number(exp) - iat, ahead - rule.clockTolerance) : ahead
  return lifetime > rule.maxLifetime ? `lives ${lifetime} s, and at most ${rule.maxLifetime} s are accepted` : undefined
}

function judgeSubject({ sub }: JsonObject): string | undefined {
  return isName(sub) ? undefined : `sub must be a string of 1 to ${longestName} characters; received ${describeClaim(sub)}`
}

function judgeJti({ jti }: JsonObject, { rule }: TrustedClaimsContext): string | undefined {
  if (isName(jti) || (jti === undefined && rule.replay === 'allow')) return undefined
  // what identifies an assertion is not repeated to whoever reads logs
  const received = typeof jti === 'string' ? `${jti.length} characters` : describeClaim(jti)
  return `jti must be a string of 1 to ${longestName} characters; received ${received}`
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longestName
}
