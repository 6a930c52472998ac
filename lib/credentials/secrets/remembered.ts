/** What was found right once is remembered in this process, so that nothing costly is computed for each request. */
import { hash as digest, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** Drawn anew by every process: what it remembers says nothing about a secret that could be tried elsewhere. */
const memoryKey = randomBytes(32).toString('hex')
const remembered = new LRUCache<string, true>({ max: 10_000 })

/** Which of these hashes was found to be the secret's before, by position; undefined: none. */
export function recall(hashes: readonly string[], secret: string): number | undefined {
  const known = hashes.findIndex(hash => remembered.get(memoryOf(hash, secret)) === true)
  return known === -1 ? undefined : known
}

/** Remembers that a hash is the secret's. */
export function remember(hash: string, secret: string): void {
  remembered.set(memoryOf(hash, secret), true)
}

/** A name for the two together, of which nobody can tell either. */
export function memoryOf(hash: string, secret: string): string {
  return digest('sha256', `${memoryKey}${hash}\0${secret}`, 'base64url')
}
