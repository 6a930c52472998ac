/**
 * Caches that take memory as they fill: made with `max`, each would set aside room for as many at once, and every
 * tenant has its own. Most tenants need few of them: one that nothing was put in is no more than its bounds, and a few
 * entries are in a plain map, which takes a tenth of what keeps track of many.
 */
import { LRUCache } from 'lru-cache'

/** Bound of a cache beside the number of its entries. */
export interface SizeBound<Value> {
  /** All entries together. */
  readonly most: number
  readonly sizeOf: (value: Value) => number
}

const mostOfFew = 16

export class GrowingCache<Value extends object | number | boolean> {
  /** From the one used first to the one used last; undefined before the first, and once there are too many. */
  private few: Map<string, Value> | undefined = undefined
  /** The key of the one used last of a few: whoever asks for it again changes no order. */
  private last: string | undefined = undefined
  private many: LRUCache<string, Value> | undefined = undefined
  private readonly most: number
  private readonly bound: SizeBound<Value> | undefined

  constructor(most: number, bound: SizeBound<Value> | undefined) {
    this.most = most
    this.bound = bound
  }

  get size(): number {
    return (this.many ?? this.few)?.size ?? 0
  }

  /** The value, which is from now on the one used last. */
  get(key: string): Value | undefined {
    if (this.many !== undefined) return this.many.get(key)
    const value = this.few?.get(key)
    if (value !== undefined && key !== this.last) this.setLast(key, value)
    return value
  }

  has(key: string): boolean {
    return (this.many ?? this.few)?.has(key) === true
  }

  set(key: string, value: Value): void {
    if (this.many === undefined && this.isForFew(key, value)) this.setLast(key, value)
    else (this.many ?? this.grow()).set(key, value)
  }

  delete(key: string): boolean {
    const deleted = (this.many ?? this.few)?.delete(key) === true
    if (this.few?.size === 0) this.few = this.last = undefined
    return deleted
  }

  /** From the one used first to the one used last. */
  *rvalues(): Generator<Value> {
    for (const value of this.many?.rvalues() ?? this.few?.values() ?? []) if (value !== undefined) yield value
  }

  private setLast(key: string, value: Value): void {
    this.few ??= new Map()
    this.few.delete(key)
    this.few.set(key, value)
    this.last = key
  }

  private isForFew(key: string, value: Value): boolean {
    const { few, most, bound } = this
    if (bound !== undefined && bound.sizeOf(value) > Math.floor(bound.most / most)) return false
    return few === undefined || few.has(key) || few.size < Math.min(mostOfFew, most)
  }

  private grow(): LRUCache<string, Value> {
    const many = this.make()
    for (const [key, value] of this.few ?? []) many.set(key, value)
    this.few = undefined
    this.many = many
    return many
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
