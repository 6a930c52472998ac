/** Randomness for tokens. */
import { randomFillSync } from 'node:crypto'

/** Returns `size` random bytes, from a cryptographically secure source. */
export type RandomBytes = (size: number) => Buffer

const pool = Buffer.allocUnsafeSlow(16_384)
let used = pool.length

/**
 * Random bytes from a pool that one system call fills for hundreds of tokens. Each byte is handed out once and wiped
 * from the pool as it leaves.
 */
export const pooledRandomBytes: RandomBytes = size => {
  if (size > pool.length) return randomFillSync(Buffer.allocUnsafeSlow(size))
  if (used + size > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = Buffer.from(pool.subarray(used, used + size))
  pool.fill(0, used, used + size)
  used += size
  return bytes
}
