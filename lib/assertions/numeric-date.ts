/** Times in JWTs. */

/** A NumericDate (RFC 7519 §2) of this side of eternity: seconds since the epoch. */
export function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
}
