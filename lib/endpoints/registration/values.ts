/** The kinds of values client metadata has: each judged by itself, and named in the error where it is wrong. */
import { InvalidClientMetadataError } from '../../errors.ts'
import { isLoopbackHost } from '../../options.ts'
import type { Json } from '../../stores/store.ts'
import type { RegistrationRules } from './rules.ts'

/** Judges what was sent as a member, and returns what is registered. @throws InvalidClientMetadataError or InvalidRedirectUriError naming the member. */
export type Judge = (value: unknown, member: string, rules: RegistrationRules) => Json

/** In characters. */
const longestText = 2000
const mostItems = 100
// no store and no page has a use for them, and some stores cannot keep them
const forbidden = /[\p{Cc}\p{Surrogate}\u2028\u2029]/u

export function refuse(member: string, mustBe: string): never {
  throw new InvalidClientMetadataError(`${member} ${mustBe}`)
}

export function text(value: unknown, member: string): string {
  if (typeof value !== 'string' || value === '') refuse(member, 'must be a non-empty string')
  if (value.length > longestText) refuse(member, `must be at most ${longestText} characters long`)
  if (forbidden.test(value)) refuse(member, 'must not contain control characters')
  return value
}

export const flag: Judge = (value, member) => (typeof value === 'boolean' ? value : refuse(member, 'must be true or false'))

/** A list without repetitions, each item of one kind. */
export function list(item: Judge, most: (rules: RegistrationRules) => number = () => mostItems): Judge {
  return (value, member, rules) => {
    if (!Array.isArray(value)) return refuse(member, 'must be a list of strings')
    if (value.length > most(rules)) return refuse(member, `must have at most ${most(rules)} items`)
    return [...new Set(value.map((one: unknown, index) => item(one, `${member}[${index}]`, rules)))]
  }
}

/** One of what this server can do. */
export function oneOf(allowed: (rules: RegistrationRules) => readonly string[]): Judge {
  return (value, member, rules) => {
    const found = allowed(rules).find(candidate => candidate === value)
    if (found !== undefined) return found
    const choice = allowed(rules)
    return refuse(member, choice.length === 0 ? 'cannot be registered here' : `must be one of ${choice.join(', ')}`)
  }
}

/** The address of a page or picture for people. */
export const page: Judge = (value, member) => {
  const address = text(value, member)
  return isAddress(address, true) ? address : refuse(member, 'must be an https URL without user info')
}

/** An address this server will send requests to. */
export const endpoint: Judge = (value, member, rules) => {
  const address = text(value, member)
  const found = isAddress(address, rules.loopback) && !address.includes('#')
  return found ? address : refuse(member, 'must be an https URL without user info or fragment')
}

function isAddress(address: string, loopback: boolean): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname, username, password } = new URL(address)
  const plain = loopback && protocol === 'http:' && isLoopbackHost(hostname)
  return (protocol === 'https:' || plain) && username === '' && password === ''
}
