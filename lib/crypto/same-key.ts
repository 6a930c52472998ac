/** Comparison of public keys. */
import type { KeyObject } from 'node:crypto'

/**
 * Whether two public keys are the same.
 *
 * Of keys of two types `equals` says that too, and leaves an error behind in OpenSSL: whatever reads a private key next
 * in this process, the application's code too, would fail of it.
 */
export function isSameKey(a: KeyObject, b: KeyObject): boolean {
  return a.asymmetricKeyType === b.asymmetricKeyType && a.equals(b)
}
