/** Scope values (RFC 6749 §3.3). */
import { InvalidScopeError } from '../errors.ts'
import { listOf, type Check } from '../options.ts'

/** `scope-token` of RFC 6749 §3.3. */
const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/**
 * Splits a `scope` parameter into its values, each once, in the order given. Undefined when the syntax is broken:
 * values are separated by exactly one space.
 */
export function parseScope(scope: string): readonly string[] | undefined {
  // the common case, one value, needs neither list nor set
  if (scopeToken.test(scope)) return [scope]
  const values = scope.split(' ')
  return values.every(value => scopeToken.test(value)) ? [...new Set(values)] : undefined
}

/**
 * Scope values that are about a person, or about how long a client may act for them (OpenID Connect Core §5.4, §11):
 * they belong to no resource.
 */
export const aboutPeople: readonly string[] = ['openid', 'offline_access', 'profile', 'email', 'address', 'phone']

/** True for a value RFC 6749 §3.3 allows. */
export function isScopeToken(value: unknown): value is string {
  return typeof value === 'string' && scopeToken.test(value)
}

/** An option that lists scope values. */
export function scopeList(): Check<readonly string[] | undefined>
export function scopeList(fallback: readonly string[]): Check<readonly string[]>
export function scopeList(fallback?: readonly string[]): Check<readonly string[] | undefined> {
  const of = 'scope values'
  return fallback === undefined ? listOf(of, isScopeToken) : listOf(of, isScopeToken, fallback)
}

/** The values of `wanted` that `allowed` does not contain. */
export function scopeBeyond(wanted: readonly string[], allowed: readonly string[]): readonly string[] {
  return wanted.filter(value => !allowed.includes(value))
}

/** The refusal of a scope nobody can read, which is told as it came but for what RFC 6749 §3.3 has no place for. */
export function malformedScope(scope: string): InvalidScopeError {
  const shown = scope.slice(0, longestShown).replace(/[^\x20-\x7E]/g, '?')
  return new InvalidScopeError('scope is malformed', { reason: `scope is "${shown}"` })
}

/** The refusal of values beyond what the server has and the client is registered for. */
export function unavailableScope(beyond: readonly string[], allowed: readonly string[]): InvalidScopeError {
  const shown = (values: readonly string[]): string => values.join(' ').slice(0, longestShown) || 'nothing'
  return new InvalidScopeError('this scope is not available to the client', {
    reason: `not available: ${shown(beyond)}; the client may have ${shown(allowed)}`
  })
}

const longestShown = 256
