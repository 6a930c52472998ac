/** The `claims` parameter (OpenID Connect Core §5.5): claims asked for one by one. */
import { InvalidRequestError } from '../errors.ts'
import type { RequestedClaims } from '../tokens/grant.ts'
import { isJsonObject, type JsonObject } from '../json.ts'

/** The requests of a `claims` parameter, as far as this server can meet them. */
export interface ClaimsParameter {
  /** The names asked for; undefined: none. */
  readonly claims: RequestedClaims | undefined
  /** The person the answer must be about: a value asked for of `sub` (§3.1.2.2). */
  readonly sub: string | undefined
  /** Values asked for of `acr`, in the order of preference. */
  readonly acr_values: readonly string[]
  /** The answer must have one of them (§5.5.1.1). */
  readonly essentialAcr: boolean
}

const longest = 8192

/**
 * Reads the parameter. Claims outside `known` are ignored, as are values asked for of any other claim than `sub` and
 * `acr`: what is essential and unknown is left out of the answer, and is no error (§5.5.1).
 *
 * @throws InvalidRequestError for anything but the object §5.5 describes.
 */
export function readClaimsParameter(text: string | undefined, known: readonly string[]): ClaimsParameter {
  if (text === undefined) return { claims: undefined, sub: undefined, acr_values: [], essentialAcr: false }
  if (text.length > longest) throw new InvalidRequestError(`claims is longer than ${longest} characters`)
  const { userinfo, id_token } = parse(text)
  const ofIdToken = membersOf(id_token, 'id_token')
  const ofUserinfo = membersOf(userinfo, 'userinfo')
  const acr = ofIdToken.get('acr')
  const acr_values = valuesOf(acr)
  return {
    claims: namesOf(ofUserinfo, ofIdToken, known),
    sub: onePerson([...valuesOf(ofIdToken.get('sub')), ...valuesOf(ofUserinfo.get('sub'))]),
    acr_values,
    essentialAcr: acr?.['essential'] === true && acr_values.length > 0
  }
}

type Individual = JsonObject | undefined

function parse(text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new InvalidRequestError('claims is not JSON')
  }
  if (!isJsonObject(value)) throw new InvalidRequestError('claims must be a JSON object')
  return value
}

/** A member of the request: claims by their name, each null or an object. */
function membersOf(value: unknown, name: string): ReadonlyMap<string, Individual> {
  if (value === undefined) return new Map()
  if (!isJsonObject(value)) throw new InvalidRequestError(`${name} in claims must be a JSON object`)
  return new Map(
    Object.entries(value).map(([claim, individual]): [string, Individual] => {
      if (individual !== null && !isJsonObject(individual))
        throw new InvalidRequestError(`a claim asked for in ${name} must be null or a JSON object`)
      return [claim, individual ?? undefined]
    })
  )
}

function namesOf(
  userinfo: ReadonlyMap<string, Individual>,
  id_token: ReadonlyMap<string, Individual>,
  known: readonly string[]
): RequestedClaims | undefined {
  const names = (asked: ReadonlyMap<string, Individual>): readonly string[] =>
    [...asked.keys()].filter(name => known.includes(name))
  const forUserinfo = names(userinfo)
  const forIdToken = names(id_token)
  if (forUserinfo.length === 0 && forIdToken.length === 0) return undefined
  return {
    ...(forUserinfo.length > 0 && { userinfo: forUserinfo }),
    ...(forIdToken.length > 0 && { id_token: forIdToken })
  }
}

/** `value`, or `values`: strings only. */
function valuesOf(individual: Individual): readonly string[] {
  const { value, values } = individual ?? {}
  const list: readonly unknown[] = value !== undefined ? [value] : Array.isArray(values) ? values : []
  return list.filter(item => typeof item === 'string')
}

function onePerson(subs: readonly string[]): string | undefined {
  if (new Set(subs).size > 1) throw new InvalidRequestError('claims asks for two different people')
  return subs[0]
}
