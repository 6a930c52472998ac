/**
 * Judges of values in registration: their type, their refusals, and one for values a server lets clients choose from.
 */
import { InvalidClientMetadataError, InvalidRedirectUriError } from '../../errors.ts'
import type { Fail } from '../../clients/metadata/kinds.ts'
import type { Json } from '../../stores/store.ts'
import type { RegistrationRules } from './rules.ts'

/**
 * Judges what was sent as a member, and returns what is registered. @throws InvalidClientMetadataError or
 * InvalidRedirectUriError naming the member.
 */
export type Judge = (value: unknown, member: string, rules: RegistrationRules) => Json

/** RFC 7591 §3.2.2: redirect URIs have an error code of their own. */
export const refuse: Fail = (member, mustBe) => {
  const message = `${member} ${mustBe}`
  throw member.startsWith('redirect_uris') ? new InvalidRedirectUriError(message) : new InvalidClientMetadataError(message)
}

/** One of what this server can do. */
export function oneOf(allowed: (rules: RegistrationRules) => readonly string[]): Judge {
  return (value, member, rules) => {
    const choice = allowed(rules)
    const found = choice.find(candidate => candidate === value)
    if (found !== undefined) return found
    return refuse(member, choice.length === 0 ? 'cannot be registered here' : `must be one of ${choice.join(', ')}`)
  }
}
