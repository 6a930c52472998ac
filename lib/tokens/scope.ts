/** Scope values (RFC 6749 §3.3). */

/** `scope-token` of RFC 6749 §3.3. */
const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/**
 * Splits a `scope` parameter into its values, each once, in the order given. Undefined when the syntax is broken: values are
 * separated by exactly one space.
 */
export function parseScope(scope: string): readonly string[] | undefined {
  // the common case, one value, needs neither list nor set
  if (scopeToken.test(scope)) return [scope]
  const values = scope.split(' ')
  return values.every(value => scopeToken.test(value)) ? [...new Set(values)] : undefined
}

/** Scope values that are about a person, or about how long a client may act for them (OpenID Connect Core §5.4, §11): they belong to no resource. */
export const aboutPeople: readonly string[] = ['openid', 'offline_access', 'profile', 'email', 'address', 'phone']

/** True for a value RFC 6749 §3.3 allows. */
export function isScopeToken(value: string): boolean {
  return scopeToken.test(value)
}

/** The values of `wanted` that `allowed` does not contain. */
export function scopeBeyond(wanted: readonly string[], allowed: readonly string[]): readonly string[] {
  return wanted.filter(value => !allowed.includes(value))
}
