/**
 * A map of strings for millions of entries. One `Map` of that size stops the process for tenths of a second whenever it
 * grows, and cannot hold more than 2 ** 24; spread over many small ones, no single growth is felt.
 */
const shardCount = 256
/** Ids are digests, which differ everywhere: their last characters spread as well as all of them. */
const hashedCharacters = 10

export class ShardedMap<V> {
  private readonly shards = new Array<Map<string, V> | undefined>(shardCount)

  get(name: string): V | undefined {
    return this.shards[shardOf(name)]?.get(name)
  }

  set(name: string, value: V): void {
    const index = shardOf(name)
    const shard = (this.shards[index] ??= new Map<string, V>())
    shard.set(name, value)
  }

  delete(name: string): void {
    this.shards[shardOf(name)]?.delete(name)
  }

  clear(): void {
    this.shards.fill(undefined)
  }

  get size(): number {
    return this.shards.reduce((total, shard) => total + (shard?.size ?? 0), 0)
  }
}

function shardOf(name: string): number {
  let hash = 0
  for (let i = Math.max(0, name.length - hashedCharacters); i < name.length; i++)
    hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (shardCount - 1)
}
