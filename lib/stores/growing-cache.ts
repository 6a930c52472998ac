/**
 * Caches that take memory as they fill: made with `max`, each would set aside room for as many at once, and every
 * tenant has its own.
 */
import { LRUCache } from 'lru-cache'

/** Bound of a cache beside the number of its entries. */
export interface SizeBound<Value> {
  /** All entries together. */
  readonly most: number
  readonly sizeOf: (value: Value) => number
}

/**
 * A cache of at most so many entries, those used last. With `size` also of at most so much altogether; then an entry
 * counts for its share at least, so that both bounds hold.
 */
export function growingCache<Value extends object | number | boolean>(
  most: number,
  size?: SizeBound<Value>
): LRUCache<string, Value> {
  if (size === undefined) return new LRUCache({ maxSize: most, sizeCalculation: () => 1 })
  const share = Math.ceil(size.most / most)
  return new LRUCache({ maxSize: size.most, sizeCalculation: value => Math.max(share, size.sizeOf(value)) })
}
