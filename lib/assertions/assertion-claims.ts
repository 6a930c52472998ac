/** The claims of a client assertion whose signature was verified (RFC 7523 §3, rfc7523bis §4, FAPI 2.0 §5.3.2.1). */
import type { Client } from '../clients/client.ts'
import type { DecisionBuilder } from '../decisions/builder.ts'
import type { AssertionPolicy } from './assertion-policy.ts'
import { describeClaim, isName, isNumericDate, longestName } from './compact-jws.ts'
import type { JsonObject } from '../json.ts'

interface ClaimsContext {
  readonly client: Client
  readonly client_id_parameter: string | undefined
  readonly policy: AssertionPolicy
  readonly decision: DecisionBuilder
}

// beyond this a client's clock is wrong, whatever the tolerance (FAPI 2.0 §5.3.2.1, note 3)
const mostAhead = 60

/**
 * Checks every claim, in the order of the names it passes: `issuer_and_subject`, `audience`, `expiry`, `not_before`,
 * `issued_at`, `lifetime`, `jti`.
 *
 * @returns the jti, and the seconds until `exp` (below 0 within the tolerance).
 * @throws {@link InvalidClientError} at the first claim that is wrong.
 */
export function checkClaims(claims: JsonObject, context: ClaimsContext): { jti: string; expiresIn: number } {
  const { policy, decision } = context
  const now = policy.clock() / 1000
  checkIssuerAndSubject(claims, context)
  checkAudience(claims['aud'], context)
  const exp = checkExpiry(claims['exp'], now, policy, decision)
  checkNotAhead('not_before', 'nbf', claims['nbf'], now, policy, decision)
  const iat = checkNotAhead('issued_at', 'iat', claims['iat'], now, policy, decision)
  checkLifetime(exp, iat, now, policy, decision)
  return { jti: checkJti(claims['jti'], decision), expiresIn: exp - now }
}

function checkIssuerAndSubject({ iss, sub }: JsonObject, { client, client_id_parameter, decision }: ClaimsContext): void {
  const section = 'RFC 7523 §3'
  const expected = client.client_id
  for (const [claim, value] of [
    ['iss', iss],
    ['sub', sub]
  ] as const) {
    if (value !== expected) {
      const received = `${claim} ${describeClaim(value)}`
      throw decision.refuse('issuer_and_subject', { section, expected, received, fix: 'Send the client_id as both iss and sub.' })
    }
  }
  if (client_id_parameter !== undefined && client_id_parameter !== expected) {
    throw decision.refuse('issuer_and_subject', {
      section: 'RFC 7521 §4.2',
      expected,
      received: `the parameter client_id ${client_id_parameter}`,
      fix: 'Leave the client_id parameter out, or send the assertion’s sub in it.'
    })
  }
  decision.pass('issuer_and_subject')
}

function checkAudience(aud: unknown, context: ClaimsContext): void {
  const { client, policy, decision } = context
  const values: readonly unknown[] = Array.isArray(aud) && !policy.audienceAsStringOnly ? aud : [aud]
  const dial = client.assertion_audience ?? policy.audienceDial
  const section = policy.audienceAsStringOnly ? 'FAPI 2.0 §5.3.2.1' : 'rfc7523bis §4'
  // simple string comparison: no case folding, no slash added or taken away
  const isStrict = values.length === 1 && values[0] === policy.issuer
  const isOwn = (value: unknown): boolean => value === policy.issuer || policy.legacyAudiences.some(legacy => legacy === value)
  const isLenient = values.some(isOwn)
  if (isStrict || (dial === 'legacy' && isLenient)) {
    decision.pass('audience')
    return
  }
  const detail = { section, expected: policy.issuer, received: describeClaim(aud) }
  if (dial === 'report' && isLenient) {
    const fix = 'Send the issuer as the only aud, before assertion_audience becomes "issuer".'
    decision.report('audience', { ...detail, fix })
    return
  }
  const isMoving = dial === 'issuer' && values.length > 0 && values.every(isOwn)
  throw decision.refuse('audience', { ...detail, fix: audienceFix(aud, isMoving, context) })
}

/** @param isMoving whether a setting would let it in: it names this server, in an earlier way. */
function audienceFix(aud: unknown, isMoving: boolean, { client, policy }: ClaimsContext): string {
  if (Array.isArray(aud) && aud.length === 1 && aud[0] === policy.issuer) return 'Send aud as a string, not as a list.'
  if (!isMoving) return 'Send the issuer as the only aud.'
  return client.assertion_audience === undefined
    ? 'Send the issuer as the only aud, or set assertionAudience, or assertion_audience of this client, to "report" while clients move.'
    : 'Send the issuer as the only aud, or set assertion_audience of this client to "report" while it moves.'
}

function checkExpiry(exp: unknown, now: number, { clockTolerance }: AssertionPolicy, decision: DecisionBuilder): number {
  const section = 'RFC 7523 §3'
  if (!isNumericDate(exp)) {
    const expected = 'seconds since the epoch'
    throw decision.refuse('expiry', {
      section,
      expected,
      received: describeClaim(exp),
      fix: 'Send exp as a number of seconds since the epoch.'
    })
  }
  if (exp + clockTolerance <= now) {
    const expected = `later than ${Math.floor(now - clockTolerance)}`
    const fix = 'Sign a new assertion for every request, and set the client’s clock.'
    throw decision.refuse('expiry', { section, expected, received: String(exp), fix })
  }
  decision.pass('expiry')
  return exp
}

function checkNotAhead(
  check: 'not_before' | 'issued_at',
  claim: 'nbf' | 'iat',
  value: unknown,
  now: number,
  { clockTolerance, dials }: AssertionPolicy,
  decision: DecisionBuilder
): number | undefined {
  if (value !== undefined && !isNumericDate(value)) {
    const expected = 'seconds since the epoch'
    const fix = `Send ${claim} as a number of seconds since the epoch, or leave it out.`
    throw decision.refuse(check, { section: 'RFC 7523 §3', expected, received: describeClaim(value), fix })
  }
  // times are whole seconds: a client within the tolerance is not refused for the fraction of one
  const latest = Math.min(Math.ceil(now) + clockTolerance, now + mostAhead)
  if (value !== undefined && value > latest) {
    const detail = {
      section: 'FAPI 2.0 §5.3.2.1',
      expected: `at most ${Math.floor(latest)}`,
      received: String(value),
      fix: 'Set the client’s clock, which is ahead of the server’s.'
    }
    if (dials.clock === 'enforce' || value > now + mostAhead) throw decision.refuse(check, detail)
    decision.report(check, detail)
    return value
  }
  decision.pass(check)
  return value
}

function checkLifetime(
  exp: number,
  iat: number | undefined,
  now: number,
  policy: AssertionPolicy,
  decision: DecisionBuilder
): void {
  const { maxLifetime, clockTolerance } = policy
  const ahead = Math.floor(exp - now)
  const lifetime = iat === undefined ? ahead : Math.max(exp - iat, ahead - clockTolerance)
  // a used jti is remembered for as long as the assertion lives: that has to end
  if (lifetime > maxLifetime || ahead > maxLifetime + clockTolerance) {
    const fix = `Sign assertions that expire within ${maxLifetime} seconds; a minute is plenty.`
    throw decision.refuse('lifetime', {
      section: 'RFC 7523 §3',
      expected: `at most ${maxLifetime} s`,
      received: `${lifetime} s`,
      fix
    })
  }
  decision.pass('lifetime')
}

function checkJti(jti: unknown, decision: DecisionBuilder): string {
  if (!isName(jti)) {
    throw decision.refuse('jti', {
      section: 'OpenID Connect Core §9',
      expected: `a string of 1 to ${longestName} characters`,
      received: typeof jti === 'string' ? `${jti.length} characters` : describeClaim(jti),
      fix: 'Send a new random jti with every assertion.'
    })
  }
  decision.pass('jti')
  return jti
}
