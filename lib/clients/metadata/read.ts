/**
 * Reads the metadata of a configured client: each member of its kind, misspelt ones found, `null` left out, and the
 * whole free of contradictions.
 */
import { isJsonObject } from '../../json.ts'
import { warn } from '../../listeners.ts'
import { unknownOfFederated } from '../federated-credential.ts'
import { memberNames, memberOf, type ReadMetadata } from './metadata.ts'
import { judgeOfKind, type Fail } from './kinds.ts'
import { isAbsent, unknownAmong, type UnknownMember } from './faults.ts'

export type { UnknownMember } from './faults.ts'

/**
 * @param fail throws for a member.
 * @returns the same members without `null`, those the library does not know too.
 */
export function readMetadata(given: object, fail: Fail): ReadMetadata {
  checkUnknown(given, fail)
  const read: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (isAbsent(value)) continue
    const member = memberOf(name)
    if (member === undefined) {
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

const knownNames: ReadonlySet<string> = new Set(memberNames)

/**
 * The members of one client's metadata that the library does not know, those of its federated credentials included, for
 * whoever wants to say so in words of their own.
 */
export function unknownMembers(metadata: object): readonly UnknownMember[] {
  const { federated_credentials, credentials } = metadata as Readonly<Record<string, unknown>>
  return [
    ...unknownAmong(metadata, knownNames).filter(({ member }) => memberOf(member) === undefined),
    ...within('federated_credentials', federated_credentials, one => unknownOfFederated(one)),
    ...within('credentials', credentials, one => (isFederated(one) ? unknownOfFederated(one, 'others') : []))
  ]
}

function within(name: string, list: unknown, find: (one: unknown) => readonly UnknownMember[]): readonly UnknownMember[] {
  const all: readonly unknown[] = Array.isArray(list) ? list : []
  return all.flatMap((one, index) => find(one).map(({ member, meant }) => ({ member: `${name}[${index}].${member}`, meant })))
}

function isFederated(credential: unknown): boolean {
  return isJsonObject(credential) && credential['type'] === 'federated'
}

/**
 * A protection under a misspelt name would silently never be: what is like a known member that is not there is taken
 * for it.
 */
function checkUnknown(given: object, fail: Fail): void {
  for (const { member, meant } of unknownMembers(given)) {
    if (meant !== undefined) fail(member, `must be named ${meant}: client metadata has no such member`)
    warnOnce(member)
  }
}

const warned = new Set<string>()
const mostWarnings = 100

/** Members of the application's own are nobody's fault, and so are new ones that this version does not know. */
function warnOnce(name: string): void {
  if (warned.has(name) || warned.size >= mostWarnings) return
  warned.add(name)
  warn(`client metadata ${JSON.stringify(name)} is not known and has no effect`)
}
