/**
 * Checks options once, at construction. A wrong option is a {@link ConfigurationError} whose message starts with the key's
 * path and says what it must be, so that an operator fixes the right line without reading source.
 */

/** Thrown when something is constructed with a wrong option. `key` is the option's path, such as `clients[3].jwks_uri`. */
export class ConfigurationError extends TypeError {
  override readonly name = 'ConfigurationError'
  readonly key: string
  constructor(key: string, mustBe: string) {
    super(`${key} ${mustBe}`)
    this.key = key
  }
}

/** Refuses keys nobody reads: a misspelt option is a protection that silently never was. */
export function checkKeys(options: object, known: readonly string[], path = ''): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    const guess = known.find(candidate => isNear(candidate.toLowerCase(), key.toLowerCase()))
    throw new ConfigurationError(
      `${path}${key}`,
      guess === undefined ? 'is not a known option' : `is not a known option; did you mean ${guess}?`
    )
  }
}

/** The issuer identifier: https (or http on a loopback host), no query, fragment, user info or trailing slash (RFC 8414 §2). */
export function checkIssuer(issuer: unknown, key = 'issuer'): string {
  const url = typeof issuer === 'string' && URL.canParse(issuer) ? new URL(issuer) : undefined
  if (url === undefined || typeof issuer !== 'string') throw new ConfigurationError(key, 'must be an absolute URL')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) {
    throw new ConfigurationError(key, 'must be an https URL (http only on localhost, 127.0.0.1 or [::1])')
  }
  if (issuer.includes('?') || issuer.includes('#') || url.username !== '' || url.password !== '') {
    throw new ConfigurationError(key, 'must have no query, fragment or user info')
  }
  if (issuer.endsWith('/')) throw new ConfigurationError(key, 'must not end in a slash')
  // clients compare the issuer byte by byte: what URL parsing would change (case, default ports, dot segments) cannot be it
  if (url.href !== issuer && url.href !== `${issuer}/`)
    throw new ConfigurationError(key, `must be written in its normal form, ${url.href.replace(/\/$/, '')}`)
  return issuer
}

/** A whole number within bounds, or the default where the option is absent. */
export function checkInteger(
  value: unknown,
  key: string,
  bounds: { readonly min: number; readonly max: number; readonly default: number }
): number {
  if (value === undefined) return bounds.default
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < bounds.min || value > bounds.max) {
    throw new ConfigurationError(key, `must be a whole number from ${bounds.min} to ${bounds.max}`)
  }
  return value
}

/** One of a fixed list, or the default where the option is absent. */
export function checkOneOf<const T extends string>(value: unknown, key: string, allowed: readonly T[], fallback: T): T {
  if (value === undefined) return fallback
  const found = allowed.find(candidate => candidate === value)
  if (found === undefined)
    throw new ConfigurationError(key, `must be one of ${allowed.map(candidate => JSON.stringify(candidate)).join(', ')}`)
  return found
}

/** True for the host names that never leave this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

/** Whether one word is the other with at most so many letters changed, missing or added. */
export function isNear(a: string, b: string, most = 2): boolean {
  if (Math.abs(a.length - b.length) > most) return false
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return (previous[b.length] ?? Infinity) <= most
}
