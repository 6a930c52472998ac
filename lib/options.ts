/**
 * Reads options once, at construction: a table of checks beside each options interface says what every option must be
 * and what stands for it where it is absent. A wrong option is a {@link ConfigurationError} whose message starts with
 * the key's path and says what it must be, so that an operator fixes the right line without reading source.
 */
import { types } from 'node:util'
import { isJsonObject, type JsonObject } from './json.ts'

/** Rule for the values of one option. */
export interface Check<T> {
  /** The value as it is used, or the default where the option is absent. @throws ConfigurationError naming `key`. */
  readonly read: (value: unknown, key: string) => T
  /** Description of the values it takes, to follow "must be". */
  readonly takes: string
  /** The value that stands for an absent option. */
  readonly fallback?: unknown
  /** True: it must be there. */
  readonly isRequired?: true
  /** True: a promise is a value like any other. */
  readonly takesPromises?: true
}

/**
 * A check for every option of an interface, and for nothing else: `{ … } satisfies Checks<SomeOptions>` does not
 * compile while one is missing or one too many.
 */
export type Checks<Options> = { readonly [Name in keyof Required<Options>]: Check<unknown> }

type AnyTable = Readonly<Record<string, Check<unknown>>>

/** Result of {@link readOptions} for a table of checks. */
export type Read<Table> = { readonly [Name in keyof Table]: Table[Name] extends Check<infer T> ? T : never }

/**
 * Every option checked, in the order of the table, with defaults in the place of absent ones. Unknown keys are refused
 * first.
 *
 * @param path what stands before an option's name in an error: `credentials.`, `resources[2].`
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const limits = { bytes: integer({ min: 256, max: 1_048_576, default: 65_536 }) } satisfies Checks<RegistrationLimits>
 * const { bytes } = readOptions(given, limits, 'registration.limits.')
 */
export function readOptions<const Table extends AnyTable>(given: unknown, table: Table, path = ''): Read<Table> {
  if (!isJsonObject(given) || types.isPromise(given))
    throw new ConfigurationError(path === '' ? 'options' : path.replace(/\.$/, ''), 'must be an object')
  checkKeys(given, Object.keys(table), path)
  return Object.fromEntries(
    Object.entries(table).map(([name, check]) => [name, check.read(awaited(given[name], check, path + name), path + name)])
  ) as Read<Table>
}

/** No option of the library's is a promise: whoever gives one has forgotten to wait for it. */
function awaited(value: unknown, { takes, takesPromises }: Check<unknown>, key: string): unknown {
  if (types.isPromise(value) && takesPromises !== true)
    throw new ConfigurationError(key, `must be ${takes}, and not a promise of it: await it`)
  return value
}

/** A check whose absent value is the default it was given, or undefined. */
function optional<T, D>(takes: string, fallback: D, accepts: (value: unknown, key: string) => T): Check<T | D> {
  return { takes, fallback, read: (value, key) => (value === undefined ? fallback : accepts(value, key)) }
}

/** A check by a predicate. */
function when<T, D>(takes: string, fallback: D, is: (value: unknown) => value is T): Check<T | D> {
  return optional(takes, fallback, (value, key) => {
    if (!is(value)) throw new ConfigurationError(key, `must be ${takes}`)
    return value
  })
}

/** The same check of an option that must be there. */
export function required<T>(check: Check<T | undefined>): Check<T> {
  return {
    takes: check.takes,
    isRequired: true,
    read: (value, key) => {
      const read = value === undefined ? undefined : check.read(value, key)
      if (read === undefined) throw new ConfigurationError(key, `must be ${check.takes}`)
      return read
    }
  }
}

interface Bounds {
  readonly min: number
  /** Default: as large as a number can be told from its neighbours. */
  readonly max?: number
  /** The thing counted, where that is not seconds or plain to see. */
  readonly of?: string
}

/** A whole number within bounds. */
export function integer(bounds: Bounds): Check<number | undefined>
export function integer(bounds: Bounds & { readonly default: number }): Check<number>
export function integer({ min, max, of, ...rest }: Bounds & { readonly default?: number }): Check<number | undefined> {
  const number = of === undefined ? 'a whole number' : `a whole number of ${of}`
  return when(
    max === undefined ? `${number} greater than ${min - 1}` : `${number} from ${min} to ${max}`,
    rest.default,
    (value): value is number =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= (max ?? Infinity)
  )
}

/** True or false. */
export function flag(): Check<boolean | undefined>
export function flag(fallback: boolean): Check<boolean>
export function flag(fallback?: boolean): Check<boolean | undefined> {
  return when('true or false', fallback, value => typeof value === 'boolean')
}

/** One of a fixed list of words. */
export function oneOf<const T extends string>(allowed: readonly T[], fallback: T): Check<T>
export function oneOf<const T extends string>(allowed: readonly T[]): Check<T | undefined>
export function oneOf<const T extends string>(allowed: readonly T[], fallback?: T): Check<T | undefined> {
  const takes = `one of ${allowed.map(word => JSON.stringify(word)).join(', ')}`
  return when(takes, fallback, (value): value is T => allowed.some(word => word === value))
}

/** A function. What it takes and returns is its type's business alone. */
export function fn<F>(): Check<F | undefined>
export function fn<F>(fallback: F): Check<F>
export function fn<F>(fallback?: F): Check<F | undefined> {
  return when('a function', fallback, (value): value is F => typeof value === 'function')
}

/** A string with something in it. */
export function text(): Check<string | undefined>
export function text(fallback: string): Check<string>
export function text(fallback?: string): Check<string | undefined> {
  return when('a non-empty string', fallback, (value): value is string => typeof value === 'string' && value !== '')
}

/** A list whose every element passes a predicate. @param of what its elements are, in the plural: `scope values` */
export function listOf<T>(of: string, is: (value: unknown) => value is T): Check<readonly T[] | undefined>
export function listOf<T>(of: string, is: (value: unknown) => value is T, fallback: readonly T[]): Check<readonly T[]>
export function listOf<T>(
  of: string,
  is: (value: unknown) => value is T,
  fallback?: readonly T[]
): Check<readonly T[] | undefined> {
  return when(`a list of ${of}`, fallback, (value): value is readonly T[] => Array.isArray(value) && value.every(one => is(one)))
}

/** A list whose every element is read by a check, named by its place: `resources[2]`. @param of as in {@link listOf} */
export function eachOf<T>(of: string, check: Check<T>): Check<readonly T[] | undefined>
export function eachOf<T>(of: string, check: Check<T>, fallback: readonly T[]): Check<readonly T[]>
export function eachOf<T>(of: string, check: Check<T>, fallback?: readonly T[]): Check<readonly T[] | undefined> {
  const takes = `a list of ${of}`
  return optional(takes, fallback, (value, key) => {
    if (!Array.isArray(value)) throw new ConfigurationError(key, `must be ${takes}`)
    // a hole in a list is an element that is missing
    return Array.from(value as readonly unknown[], (one, index) => check.read(one ?? null, `${key}[${index}]`))
  })
}

/** A string that passes a predicate. */
export function textLike(takes: string, is: (value: string) => boolean): Check<string | undefined>
export function textLike(takes: string, is: (value: string) => boolean, fallback: string): Check<string>
export function textLike(takes: string, is: (value: string) => boolean, fallback?: string): Check<string | undefined> {
  return when(takes, fallback, (value): value is string => typeof value === 'string' && is(value))
}

/** A value of a kind of its own, by a predicate. */
export function valueLike<T>(takes: string, is: (value: unknown) => boolean): Check<T | undefined> {
  return when(takes, undefined, (value): value is T => is(value))
}

/** An object of which a predicate knows that it is what it should be, such as that it has the functions of a store. */
export function objectLike<T extends object>(
  takes: string,
  is: (value: JsonObject) => boolean = () => true
): Check<T | undefined> {
  return valueLike(takes, value => isJsonObject(value) && is(value))
}

/** False, for none, or what another check takes. */
export function orFalse<T>(check: Check<T>): Check<T | false> {
  const takes = `false or ${check.takes}`
  return {
    takes,
    read(value, key) {
      if (value === false) return false
      try {
        return check.read(value, key)
      } catch (error) {
        // what is in an object is wrong by its own name; everything else is wrong by not being false either
        if (!(error instanceof ConfigurationError) || error.key !== key) throw error
        throw new ConfigurationError(key, `must be ${takes}`)
      }
    }
  }
}

/** Reads the time, milliseconds since the epoch: `Date.now` where there is nothing else. */
export function clock(): Check<() => number> {
  const takes = 'a function that returns milliseconds, such as Date.now'
  const given = when(takes, undefined, (value): value is () => number => typeof value === 'function')
  return { takes, read: (value, key) => given.read(value, key) ?? Date.now }
}

/** The issuer identifier, as {@link checkIssuer} reads it. */
export function issuerIdentifier(): Check<string> {
  return readBy('an absolute URL', checkIssuer)
}

/** Options within options, by a table of their own; where they are absent undefined, or what is read of the default. */
export function nested<const Table extends AnyTable>(table: Table): Check<Read<Table> | undefined>
export function nested<const Table extends AnyTable>(table: Table, fallback: object): Check<Read<Table>>
export function nested<const Table extends AnyTable>(table: Table, fallback?: object): Check<Read<Table> | undefined> {
  const needed = Object.keys(table).filter(name => table[name]?.isRequired === true)
  const takes = needed.length === 0 ? 'an object' : `an object with ${needed.join(', ')}`
  return {
    takes,
    read(value = fallback, key) {
      if (value === undefined) return undefined
      if (!isJsonObject(value)) throw new ConfigurationError(key, `must be ${takes}`)
      return readOptions(value, table, `${key}.`)
    }
  }
}

/** An option with a reader of its own, which throws the {@link ConfigurationError}. @param takes follows "must be" */
export function readBy<T>(takes: string, read: (value: unknown, key: string) => T): Check<T> {
  return { takes, read }
}

/** Thrown for a wrong option at construction. `key` is the option's path, such as `clients[3].jwks_uri`. */
export class ConfigurationError extends TypeError {
  /** The class's name. */
  override readonly name = 'ConfigurationError'
  /** The path of the option that is wrong, such as `clients[3].client_id`. */
  readonly key: string
  constructor(key: string, mustBe: string) {
    super(`${key} ${mustBe}`)
    this.key = key
  }
}

/** Refuses keys nobody reads: a misspelt option is a protection that silently never was. */
export function checkKeys(options: object, known: readonly string[], path = ''): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    const guess = known.find(candidate => isNear(candidate.toLowerCase(), key.toLowerCase()))
    const hint = guess === undefined ? '' : `; did you mean ${guess}?`
    throw new ConfigurationError(`${path}${key}`, `is not a known option${hint}`)
  }
}

/** The issuer identifier: https (http on loopback), no query, fragment, user info or trailing slash (RFC 8414 §2). */
export function checkIssuer(issuer: unknown, key = 'issuer'): string {
  const url = typeof issuer === 'string' && URL.canParse(issuer) ? new URL(issuer) : undefined
  if (url === undefined || typeof issuer !== 'string') throw new ConfigurationError(key, 'must be an absolute URL')
  if (!isSecureAddress(url))
    throw new ConfigurationError(key, 'must be an https URL (http only on localhost, 127.0.0.1 or [::1])')
  if (issuer.includes('?') || issuer.includes('#') || url.username !== '' || url.password !== '')
    throw new ConfigurationError(key, 'must have no query, fragment or user info')
  if (issuer.endsWith('/')) throw new ConfigurationError(key, 'must not end in a slash')
  // clients compare the issuer byte by byte: what URL parsing would change (case, default ports, dots) cannot be it
  if (url.href !== issuer && url.href !== `${issuer}/`)
    throw new ConfigurationError(key, `must be written in its normal form, ${url.href.replace(/\/$/, '')}`)
  return issuer
}

/** True for the host names that never leave this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

/** Whether an address is on a host that never leaves this machine. */
export function isOnLoopback(address: string): boolean {
  return isLoopbackHost(new URL(address).hostname)
}

/** Whether nobody on the way can read or change what is sent to an address: https, or http on this machine. */
export function isSecureAddress({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname))
}

/** Whether one word is the other with at most so many letters changed, missing or added. */
export function isNear(a: string, b: string, most = 2): boolean {
  if (Math.abs(a.length - b.length) > most) return false
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return (previous[b.length] ?? Infinity) <= most
}
