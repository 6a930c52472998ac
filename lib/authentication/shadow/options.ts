/** The option `shadow`: a candidate configuration, and who is told what it would change. */
import { fn, nested, ConfigurationError, required, valueLike, type Check, type Checks, type Read } from '../../options.ts'
import type { ShadowDifference } from './difference.ts'

/** A candidate configuration that judges requests beside the live one, and changes nothing. */
export interface ShadowOptions<Candidate extends object> {
  /**
   * The options under trial, laid over the live ones: what is left out is as it is. Checked at construction as the live
   * ones are.
   */
  readonly options: Candidate
  /** The share of requests that the candidate judges too, from 0 (none, at no cost) to 1 (all). Default 0.1. */
  readonly sample?: number | undefined
  /**
   * Told of every request the candidate would have judged otherwise, with both decisions; never before its answer was
   * sent, unless that takes longer than a second. What it throws or rejects with is ignored.
   */
  readonly onDifference?: ((difference: ShadowDifference) => void) | undefined
}

type Table = Readonly<Record<string, Check<unknown>>>

/** Checks of the option, for a candidate whose options are checked by `table`. */
export function shadowChecks<const T extends Table>(table: T) {
  const candidate = Object.fromEntries(Object.entries(table).map(([name, check]) => [name, whenGiven(check)])) as {
    readonly [Name in keyof T]: Check<Read<T>[Name] | undefined>
  }
  return {
    options: atLeastOne(required(nested(candidate))),
    sample: valueLike<number>('a number from 0 to 1', value => typeof value === 'number' && value >= 0 && value <= 1),
    onDifference: fn<(difference: ShadowDifference) => void>()
  } satisfies Checks<ShadowOptions<object>>
}

/** The option, read. */
export type ReadShadow<T extends Table> = Read<ReturnType<typeof shadowChecks<T>>>

/** The share of requests that are tried where nothing is said. */
export const defaultSample = 0.1

/** The same check, of an option whose absence says nothing. */
function whenGiven<T>({ takes, read }: Check<T>): Check<T | undefined> {
  return { takes, read: (value, key) => (value === undefined ? undefined : read(value, key)) }
}

/** A candidate that is like the live one would be tried for nothing. */
function atLeastOne<T extends object>(check: Check<T>): Check<T> {
  return {
    ...check,
    read(value, key) {
      const read = check.read(value, key)
      if (Object.values(read).every(one => one === undefined))
        throw new ConfigurationError(key, 'must have at least one option to try')
      return read
    }
  }
}

/** Live options with those of a candidate in their place. */
export function laidOver<Live extends object>(live: Live, candidate: object): Live {
  const given = Object.entries(candidate).filter(([, value]) => value !== undefined)
  return Object.assign({}, live, Object.fromEntries(given))
}
