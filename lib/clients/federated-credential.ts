/**
 * Federated credentials: which token of another platform proves a client. Read once, and as strictly as whoever signs
 * it is trusted.
 */
import { hash } from 'node:crypto'
import type { Dated } from './dated.ts'
import { unknownAmong, type Fail, type UnknownMember } from './metadata/faults.ts'
import { patternProblem } from './subject-pattern.ts'
import { isJsonObject, type JsonObject } from '../json.ts'

/**
 * The wanted value of a claim: one, any of a list, or an object whose every member is wanted. Compared by value and
 * type.
 */
export type ClaimRule = string | number | boolean | readonly (string | number | boolean)[] | ClaimRules

/** The wanted values of claims, by their names. A name is one member, whatever dots are in it. */
export interface ClaimRules {
  /** The wanted value of the claim of this name. */
  readonly [claim: string]: ClaimRule
}

/** The rule of a federated credential. */
export interface FederatedRule {
  /** The platform: exactly what its tokens say in `iss`. */
  readonly issuer: string
  /** Value that `sub` must have. Ends in `*`, right after a `/` or `:`, where any further segments will do. */
  readonly subject?: string | undefined
  /** Value that `aud` must have. Default: the issuer identifier of the authorization server. */
  readonly audience?: string | undefined
  /** Claims that must be there, with these values. */
  readonly claims?: ClaimRules | undefined
}

/**
 * A platform's tokens that prove a client, for the method `federated_jwt`: those of this issuer with this subject and
 * these claims; one of the two at least. Pin what nobody can register again, such as `repository_id` beside a
 * repository's name.
 */
export interface FederatedCredential extends FederatedRule, Dated {
  /** Names it among the client's: 1 to 64 of the characters `A-Z a-z 0-9 . _ ~ : -`. Default: a digest of the rule. */
  readonly id?: string | undefined
  /** For whoever operates the server: at most 64 characters. */
  readonly label?: string | undefined
}

const members: ReadonlySet<string> = new Set<keyof FederatedCredential>([
  'id',
  'label',
  'not_before',
  'expires_at',
  'issuer',
  'subject',
  'audience',
  'claims'
])
const membersAmongOthers: ReadonlySet<string> = new Set([...members, 'type'])
/** Members as tokens call them: a rule that lacked one for its name would be wider than it was meant. */
const asInTokens: Readonly<Record<string, string | undefined>> = { iss: 'issuer', sub: 'subject', aud: 'audience' }
/** In characters. */
const longestText = 2000
const longestName = 256
const mostAlternatives = 100
/** Of one rule, all levels together. */
const mostValues = 200
const deepest = 8
/** Issuer in Kubernetes' tokens of old, which live for ever and are for nobody in particular. */
export const legacyKubernetesIssuer = 'kubernetes/serviceaccount'

/** The rule of a federated credential, judged. `fail` is told a member of it, such as `claims.ref`. */
export function readFederatedRule(given: JsonObject, fail: Fail): FederatedRule {
  const { issuer, subject, audience, claims } = given
  const rule: FederatedRule = {
    issuer: readText(issuer, 'issuer', fail),
    ...(subject !== undefined && { subject: readText(subject, 'subject', fail) }),
    ...(audience !== undefined && { audience: readText(audience, 'audience', fail) }),
    ...(claims !== undefined && { claims: readClaims(claims, 'claims', fail, { values: 0, depth: 0 }) })
  }
  if (rule.issuer === legacyKubernetesIssuer)
    fail('issuer', 'must be that of projected tokens: legacy tokens of Kubernetes never end and are for no audience')
  const problem = rule.subject === undefined ? undefined : patternProblem(rule.subject)
  if (problem !== undefined) fail('subject', problem)
  if (rule.subject === undefined && rule.claims === undefined)
    fail('subject', 'or claims must be given: without either every token of the issuer would do')
  return rule
}

/**
 * The members of a federated credential that are none, whatever it is. One that is like a member counts for it where
 * that is there as well: of two rules one would be lost.
 *
 * @param among where other kinds of credentials are too, and each says which it is.
 */
export function unknownOfFederated(given: unknown, among: 'federated' | 'others' = 'federated'): readonly UnknownMember[] {
  if (typeof given !== 'object' || given === null) return []
  return unknownAmong(given, among === 'others' ? membersAmongOthers : members, true).map(({ member, meant }) => ({
    member,
    meant: meant ?? (Object.hasOwn(asInTokens, member) ? asInTokens[member] : undefined)
  }))
}

/**
 * Refuses what is like a member that is not there; others that are none have no effect. @param among where other kinds
 * of credentials are too, and each says which it is.
 */
export function checkMisspelt(given: object, fail: Fail, among: 'federated' | 'others' = 'federated'): void {
  for (const { member, meant } of unknownOfFederated(given, among))
    if (meant !== undefined) fail(member, `must be named ${meant}: a federated credential has no such member`)
}

/** One of `federated_credentials`. Unknown members are left out, and so is what is `null`. */
export function readFederatedCredential(given: unknown, member: string, fail: Fail): FederatedCredential {
  if (!isJsonObject(given)) return fail(member, 'must be an object with issuer, and subject or claims')
  const failAt: Fail = (name, mustBe) => fail(`${member}.${name}`, mustBe)
  checkMisspelt(given, failAt)
  const present: JsonObject = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
  const { id, label, not_before, expires_at } = present as Partial<FederatedCredential>
  return {
    ...(id !== undefined && { id }),
    ...(label !== undefined && { label }),
    ...(not_before !== undefined && { not_before }),
    ...(expires_at !== undefined && { expires_at }),
    ...readFederatedRule(present, failAt)
  }
}

function readText(value: unknown, member: string, fail: Fail): string {
  return typeof value === 'string' && value !== '' && value.length <= longestText
    ? value
    : fail(member, `must be a string of 1 to ${longestText} characters`)
}

interface Extent {
  values: number
  depth: number
}

function readClaims(given: unknown, member: string, fail: Fail, extent: Extent): ClaimRules {
  if (!isJsonObject(given)) return fail(member, 'must be an object of claims with the values they must have')
  const entries = Object.entries(given)
  if (entries.length === 0) return fail(member, 'must name at least one claim')
  if (extent.depth === deepest) return fail(member, `must not be more than ${deepest} objects deep`)
  extent.depth++
  const read = entries.map(([name, value]): [string, ClaimRule] => {
    const path = `${member}.${name}`
    if (name === '' || name.length > longestName) fail(member, `must name claims by 1 to ${longestName} characters`)
    return [name, readWanted(value, path, fail, extent)]
  })
  extent.depth--
  // not by assignment: a claim may be called __proto__, and is one like any other
  return Object.fromEntries(read)
}

function readWanted(value: unknown, path: string, fail: Fail, extent: Extent): ClaimRule {
  if (isJsonObject(value)) return readClaims(value, path, fail, extent)
  if (isScalar(value)) {
    extent.values++
    return value
  }
  const values: readonly unknown[] = Array.isArray(value) ? value : []
  if (values.length === 0 || values.length > mostAlternatives)
    fail(
      path,
      `must be a string of at most ${longestText} characters, a number of at most 2^53 - 1, true or false, or a list of 1 to ${mostAlternatives} of them`
    )
  extent.values += values.length
  if (extent.values > mostValues) fail(path, `must not be beyond the ${mostValues} values of a rule`)
  if (!values.every(isScalar)) return fail(path, 'must have strings, numbers of at most 2^53 - 1, true and false in it alone')
  return values
}

function isScalar(value: unknown): value is string | number | boolean {
  if (typeof value === 'string') return value.length <= longestText
  // beyond these, numbers that tokens write differently are one and the same
  return typeof value === 'boolean' || (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER)
}

/** A rule as text, the same for the same rule in whatever order it was written. */
export function ruleText({ issuer, subject, audience, claims }: FederatedRule): string {
  return JSON.stringify([issuer, subject ?? null, audience ?? null, claims === undefined ? null : ordered(claims)])
}

function ordered(rule: ClaimRule): unknown {
  if (Array.isArray(rule)) return rule
  if (typeof rule !== 'object') return rule
  const entries = Object.entries(rule as ClaimRules).sort(([a], [b]) => (a < b ? -1 : 1))
  return { members: entries.map(([name, value]) => [name, ordered(value)]) }
}

/** The id of a credential that was given none. */
export function ruleId(rule: FederatedRule): string {
  return hash('sha256', ruleText(rule), 'base64url').slice(0, 22)
}
