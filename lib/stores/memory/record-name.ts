/**
 * Names of records in this process. A kind is written out in every record of an issuer, and is longer than the id: here
 * two characters stand for it.
 */
import { nameOf as longNameOf } from '../engine/key-name.ts'
import type { Key } from '../store.ts'

/** Kinds that two characters stand for, at most: those of some hundred issuers. Later ones are written out. */
const mostKinds = 2 ** 12
const digits = 2 ** 6
/** Long names start with no character from it on; and of those used here, none makes a name take two bytes each. */
const firstDigit = '@'.charCodeAt(0)

const marks = new Map<string, string>()

/**
 * One name per key among those of its grant, or of none. A kind has the same mark as long as the process lives, or
 * none: what is written under a name is found under it.
 */
export function nameOf({ kind, id }: Key): string {
  const mark = marks.get(kind) ?? newMark(kind)
  return mark === undefined ? longNameOf({ kind, id }) : `${mark}:${id}`
}

function newMark(kind: string): string | undefined {
  const number = marks.size
  if (number === mostKinds) return undefined
  const mark = String.fromCharCode(firstDigit + Math.floor(number / digits), firstDigit + (number % digits))
  marks.set(kind, mark)
  return mark
}
