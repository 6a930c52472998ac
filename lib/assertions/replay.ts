/** Single use: of any number of presentations of one thing, in any number of processes, one is the first. */
import { hash } from 'node:crypto'
import { TemporarilyUnavailableError } from '../errors.ts'
import type { Store } from '../stores/store.ts'

/**
 * Uses something up. `true` for exactly one caller; `false` for every other one until `ttl` has passed.
 *
 * The record's id is a digest of `parts`, each with its length, so that `['a', 'bc']` and `['ab', 'c']` are two things
 * and one client's jti values cannot collide with another's. Nothing of `parts` reaches the store.
 *
 * @param kind the record's kind, such as `client_assertion`.
 * @param parts what makes the thing unique, such as issuer, client_id and jti.
 * @param ttl seconds for which it could be presented again.
 * @throws {@link TemporarilyUnavailableError} where the store rejects: what may have been used is never taken for
 * unused.
 */
export async function consumeOnce(store: Store, kind: string, parts: readonly string[], ttl: number): Promise<boolean> {
  const { key, value } = useOf(kind, parts, ttl)
  let added: unknown
  try {
    added = await store.add(key, value, ttl)
  } catch (cause) {
    throw new TemporarilyUnavailableError({ reason: `the store could not record the use of a ${kind}`, cause })
  }
  // a store that answers anything else than it promised has not said that this was the first use
  return added === true
}

/** The step that uses something up, for whoever does it with what follows from it: see {@link consumeOnce}. */
export function useOf(kind: string, parts: readonly string[], ttl: number) {
  const name = parts.map(part => `${Buffer.byteLength(part)}:${part}`).join('')
  const id = hash('sha256', name, 'base64url')
  return { operation: 'add', key: { kind, id }, value: null, ttl } as const
}
