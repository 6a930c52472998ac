/** Device codes (RFC 8628): a long code the device polls with, and a short one its person types somewhere else. */
import { ServerError } from '../errors.ts'
import { add, read } from '../stores/records.ts'
import type { Key } from '../stores/store.ts'
import {
  findUndecided,
  keepRequest,
  newPollingCode,
  type FoundRequest,
  type PolledReference,
  type PolledRequest
} from './polled-request.ts'
import type { RandomBytes } from '../crypto/random.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/** Consonants that are told apart on any screen; without vowels no code is a word (RFC 8628 §6.1). */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'
const length = 8
const half = length / 2
/** A byte beyond the last whole round of letters would make the first ones likelier. */
const fairBytes = 256 - (256 % letters.length)
const userCode = new RegExp(`^[${letters}]{${length}}$`)
const separators = /[\p{Z}\p{P}\p{C}]/gu
const longestEntry = 64
/** Two codes are the same once in 25,600,000,000 draws; what does not succeed at this many is no coincidence. */
const draws = 10

/**
 * Keeps a device's request, and returns its two codes. The store gets a digest of one and a MAC of the other, which is
 * short enough to be tried out.
 */
export async function keepDeviceRequest(
  server: TokenServer,
  request: PolledRequest
): Promise<{ device_code: string; user_code: string }> {
  const { code, reference } = newPollingCode(server, 'device_code', request.client_id)
  await keepRequest(server, reference, request)
  const ttl = Math.max(1, request.expires_at - server.clock()) / 1000
  for (let draw = 0; draw < draws; draw++) {
    const user_code = drawUserCode(server.random)
    if (await add(server.store, userCodeKey(server, user_code), reference, ttl)) return { device_code: code, user_code }
  }
  throw new ServerError({ reason: `${draws} user codes in a row were in use: the random source or the store's add() is broken` })
}

/** The undecided request of a user code, however it was typed; undefined when it is none, or is decided or expired. */
export async function findDeviceRequest(server: TokenServer, entered: string): Promise<FoundRequest | undefined> {
  const code = normaliseUserCode(entered)
  const found = code === undefined ? undefined : await read<PolledReference>(server.store, userCodeKey(server, code))
  return found && findUndecided(server, found)
}

/**
 * A user code as it is shown, from what a person typed: in any case, with any spaces and dashes. Undefined for what
 * cannot be one.
 */
export function normaliseUserCode(entered: string): string | undefined {
  if (entered.length > longestEntry) return undefined
  // full-width letters are letters too
  const typed = entered.normalize('NFKC').replace(separators, '').toUpperCase()
  return userCode.test(typed) ? `${typed.slice(0, half)}-${typed.slice(half)}` : undefined
}

/** 34.5 bits: enough for a code that lives minutes and is guessed at a few times (RFC 8628 §5.1). */
function drawUserCode(random: RandomBytes): string {
  let code = ''
  while (code.length < length) {
    for (const byte of random(length * 2)) {
      if (byte < fairBytes && code.length < length) code += letters[byte % letters.length] ?? ''
    }
  }
  return `${code.slice(0, half)}-${code.slice(half)}`
}

function userCodeKey(server: TokenServer, user_code: string): Key {
  return { kind: 'user_code', id: server.keys.mac('user_code', Buffer.from(user_code)).toString('base64url') }
}
