/** Calling functions that somebody else wrote to be told something: whatever they do, what they are told of goes on. */
import { printable } from './printable.ts'
import { ConfigurationError } from './options.ts'

type Listener<A extends unknown[]> = (...args: A) => unknown
type Harmless<A extends unknown[]> = (...args: A) => void

const made = new WeakMap<object, unknown>()

/**
 * A listener that never throws, is never waited for and cannot end the process with a rejection; whoever wrote it is
 * warned of the first time it fails. The same function for the same listener, however often it is asked for.
 *
 * @param name the option the listener was given as, for errors and warnings.
 * @throws ConfigurationError for what is no function.
 */
export function harmless<A extends unknown[]>(name: string, listener: Listener<A>): Harmless<A>
export function harmless<A extends unknown[]>(name: string, listener: Listener<A> | undefined): Harmless<A> | undefined
export function harmless<A extends unknown[]>(name: string, listener: Listener<A> | undefined): Harmless<A> | undefined {
  if (listener === undefined) return undefined
  if (typeof (listener as unknown) !== 'function') throw new ConfigurationError(name, 'must be a function')
  const known = made.get(listener) as Harmless<A> | undefined
  if (known !== undefined) return known
  const warn = (did: string, error: unknown): void => warnOnce(listener, `${name} ${did}, and will again: ${messageOf(error)}`)
  const rejected = (error: unknown): void => warn('rejected', error)
  const told = (...args: A): void => {
    try {
      const answer = listener(...args)
      // an async listener's rejection, which nobody waits for, would end the process
      if (answer !== undefined) Promise.resolve(answer).catch(rejected)
    } catch (error) {
      warn('threw', error)
    }
  }
  made.set(listener, told)
  made.set(told, told)
  return told
}

const warnedOf = new WeakSet()

/** Warns the process's operator, once about each. */
export function warnOnce(about: object, message: string): void {
  if (warnedOf.has(about)) return
  warnedOf.add(about)
  warn(message)
}

/** Warns the process's operator. */
export function warn(message: string): void {
  process.emitWarning(message, 'ClienteleWarning')
}

/** The message of what was thrown, for a warning. */
export function messageOf(error: unknown): string {
  try {
    if (error instanceof Error && typeof error.message === 'string') return printable(error.message)
  } catch {
    // what was thrown may throw when it is looked at
  }
  return 'not an error'
}
