/**
 * Reads the metadata of a configured client: each member of its kind, misspelt ones found, `null` left out, and the
 * whole free of contradictions.
 */
import { isNear } from '../../options.ts'
import { memberNames, memberOf, type ReadMetadata } from './metadata.ts'
import { judgeOfKind, type Fail } from './kinds.ts'

/**
 * @param fail throws for a member.
 * @returns the same members without `null`, those the library does not know too.
 */
export function readMetadata(given: object, fail: Fail): ReadMetadata {
  const read: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (isAbsent(value)) continue
    const member = memberOf(name)
    if (member === undefined) {
      checkUnknown(name, given, fail)
      read[name] = value
      continue
    }
    const kept = judgeOfKind(member.kind)(value, name, { fail, loopback: true })
    if (member.values !== undefined && !member.values.includes(kept as string))
      fail(name, `must be one of ${member.values.join(', ')}`)
    read[name] = kept
  }
  return read as unknown as ReadMetadata
}

/** A member of client metadata that the library does not know. */
export interface UnknownMember {
  /** The member's name. */
  readonly member: string
  /** The known member it is like and that is not there: what is configured so is refused. */
  readonly meant: string | undefined
}

/**
 * The members of one client's metadata that the library does not know, for whoever wants to say so in words of their
 * own.
 */
export function unknownMembers(metadata: object): readonly UnknownMember[] {
  const unknown = Object.entries(metadata).filter(([name, value]) => !isAbsent(value) && memberOf(name) === undefined)
  return unknown.map(([member]) => ({ member, meant: meantBy(member, metadata) }))
}

function meantBy(name: string, given: object): string | undefined {
  return memberNames.find(known => looksLike(name, known) && !isGiven(given, known))
}

/**
 * A protection under a misspelt name would silently never be: what is like a known member that is not there is taken
 * for it.
 */
function checkUnknown(name: string, given: object, fail: Fail): void {
  const meant = meantBy(name, given)
  if (meant !== undefined) fail(name, `must be named ${meant}: client metadata has no such member`)
  warnOnce(name)
}

function looksLike(name: string, known: string): boolean {
  const [a, b] = [bare(name), bare(known)]
  return a === b || isNear(a, b, b.length < 12 ? 1 : 2)
}

/** `redirectUris` and `redirect-uris` are `redirect_uris`. */
function bare(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}

function isGiven(given: object, name: string): boolean {
  return !isAbsent((given as Readonly<Record<string, unknown>>)[name])
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

const warned = new Set<string>()
const mostWarnings = 100

/** Members of the application's own are nobody's fault, and so are new ones that this version does not know. */
function warnOnce(name: string): void {
  if (warned.has(name) || warned.size >= mostWarnings) return
  warned.add(name)
  process.emitWarning(`client metadata ${JSON.stringify(name)} is not known and has no effect`, 'ClienteleWarning')
}
