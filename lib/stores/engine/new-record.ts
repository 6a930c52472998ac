/** Checks of records to be written, and the versions they get. */
import { randomBytes } from 'node:crypto'
import type { Json } from '../store.ts'

export interface NewRecord {
  /** The value as JSON text. */
  readonly text: string
  /** Milliseconds the record lives. */
  readonly lifetime: number
}

/** No record outlives this: three thousand years, in milliseconds; further ahead, engines no longer reckon exactly. */
const longest = 1e14

/** @throws RangeError where `ttl` is no number of seconds to live. @throws TypeError where `value` is not JSON. */
export function newRecord(value: Json, ttl: number): NewRecord {
  if (!(Number.isFinite(ttl) && ttl > 0)) throw new RangeError('ttl must be a finite number of seconds greater than 0')
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) throw new TypeError('value must be JSON')
  return { text, lifetime: Math.min(Math.ceil(ttl * 1000), longest) }
}

/** Time a deleted grant refuses writes for, in milliseconds: the hour `Store.deleteGrant()` promises. */
export const endedGrantLifetime = 3_600_000

/**
 * Makes versions, each a short text that no other call of this or any other maker ever answers with, whichever process
 * it runs in.
 */
export function versionMaker(): () => string {
  const maker = randomBytes(9).toString('base64url')
  let count = 0
  return () => `${maker}${(count++).toString(36)}`
}
