/** The kinds of values client metadata has, each judged by itself. */
import { readFederatedCredential } from '../federated-credential.ts'
import { spiffeIdPatternProblem } from '../spiffe-id.ts'
import { isDisplayText } from './display-text.ts'
import type { Fail } from './faults.ts'
import { keyProblem, keysInSet } from './jwk.ts'
import { isWebAddress, redirectUriProblem } from './uri.ts'

export type { Fail } from './faults.ts'

/** Context in which metadata is read. */
interface Reading {
  readonly fail: Fail
  /** Whether addresses to send requests to may be http on a loopback host. */
  readonly loopback: boolean
}

/** Judges the value of a member, and returns it as it is kept. */
type KindJudge = (value: unknown, member: string, reading: Reading) => unknown

/** In characters. */
const longestText = 2000
const longestName = 128
/** An email address (RFC 5321 §4.5.3.1). */
const longestContact = 254
const mostItems = 100
const mostRedirectUris = 1000
// no store and no page has a use for them, and some stores cannot keep them
const forbidden = /[\p{Cc}\p{Surrogate}\u2028\u2029]/u
/** Number that milliseconds since the epoch passed in 1973, and that seconds will reach in the year 5138. */
const likelyMilliseconds = 100_000_000_000

const opaque: KindJudge = (value, member, { fail }) =>
  typeof value === 'string' && value !== '' ? value : fail(member, 'must be a non-empty string')

const text: KindJudge = (value, member, { fail }) => {
  if (typeof value !== 'string' || value === '') return fail(member, 'must be a non-empty string')
  if (value.length > longestText) return fail(member, `must be at most ${longestText} characters long`)
  return forbidden.test(value) ? fail(member, 'must not contain control characters') : value
}

const displayed =
  (longest: number): KindJudge =>
  (value, member, { fail }) => {
    if (typeof value !== 'string' || value === '') return fail(member, 'must be a non-empty string')
    return isDisplayText(value, longest) ? value : fail(member, `must be at most ${longest} characters that can be seen`)
  }

const flag: KindJudge = (value, member, { fail }) => (typeof value === 'boolean' ? value : fail(member, 'must be true or false'))

/** A list without repetitions, each item of one kind. */
export function listOf(item: KindJudge, most = mostItems): KindJudge {
  return (value, member, reading) => {
    if (!Array.isArray(value)) return reading.fail(member, 'must be a list of strings')
    if (value.length > most) return reading.fail(member, `must have at most ${most} items`)
    return [...new Set(value.map((one: unknown, index) => item(one, `${member}[${index}]`, reading)))]
  }
}

const redirectUri: KindJudge = (value, member, { fail }) => {
  const problem = redirectUriProblem(value)
  return problem === undefined ? value : fail(member, problem)
}

/** The address of a page or picture for people. */
const page: KindJudge = (value, member, { fail }) =>
  typeof value === 'string' && isWebAddress(value, true) ? value : fail(member, 'must be an https URL without user info')

/** An address this server will send requests to. */
const endpoint: KindJudge = (value, member, { fail, loopback }) =>
  typeof value === 'string' && isWebAddress(value, loopback) && !value.includes('#')
    ? value
    : fail(member, 'must be an https URL without user info or fragment')

/** Like {@link endpoint}, wherever this server is. */
const https: KindJudge = (value, member, { fail }) => endpoint(value, member, { fail, loopback: false })

const seconds: KindJudge = (value, member, { fail }) => {
  const problem = secondsProblem(value)
  return problem === undefined ? value : fail(member, `${problem}, or 0 for never`)
}

/** Finds the fault in a time, as the end of a sentence; undefined: none. */
export function secondsProblem(value: unknown): string | undefined {
  if (!Number.isSafeInteger(value) || Number(value) < 0) return 'must be seconds since the epoch'
  return Number(value) >= likelyMilliseconds ? 'must be seconds since the epoch, not milliseconds' : undefined
}

/** Ten digits, as a request may have. */
const longestAge = 9_999_999_999

const age: KindJudge = (value, member, { fail }) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= longestAge
    ? value
    : fail(member, 'must be a whole number of seconds, 0 or more')

const jwks: KindJudge = (value, member, { fail }) => {
  const keys = keysInSet(value)
  if (keys === undefined) return fail(member, 'must be an object with a list "keys"')
  keys.forEach((key, index) => {
    // what is no key at all is passed over, as it is in sets that are fetched
    const problem = typeof key === 'object' && key !== null ? keyProblem(key) : undefined
    if (problem !== undefined) fail(`${member}.keys[${index}]`, problem)
  })
  return value
}

const mostFederated = 100

const federatedCredentials: KindJudge = (value, member, { fail }) =>
  Array.isArray(value) && value.length <= mostFederated
    ? value.map((one: unknown, index) => readFederatedCredential(one, `${member}[${index}]`, fail))
    : fail(member, `must be a list of at most ${mostFederated} federated credentials`)

const spiffeId: KindJudge = (value, member, { fail }) => {
  const problem = spiffeIdPatternProblem(value)
  return problem === undefined ? value : fail(member, problem)
}

/** Judged by whoever knows what credentials are. */
const elsewhere: KindJudge = value => value

const judges = {
  opaque,
  text,
  name: displayed(longestName),
  names: listOf(displayed(longestContact)),
  flag,
  list: listOf(text),
  redirect_uris: listOf(redirectUri, mostRedirectUris),
  scope: opaque,
  page,
  endpoint,
  https,
  seconds,
  age,
  jwks,
  subject: text,
  federated_credentials: federatedCredentials,
  spiffe_id: spiffeId,
  credentials: elsewhere
} as const satisfies Readonly<Record<string, KindJudge>>

export type MetadataKind = keyof typeof judges

/** The judge of a kind, as configuration has it. */
export function judgeOfKind(kind: MetadataKind): KindJudge {
  return judges[kind]
}
