/** One name per key, for engines that know records by a single name. */
import { hash } from 'node:crypto'
import type { Key } from '../store.ts'

/** The lengths come first, so no characters in a kind, grant or id can make two keys one. Starts with a digit. */
export function nameOf({ kind, id, grant }: Key): string {
  return grant === undefined ? `${kind.length}:${kind}${id}` : `${kind.length}+${grant.length}:${kind}${grant}${id}`
}

/**
 * A name of any length and characters as a SHA-256 digest, which every engine takes. Of UTF-16 and not of UTF-8, which
 * has the same bytes for every unpaired surrogate.
 */
export function digestOf(name: string): Buffer {
  return hash('sha256', Buffer.from(name, 'utf16le'), 'buffer')
}
