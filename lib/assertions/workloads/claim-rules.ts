/**
 * Whether a token's claims are what a rule wants, and what is wrong where they are not. Only the token's own members
 * count.
 */
import { isUnderPattern } from '../../clients/subject-pattern.ts'
import type { ClaimRule, ClaimRules, FederatedRule } from '../../clients/federated-credential.ts'
import { describeClaim } from '../compact-jws.ts'
import { isJsonObject, type JsonObject } from '../../json.ts'

/** A claim that is not as a rule wants it. */
interface Mismatch {
  /** The claim, such as `kubernetes.io › namespace`. */
  readonly claim: string
  readonly expected: string
  readonly received: string
}

/** Whether a token's subject is the rule's. */
export function isSubject({ subject }: FederatedRule, { sub }: JsonObject): boolean {
  return subject === undefined || (typeof sub === 'string' && isUnderPattern(subject, sub))
}

/** Whether every claim of the rule is there as it is wanted. */
export function hasClaims({ claims }: FederatedRule, token: JsonObject): boolean {
  return claims === undefined || firstMismatch(claims, token, []) === undefined
}

/** The first claim that is not as the rule wants it; undefined: there is none. */
export function claimMismatch({ claims }: FederatedRule, token: JsonObject): Mismatch | undefined {
  if (claims === undefined) return undefined
  const found = firstMismatch(claims, token, [])
  if (found === undefined) return undefined
  const { path, wanted, value } = found
  return { claim: path.join(' › '), expected: describeWanted(wanted), received: describeValue(value) }
}

interface Found {
  readonly path: readonly string[]
  readonly wanted: ClaimRule
  readonly value: unknown
}

function firstMismatch(rules: ClaimRules, token: JsonObject, path: readonly string[]): Found | undefined {
  for (const [name, wanted] of Object.entries(rules)) {
    const value = Object.hasOwn(token, name) ? token[name] : undefined
    if (isRules(wanted)) {
      const found = nested(wanted, value, [...path, name])
      if (found !== undefined) return found
    } else if (!isWanted(wanted, value)) return { path: [...path, name], wanted, value }
  }
  return undefined
}

function nested(wanted: ClaimRules, value: unknown, path: readonly string[]): Found | undefined {
  if (isJsonObject(value)) return firstMismatch(wanted, value, path)
  return { path, wanted, value }
}

/** Whether a wanted value is an object of them. */
export function isRules(wanted: ClaimRule): wanted is ClaimRules {
  return typeof wanted === 'object' && !Array.isArray(wanted)
}

/** By value and type: a claim that is a list is none of these. */
function isWanted(wanted: Exclude<ClaimRule, ClaimRules>, value: unknown): boolean {
  return Array.isArray(wanted) ? (wanted as readonly unknown[]).includes(value) : wanted === value
}

function describeWanted(wanted: ClaimRule): string {
  if (isRules(wanted)) return `an object with ${Object.keys(wanted).slice(0, 10).join(', ')}`
  return Array.isArray(wanted) ? wanted.map(value => JSON.stringify(value)).join(' or ') : JSON.stringify(wanted)
}

/** A value beside one that it must not be taken for: `"99"` is not `99`. */
function describeValue(value: unknown): string {
  return ['string', 'number', 'boolean'].includes(typeof value) ? JSON.stringify(value).slice(0, 512) : describeClaim(value)
}
