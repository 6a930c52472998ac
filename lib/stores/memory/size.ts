/**
 * The memory that records take, to the nearest that can be told without asking V8: never less by much, so that a bound
 * on it is one.
 */

/** A seen id: its slot, and its share of those that are empty. */
export const bytesOfSeen = 64
/** An entry and its places in the map and in the calendar. */
const bytesOfEntry = 200
/** The grant itself, counted with every record. */
const bytesOfMembership = 160

/** An entry of an `ExpiringTable`, by itself (`group` undefined) or of a grant. */
export function bytesOf(name: string, text: string | undefined, group: unknown): number {
  const membership = group === undefined ? 0 : bytesOfMembership
  // names are short: what they are made of is not worth looking at
  return bytesOfEntry + membership + 2 * name.length + bytesOfText(text)
}

/** V8 keeps a text of ASCII in a byte for each character; other characters can make it two for each of them all. */
export function bytesOfText(text: string | undefined): number {
  if (text === undefined) return 0
  const { length } = text
  return Buffer.byteLength(text) === length ? length : 2 * length
}
