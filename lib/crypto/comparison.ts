/** Comparison of what is secret, and of public keys. */
import { timingSafeEqual, type KeyObject } from 'node:crypto'

/** Whether two are the same, in time that depends on their lengths alone. A text is its UTF-8. */
export function isEqual(a: string | Uint8Array, b: string | Uint8Array): boolean {
  const left = typeof a === 'string' ? Buffer.from(a) : a
  const right = typeof b === 'string' ? Buffer.from(b) : b
  return left.length === right.length && timingSafeEqual(left, right)
}

/**
 * Whether two public keys are the same.
 *
 * Of keys of two types `equals` says that too, and leaves an error behind in OpenSSL: whatever reads a private key next
 * in this process, the application's code too, would fail of it.
 */
export function isSameKey(a: KeyObject, b: KeyObject): boolean {
  return a.asymmetricKeyType === b.asymmetricKeyType && a.equals(b)
}
