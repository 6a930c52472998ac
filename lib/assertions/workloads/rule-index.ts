/**
 * An index over rules about tokens: what a token could match is found in a time that does not grow with the number of
 * rules.
 */
import type { ClaimRules } from '../../clients/federated-credential.ts'
import { patternPrefix, prefixesOf } from '../../clients/subject-pattern.ts'
import { isRules } from './claim-rules.ts'
import { isJsonObject, type JsonObject } from '../../json.ts'

/** Somewhere in a token, and the values there of which a rule wants one. */
interface Feature {
  readonly path: readonly string[]
  /** Each as {@link keyOf} writes it; a prefix where `sub` may be anything below it. */
  readonly keys: readonly string[]
}

/** One rule, with at least one feature. */
export interface Indexed<T> {
  readonly rule: T
  readonly features: readonly Feature[]
}

/** In characters. No rule has a longer subject. */
const longestSubject = 2048

/** Rules, each under whatever tells it best from the others. */
export class RuleIndex<T> {
  /** By path, as text; then by value. */
  private readonly places = new Map<string, { readonly path: readonly string[]; readonly byKey: Map<string, T[]> }>()

  constructor(entries: readonly Indexed<T>[]) {
    const counts = new Map<string, number>()
    const nameOf = (path: string, key: string): string => `${path}\0${key}`
    for (const { features } of entries) {
      for (const { path, keys } of features) {
        const place = JSON.stringify(path)
        for (const key of keys) counts.set(nameOf(place, key), (counts.get(nameOf(place, key)) ?? 0) + 1)
      }
    }
    const commonness = ({ path, keys }: Feature): number =>
      keys.reduce((sum, key) => sum + (counts.get(nameOf(JSON.stringify(path), key)) ?? 0), 0)
    for (const entry of entries) {
      const [first, ...others] = entry.features
      if (first === undefined) continue
      this.add(
        entry.rule,
        others.reduce((best, one) => (commonness(one) < commonness(best) ? one : best), first)
      )
    }
  }

  private add(rule: T, { path, keys }: Feature): void {
    const name = JSON.stringify(path)
    const place = this.places.get(name) ?? { path, byKey: new Map<string, T[]>() }
    this.places.set(name, place)
    for (const key of keys) {
      const bucket = place.byKey.get(key)
      if (bucket === undefined) place.byKey.set(key, [rule])
      else bucket.push(rule)
    }
  }

  /** Every rule the token could be meant by, and a few that it is not. */
  *candidates(token: JsonObject): Generator<T, void, undefined> {
    for (const { path, byKey } of this.places.values()) for (const key of keysAt(token, path)) yield* byKey.get(key) ?? []
  }
}

function keyOf(value: string | number | boolean): string {
  return JSON.stringify(value)
}

function prefixKey(prefix: string): string {
  return `*${prefix}`
}

/** Returns the keys under which rules may want the token's value at a place; none where no rule can. */
function keysAt(token: JsonObject, path: readonly string[]): readonly string[] {
  let value: unknown = token
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return []
    value = value[name]
  }
  if (typeof value === 'number' || typeof value === 'boolean') return [keyOf(value)]
  if (typeof value !== 'string' || value.length > longestSubject) return []
  return path.length === 1 && path[0] === 'sub' ? [keyOf(value), ...prefixesOf(value).map(prefixKey)] : [keyOf(value)]
}

/** Returns the feature of `sub` that a pattern of subjects asks for. */
export function subjectFeature(subject: string): Feature {
  const prefix = patternPrefix(subject)
  return { path: ['sub'], keys: [prefix === undefined ? keyOf(subject) : prefixKey(prefix)] }
}

/** Returns the features that rules about claims ask for, one for each claim. */
export function claimFeatures(rules: ClaimRules, path: readonly string[] = []): readonly Feature[] {
  return Object.entries(rules).flatMap(([name, wanted]): readonly Feature[] => {
    const here = [...path, name]
    if (isRules(wanted)) return claimFeatures(wanted, here)
    const values: readonly (string | number | boolean)[] = Array.isArray(wanted) ? wanted : [wanted as string]
    return [{ path: here, keys: values.map(keyOf) }]
  })
}
