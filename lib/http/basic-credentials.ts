/** Reads a client's id and secret from the Authorization header (RFC 6749 §2.3.1), strictly, verifying nothing. */
import { decodeBase64 } from './base64.ts'
import { decodeComponent, decodeUtf8, hasForbiddenCharacter } from './form.ts'

export type BasicCredentials =
  /** No header, or one of another scheme. */
  | { readonly outcome: 'absent' }
  /** The Basic scheme, unreadably so. `reason` is for the operator and repeats nothing of the header. */
  | { readonly outcome: 'malformed'; readonly reason: string }
  /** Read, not verified. Either half may be empty. */
  | { readonly outcome: 'present'; readonly client_id: string; readonly client_secret: string }

/** The longest header that is decoded, in characters. */
const longestHeader = 8192
const absent: BasicCredentials = Object.freeze({ outcome: 'absent' })

/**
 * Reads `Basic base64(form(client_id) ":" form(client_secret))`. The first colon separates; both halves are form-decoded
 * (RFC 6749 Appendix B), so a `+` is a space and a `%` starts an escape. Never throws.
 */
export function readBasicCredentials(authorization: string | undefined): BasicCredentials {
  // "Basic" followed by any white space is meant for us, so that a tab cannot make credentials invisible
  if (authorization === undefined || !/^basic(?:\s|$)/i.test(authorization)) return absent
  if (authorization.length > longestHeader)
    return malformed(`the Authorization header is longer than ${longestHeader} characters`)
  if (authorization[5] !== ' ') return malformed('the Basic scheme must be followed by one space and base64')
  const bytes = decodeBase64(authorization.slice(6))
  if (bytes === undefined) return malformed('what follows the Basic scheme is not base64 (RFC 4648 §4)')
  const text = decodeUtf8(bytes)
  if (text === undefined) return malformed('the decoded credentials are not UTF-8')
  const colon = text.indexOf(':')
  if (colon === -1) return malformed('the decoded credentials have no colon between client_id and secret')
  const client_id = decodeComponent(text.slice(0, colon))
  const client_secret = decodeComponent(text.slice(colon + 1))
  if (client_id === undefined || client_secret === undefined) {
    return malformed('invalid percent-encoding: the client must form-encode its id and secret (RFC 6749 §2.3.1)')
  }
  if (hasForbiddenCharacter(client_id) || hasForbiddenCharacter(client_secret)) {
    return malformed('the client_id or the secret contains a control character (RFC 7617 §2)')
  }
  return { outcome: 'present', client_id, client_secret }
}

function malformed(reason: string): BasicCredentials {
  return { outcome: 'malformed', reason }
}
