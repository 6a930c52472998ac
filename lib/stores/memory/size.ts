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
