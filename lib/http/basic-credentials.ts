/** Reads a client's id and secret from the Authorization header (RFC 6749 §2.3.1), strictly, verifying nothing. */
import { decodeBase64 } from '../crypto/base64.ts'
import { decodeComponent, decodeUtf8, hasForbiddenCharacter } from './form.ts'

/** A client's id and secret. Either may be empty. */
interface IdAndSecret {
  readonly client_id: string
  readonly client_secret: string
}

export type BasicCredentials =
  /** No header, or one of another scheme. */
  | { readonly outcome: 'absent' }
  /**
   * The Basic scheme, unreadably so. `reason` is for the operator and repeats nothing of the header. `asSent` is there
   * where the fault is in how the two were encoded, and a client that does not encode them may have meant just this.
   */
  | { readonly outcome: 'malformed'; readonly reason: string; readonly asSent?: IdAndSecret | undefined }
  /**
   * Read, not verified. `asSent` is there where it is another reading: what a client that does not encode would have
   * meant.
   */
  | ({ readonly outcome: 'present'; readonly asSent?: IdAndSecret | undefined } & IdAndSecret)

/** The longest header that is decoded, in characters. */
const longestHeader = 8192
const absent: BasicCredentials = Object.freeze({ outcome: 'absent' })

/**
 * Reads `Basic base64(form(client_id) ":" form(client_secret))`. The first colon separates; both halves are
 * form-decoded (RFC 6749 Appendix B), so a `+` is a space and a `%` starts an escape. What they would be for a client
 * that encodes nothing, as many do, is told beside it where that is something else. Never throws.
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
  const sent = { client_id: text.slice(0, colon), client_secret: text.slice(colon + 1) }
  const client_id = decodeComponent(sent.client_id)
  const client_secret = decodeComponent(sent.client_secret)
  const isPlain = client_id === sent.client_id && client_secret === sent.client_secret
  const asSent = isPlain || isForbidden(sent) ? undefined : sent
  if (client_id === undefined || client_secret === undefined)
    return malformed('invalid percent-encoding: the client must form-encode its id and secret (RFC 6749 §2.3.1)', asSent)
  if (isForbidden({ client_id, client_secret }))
    return malformed('the client_id or the secret contains a control character (RFC 7617 §2)', asSent)
  return { outcome: 'present', client_id, client_secret, asSent }
}

function isForbidden({ client_id, client_secret }: IdAndSecret): boolean {
  return hasForbiddenCharacter(client_id) || hasForbiddenCharacter(client_secret)
}

function malformed(reason: string, asSent?: IdAndSecret): Extract<BasicCredentials, { readonly outcome: 'malformed' }> {
  return { outcome: 'malformed', reason, asSent }
}
