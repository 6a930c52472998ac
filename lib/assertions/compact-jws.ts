/**
 * Reads a compact JWS (RFC 7515 §7.1): bounded, strict, never throwing. What is not said to be signed is a claim of
 * whoever sent it.
 */

import { isUtf8 } from 'node:buffer'
import type { CryptoKey } from 'jose'
import { isSignedBy } from '../crypto/jws-signature.ts'
import { printable } from '../printable.ts'
import { parseJsonObject, type JsonObject } from '../json.ts'

/** The longest compact JWS that is looked at, in characters. */
export const longestJws = 16_384

export type UnverifiedJws =
  | { readonly outcome: 'read'; readonly header: JsonObject; readonly payload: JsonObject }
  | { readonly outcome: 'malformed'; readonly reason: string }

/** One that could be read. */
export type ReadJws = Extract<UnverifiedJws, { readonly outcome: 'read' }>

const compactJws = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/

/** Splits and decodes a compact JWS whose header and payload are JSON objects. Never throws; verifies nothing. */
export function decodeUnverified(jws: string): UnverifiedJws {
  if (jws.length > longestJws) return malformed(`longer than ${longestJws} characters`)
  const parts = compactJws.exec(jws)
  if (parts === null) {
    const isEncrypted = jws.split('.').length === 5
    return malformed(
      isEncrypted ? 'encrypted (five parts); only signed JWTs are accepted' : 'not three base64url parts joined by dots'
    )
  }
  const header = decodePart(parts[1])
  if (header === undefined) return malformed('its header is not a JSON object')
  const payload = decodePart(parts[2])
  if (payload === undefined) return malformed('its payload is not a JSON object')
  return { outcome: 'read', header, payload }
}

/**
 * The claims of a JWT that this key signed with this algorithm; undefined for any other text, whatever is wrong with
 * it.
 */
export async function claimsSignedBy(jwt: string, key: CryptoKey, alg: string): Promise<JsonObject | undefined> {
  const jws = decodeUnverified(jwt)
  if (jws.outcome === 'malformed' || jws.header['alg'] !== alg) return undefined
  return (await isSignedBy(jwt, key, alg)) ? jws.payload : undefined
}

/** Whether a value is a NumericDate (RFC 7519 §2) of this side of eternity: seconds since the epoch. */
export function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
}

/** In characters: the longest name that is taken from a JWT, be it a subject, a party or the JWT's own (`jti`). */
export const longestName = 512

/** Whether a claim is a name: a text, not empty, and no longer than {@link longestName}. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longestName
}

/** A `typ` as it is compared: in lower case, and without `application/` (RFC 7515 §4.1.9). */
export function typeOf(typ: unknown): unknown {
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ
}

/** A claim for the operator: identifiers and times are shown, anything else by its type. */
export function describeClaim(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string' || typeof value === 'number') return printable(String(value))
  return Array.isArray(value) && value.every(item => typeof item === 'string')
    ? printable(JSON.stringify(value.slice(0, 10)))
    : 'a value of another type'
}

function decodePart(part = ''): JsonObject | undefined {
  // no number of bytes encodes to 4n + 1 characters
  if (part.length % 4 === 1) return undefined
  const bytes = Buffer.from(part, 'base64url')
  return isUtf8(bytes) ? parseJsonObject(bytes.toString('utf8')) : undefined
}

function malformed(reason: string): UnverifiedJws {
  return { outcome: 'malformed', reason }
}
