/**
 * The memory that records take, to the nearest that can be told: never less by much, so that a bound on it is one.
 */
import { bytesOfPiece } from './pieces.ts'

/** A seen id: its slot, and its share of those that are empty. */
export const bytesOfSeen = 64
/** An entry's row, its place in the index, and its share of what waits to be given back. */
const bytesOfEntry = 80
/** The grant itself, counted with every record. */
const bytesOfMembership = 120

/** An entry of an `ExpiringTable`, by itself (`group` undefined) or of a grant. */
export function bytesOf(name: string, text: string | undefined, group: unknown): number {
  return bytesOfPlaced(bytesOfPiece(name, text), group !== undefined)
}

/** The same, by what its name and text take. */
export function bytesOfPlaced(piece: number, isMember: boolean): number {
  return bytesOfEntry + (isMember ? bytesOfMembership : 0) + piece
}

/**
 * Bytes that records may take where nobody says how many: a quarter of what the process may have. They are beside the
 * heap, which needs some of it too, and what waits to be given back comes on top.
 *
 * @param machine is what the machine has, in bytes.
 * @param constrained is the bound of the container, in bytes; 0, undefined or more than there is where it has none.
 */
export function shareOf(machine: number, constrained: number | undefined): number {
  const bound = constrained === undefined || constrained === 0 ? machine : constrained
  return Math.floor(Math.min(machine, bound) / 4)
}
