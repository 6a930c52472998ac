/**
 * Objects that may take a shorter way as long as nobody has put anything before them or into them: known by identity,
 * and by their functions as they were made.
 */

/** A note of such objects. */
export interface AsMade<T extends object> {
  /** Notes an object with its functions as they are. */
  note(made: T): void
  /** Whether it was noted, and its functions are what they were. */
  has(one: T): boolean
}

/** @param names the functions that somebody could put others in the place of. */
export function asMade<T extends object>(names: readonly (keyof T)[]): AsMade<T> {
  const known = new WeakMap<T, readonly unknown[]>()
  return {
    note: made =>
      void known.set(
        made,
        names.map(name => made[name])
      ),
    has(one) {
      const functions = known.get(one)
      return functions !== undefined && names.every((name, index) => one[name] === functions[index])
    }
  }
}
