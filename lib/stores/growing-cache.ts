/**
 * Caches that take memory as they fill: made with `max`, each would set aside room for as many at once, and every
 * tenant has its own. Most tenants need few of them: one that nothing was put in is no more than its bounds.
 */
import { LRUCache } from 'lru-cache'

/** Bound of a cache beside the number of its entries. */
export interface SizeBound<Value> {
  /** All entries together. */
  readonly most: number
  readonly sizeOf: (value: Value) => number
}

export class GrowingCache<Value extends object | number | boolean> {
  private entries: LRUCache<string, Value> | undefined = undefined
  private readonly most: number
  private readonly bound: SizeBound<Value> | undefined

  constructor(most: number, bound: SizeBound<Value> | undefined) {
    this.most = most
    this.bound = bound
  }

  get size(): number {
    return this.entries?.size ?? 0
  }

  /** The value, which is from now on the one used last. */
  get(key: string): Value | undefined {
    return this.entries?.get(key)
  }

  has(key: string): boolean {
    return this.entries?.has(key) === true
  }

  set(key: string, value: Value): void {
    this.entries ??= this.make()
    this.entries.set(key, value)
  }

  delete(key: string): boolean {
    return this.entries?.delete(key) === true
  }

  /** From the one used first to the one used last. */
  *rvalues(): Generator<Value> {
    for (const value of this.entries?.rvalues() ?? []) if (value !== undefined) yield value
  }

  private make(): LRUCache<string, Value> {
    const { most, bound } = this
    if (bound === undefined) return new LRUCache({ maxSize: most, sizeCalculation: () => 1 })
    const share = Math.ceil(bound.most / most)
    return new LRUCache({ maxSize: bound.most, sizeCalculation: value => Math.max(share, bound.sizeOf(value)) })
  }
}

/**
 * A cache of at most so many entries, those used last. With `size` also of at most so much altogether; then an entry
 * counts for its share at least, so that both bounds hold.
 */
export function growingCache<Value extends object | number | boolean>(
  most: number,
  size?: SizeBound<Value>
): GrowingCache<Value> {
  return new GrowingCache(most, size)
}
