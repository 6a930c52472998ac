/** Changing what the library keeps of a client's credentials: adding, ending and revoking, each one compare-and-set. */
import type { Client } from '../clients/client.ts'
import { checkDates, checkLabel, isStoredId } from '../clients/configured-credentials.ts'
import { secondsProblem } from '../clients/metadata/kinds.ts'
import { credentialSet, type CredentialDescription, type CredentialOfClient, type Dated } from '../clients/credentials.ts'
import { ConfigurationError } from '../options.ts'
import { CredentialError } from './credential-error.ts'
import { canStillAuthenticate } from './listing.ts'
import {
  credentialsWith,
  earlier,
  emptyRecord,
  endingOf,
  macOf,
  type CredentialRecord,
  type RecordKeeper,
  type StoredCredential
} from './record.ts'
import type { CredentialRecords } from './records.ts'

/** Options of every credential that is added. */
export interface CredentialOptions extends Dated {
  /** For whoever operates the server: at most 64 printable characters. */
  readonly label?: string | undefined
  /**
   * The credential by which the client asked for this one, as decisions call it (`secret:1`): revoked with that one
   * where it was stolen. Default: none, the operator adds it.
   */
  readonly addedBy?: string | undefined
}

/** Means of making changes. */
interface ChangeContext {
  readonly records: CredentialRecords
  readonly keeper: RecordKeeper
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** Most added credentials of one client that can still be used; as many again are remembered that cannot. */
const mostStored = 50

/** @throws ConfigurationError naming the member that is wrong. */
export function checkCredentialOptions(options: CredentialOptions, now: number): void {
  const fail = (member: string, mustBe: string): never => {
    throw new ConfigurationError(member, mustBe)
  }
  checkLabel(options.label, fail)
  checkCredentialName(options.addedBy, fail)
  checkDates(options, fail)
  checkFuture(options.expires_at, 'expires_at', now)
}

function checkCredentialName(name: unknown, fail: (member: string, mustBe: string) => never): void {
  if (name !== undefined && !(typeof name === 'string' && /^[^\p{Cc}\p{Cs}]{1,512}$/u.test(name)))
    fail('addedBy', 'must be a credential as decisions call it, such as secret:1')
}

/** @throws ConfigurationError where the time is given and not to come. */
export function checkFuture(value: unknown, member: string, now: number): void {
  if (value === undefined) return
  const isToCome = Number.isSafeInteger(value) && Number(value) > now
  const problem = isToCome ? secondsProblem(value) : 'must be seconds since the epoch, in the future'
  if (problem !== undefined) throw new ConfigurationError(member, problem)
}

export function newCredentialId(random: (size: number) => Uint8Array): string {
  return Buffer.from(random(8)).toString('hex')
}

/**
 * Adds a credential.
 *
 * @param add.same whether another is the same: of such only one may be live or to come.
 * @param add.previousEnd seconds since the epoch from which the client's other secrets are refused.
 * @throws CredentialError `duplicate`, `too_many`.
 */
export async function addCredential(
  { records, keeper, clock }: ChangeContext,
  base: Client,
  add: {
    readonly credential: StoredCredential
    readonly same?: (other: CredentialOfClient) => boolean
    readonly previousEnd?: number | undefined
  }
): Promise<void> {
  const now = Math.floor(clock() / 1000)
  await records.change(base.client_id, (record = emptyRecord(keeper)) => {
    const same = add.same && credentialsWith(base, record, keeper).find(other => !isOver(other, now) && add.same?.(other))
    if (same !== undefined) throw new CredentialError('duplicate', `the client has this already, as ${same.id}`)
    const kept = endPrevious(base, withRoom(record, now), { keeper, now, end: add.previousEnd })
    return { ...kept, credentials: [...kept.credentials, add.credential] }
  })
}

function isOver({ expires_at }: Dated, now: number): boolean {
  return expires_at !== undefined && expires_at <= now
}

/** Forgets what can no longer be used, the oldest first, before there is too much of it. */
function withRoom(record: CredentialRecord, now: number): CredentialRecord {
  const isDead = (credential: StoredCredential): boolean => credential.revoked_at !== undefined || isOver(credential, now)
  const dead = record.credentials.filter(isDead)
  if (record.credentials.length - dead.length >= mostStored)
    throw new CredentialError('too_many', `a client may have ${mostStored} credentials beside those it is configured with`)
  return dead.slice(0, Math.max(0, dead.length - mostStored + 1)).reduce(forget, record)
}

/**
 * Without one. What it added has been added by what added it: nobody gets away by a credential of which nothing is
 * known any more.
 */
function forget(record: CredentialRecord, forgotten: StoredCredential): CredentialRecord {
  const others = record.credentials.filter(credential => credential !== forgotten)
  const { added_by } = forgotten
  if (added_by === undefined) return { ...record, credentials: others }
  const inherit = (credential: StoredCredential): StoredCredential =>
    credential.added_by === forgotten.credential ? { ...credential, added_by } : credential
  return { ...record, credentials: others.map(inherit) }
}

/** Gives every secret there is an end, where it has no earlier one. */
function endPrevious(
  base: Client,
  record: CredentialRecord,
  { keeper, now, end }: { readonly keeper: RecordKeeper; readonly now: number; readonly end: number | undefined }
): CredentialRecord {
  if (end === undefined) return record
  const secrets = credentialSet(base).all.filter(({ type, expires_at }) => type === 'secret' && !isOver({ expires_at }, now))
  const ended = secrets.reduce((changed, secret) => withEnding(base, changed, secret, keeper, { expires_at: end }), record)
  const credentials = ended.credentials.map(stored =>
    stored.type === 'secret' ? { ...stored, expires_at: earlier(stored.expires_at, end) } : stored
  )
  return { ...ended, credentials }
}

const mostEndings = 200

/** Seconds since the epoch: from when it is refused, or when it was taken back. */
type EndedAt = { readonly expires_at: number } | { readonly revoked_at: number }

function withEnding(
  base: Client,
  record: CredentialRecord,
  credential: CredentialOfClient,
  keeper: RecordKeeper,
  end: EndedAt
): CredentialRecord {
  const before = endingOf(base.client_id, credential, record, keeper)
  if (before?.revoked_at !== undefined) return record
  const mac = macOf(base.client_id, credential, keeper)
  const ending =
    'revoked_at' in end
      ? { ...before, id: credential.id, mac, ...end }
      : { id: credential.id, mac, expires_at: earlier(before?.expires_at, end.expires_at) }
  const others = record.endings.filter(other => other !== before)
  // what the source no longer has needs no end; of what it has none may be forgotten
  const { all } = credentialSet(base)
  const relevant = others.length < mostEndings ? others : others.filter(({ id }) => all.some(configured => configured.id === id))
  if (relevant.length >= mostEndings) throw new CredentialError('too_many', 'too many of the client’s credentials have ended')
  return { ...record, endings: [...relevant, ending] }
}

/** End of a credential: at a date, or by being revoked. */
type End =
  | { readonly expires_at: number }
  | {
      readonly revoked: true
      /** Allows what leaves the client unable to authenticate. */
      readonly force: boolean
      /** Takes back what was added by it too, and by that, whether or not it was revoked before. */
      readonly stolen: boolean
    }

/** Outcome of {@link endCredential}. */
interface Ended {
  /** Credentials it ended: none that had been revoked before. */
  readonly ended: readonly NamedCredential[]
  /** Credentials added by it, and by those, that are neither over nor revoked. */
  readonly left: readonly NamedCredential[]
}

type NamedCredential = Pick<CredentialDescription, 'id' | 'credential' | 'label'>

/**
 * Ends a credential, or takes it back at once.
 *
 * @throws CredentialError `unknown_credential`, `last_credential`.
 */
export async function endCredential(
  { records, keeper, clock }: ChangeContext,
  base: Client,
  id: string,
  end: End
): Promise<Ended> {
  const now = Math.floor(clock() / 1000)
  const at = 'revoked' in end ? { revoked_at: now } : end
  let done: Ended = { ended: [], left: [] }
  await records.change(base.client_id, (record = emptyRecord(keeper)) => {
    const usable = credentialsWith(base, record, keeper)
    const credential = usable.find(other => other.id === id)
    const root = credential ?? revokedBefore(base, record, id)
    if (root === undefined || (credential === undefined && !('revoked' in end)))
      throw new CredentialError('unknown_credential', 'the client has no such credential')
    const came = descendantsOf(record, root.credential)
    const others = usable.filter(other => came.has(other.credential) && other.id !== id && !isOver(other, now))
    const withOthers = 'revoked' in end && end.stolen
    const ended = [...(credential === undefined ? [] : [credential]), ...(withOthers ? others : [])]
    done = { ended, left: withOthers ? [] : others }
    if (ended.length === 0) return undefined
    const changed = ended.reduce((before, one) => endOne(base, before, one, keeper, at), record)
    const could = 'revoked' in end && !end.force && canStillAuthenticate(base, record, keeper, now)
    if (could && !canStillAuthenticate(base, changed, keeper, now))
      throw new CredentialError('last_credential', 'the client could not authenticate without this one')
    return changed
  })
  return done
}

function revokedBefore(base: Client, record: CredentialRecord, id: string): { readonly credential: string } | undefined {
  return record.credentials.find(stored => stored.id === id) ?? credentialSet(base).all.find(one => one.id === id)
}

/** The names of what was added by a credential, and by that. */
function descendantsOf({ credentials }: CredentialRecord, root: string): ReadonlySet<string> {
  const found = new Set([root])
  // a set that grows while it is walked is walked to its end
  for (const name of found) {
    for (const { added_by, credential } of credentials) if (added_by === name) found.add(credential)
  }
  found.delete(root)
  return found
}

function endOne(
  base: Client,
  record: CredentialRecord,
  credential: CredentialOfClient,
  keeper: RecordKeeper,
  end: EndedAt
): CredentialRecord {
  const { id } = credential
  if (!isStoredId(id)) return withEnding(base, record, credential, keeper, end)
  return { ...record, credentials: record.credentials.map(stored => (stored.id === id ? endStored(stored, end) : stored)) }
}

function endStored(stored: StoredCredential, end: EndedAt): StoredCredential {
  if ('expires_at' in end) return { ...stored, expires_at: earlier(stored.expires_at, end.expires_at) }
  const { id, label, created_at, not_before, expires_at, credential, added_by } = stored
  const described = { id, label, created_at, not_before, expires_at, credential, added_by, ...end }
  switch (stored.type) {
    case 'method':
      return { ...described, type: stored.type, method: stored.method }
    case 'subject':
      return { ...described, type: stored.type, member: stored.member, value: stored.value }
    case 'federated':
      return { ...described, type: stored.type, rule: stored.rule }
    case 'spiffe_id':
      return { ...described, type: stored.type, spiffe_id: stored.spiffe_id }
    default:
      // nothing is kept that would be worth finding
      return { ...described, type: stored.type }
  }
}
