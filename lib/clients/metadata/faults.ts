/** Faults in client metadata: how a wrong member is told of, and which known one is meant by one that is unknown. */
import { isNear } from '../../options.ts'

/** Throws for a member that is wrong: its name, such as `redirect_uris[1]`, and what it must be. */
export type Fail = (member: string, mustBe: string) => never

/** A member of client metadata that the library does not know. */
export interface UnknownMember {
  /** The member's name; of one inside another, such as `federated_credentials[0].note`, the path to it. */
  readonly member: string
  /** The known member it is taken for: what is configured so is refused. */
  readonly meant: string | undefined
}

/**
 * Lists the members of an object that are not among the known. `null` is the same as leaving one out.
 *
 * @param beside whether one is told to be like a known one that is there as well.
 */
export function unknownAmong(given: object, known: ReadonlySet<string>, beside = false): readonly UnknownMember[] {
  const unknown = Object.entries(given).filter(([name, value]) => !isAbsent(value) && !known.has(name))
  return unknown.map(([member]) => ({
    member,
    meant: [...known].find(name => looksLike(member, name) && (beside || !isGiven(given, name)))
  }))
}

function looksLike(name: string, known: string): boolean {
  const [a, b] = [bare(name), bare(known)]
  // every other word is near to one of two letters
  return a === b || (b.length > 3 && isNear(a, b, b.length < 12 ? 1 : 2))
}

/** `redirectUris` and `redirect-uris` are `redirect_uris`. */
function bare(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}

function isGiven(given: object, name: string): boolean {
  return !isAbsent((given as Readonly<Record<string, unknown>>)[name])
}

/** Rows of a database have `null` where there is nothing. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}
