/** A table of checks and the interface it is for: neither compiles without the other. */
import { flag, integer, readOptions, type Checks } from '../../lib/options.ts'

interface Limits {
  /** Seconds. */
  readonly ttl?: number | undefined
  readonly strict?: boolean | undefined
}

const ttl = integer({ min: 1, max: 10, default: 5 })

const whole = { ttl, strict: flag() } satisfies Checks<Limits>
const read = readOptions({}, whole)
const seconds: number = read.ttl
const strict: boolean | undefined = read.strict
export const used = [seconds, strict]

// @ts-expect-error an option without a check
export const missing = { ttl } satisfies Checks<Limits>

// @ts-expect-error a check without an option
export const more = { ttl, strict: flag(), strickt: flag() } satisfies Checks<Limits>
