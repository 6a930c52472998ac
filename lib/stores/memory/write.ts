/** Steps of a batch in memory, ready to be done: what can be wrong with them has been found out. */
import { newRecord } from '../engine/new-record.ts'
import { nameOf } from './record-name.ts'
import type { FirstStep, Json, Key } from '../store.ts'
import type { Placement } from './expiring-table.ts'
import { bytesOf } from './size.ts'

export interface Write {
  readonly operation: FirstStep['operation']
  readonly key: Key
  readonly name: string
  /** Undefined where it removes. */
  readonly placement: Placement | undefined
}

/** @throws RangeError, TypeError as `newRecord()`. */
export function writeOf(step: FirstStep, now: number): Write {
  const { operation, key } = step
  const placement = operation === 'delete' ? undefined : placementOf(key, step.value, step.ttl, now)
  return { operation, key, name: nameOf(key), placement }
}

/** @throws RangeError, TypeError as `newRecord()`. */
export function placementOf(key: Key, value: Json, ttl: number, now: number): Placement {
  const { text, lifetime } = newRecord(value, ttl)
  return { text, expires: now + lifetime, group: key.grant }
}

/** Bytes of memory it takes by itself. */
export function bytesOfWrite({ name, placement }: Write): number {
  return placement === undefined ? 0 : bytesOf(name, placement.text, placement.group)
}

export function sumOf(writes: readonly Write[], bytesOfOne: (write: Write) => number): number {
  return writes.reduce((sum, write) => sum + bytesOfOne(write), 0)
}
