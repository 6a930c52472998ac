/** Whether a presented secret is one of a client's, at the same cost for every client there is or is not. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { clientSecrets, type Client, type ClientSecret } from '../client.ts'
import type { DecisionBuilder } from '../decision.ts'

/** The checks {@link verifyClientSecret} goes through, in order. */
export const secretChecks = ['secret', 'secret_expiry'] as const

export interface PresentedSecret {
  /** Undefined where no client has the client_id that was sent. */
  readonly client: Client | undefined
  /** What the request carried, decoded. */
  readonly presented: string
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  readonly decision: DecisionBuilder
}

/** One secret as octets, for HMAC. */
export interface SymmetricKey {
  /** The id of the secret. */
  readonly id: string
  readonly key: Uint8Array
}

interface SecretDigest {
  readonly id: string
  readonly digest: Uint8Array
  /** What makes a presented secret comparable with it. */
  readonly of: (secret: string) => Uint8Array
  /** Seconds since the epoch; undefined: never. */
  readonly expires_at: number | undefined
}

/** In characters. A longer one is never equal to anything, and only this much of it is hashed. */
const longestSecret = 1024
/** Drawn anew by every process: digests found in its memory say nothing about a secret that could be tried elsewhere. */
const digestKey = randomBytes(32).toString('hex')
/** What clients without a secret, and clients that do not exist, are compared with. */
const nobodysSecret: readonly SecretDigest[] = [
  { id: '', digest: digestOf(randomBytes(32).toString('hex')), of: digestOf, expires_at: undefined }
]

const digestsOf = new WeakMap<Client, readonly SecretDigest[]>()
const keysOf = new WeakMap<Client, readonly (SymmetricKey & Pick<ClientSecret, 'expires_at'>)[]>()

/**
 * Compares a presented secret with every secret of a client (RFC 6749 §2.3.1), in time that depends neither on where they
 * differ nor on whether the client exists, and passes the checks `secret` and `secret_expiry` on the decision. Secrets of
 * more than 1024 characters never match.
 *
 * @returns which secret it was, as `secret:<id>`.
 * @throws {@link InvalidClientError} in the same words for every cause; the decision says which it was.
 */
export function verifyClientSecret({ client, presented, clock, decision }: PresentedSecret): { credential: string } {
  const match = matchSecret(client, presented, clock() / 1000)
  if (match === undefined) {
    throw decision.refuse('secret', {
      section: 'RFC 6749 §2.3.1',
      fix: client === undefined ? fixForUnknownClient : fixForWrongSecret
    })
  }
  decision.pass('secret')
  if (match.expired) {
    throw decision.refuse('secret_expiry', {
      section: 'RFC 7591 §3.2.1',
      received: `secret:${match.id}`,
      fix: 'The secret is right, but its client_secret_expires_at has passed: issue this client a new secret and configure it there.'
    })
  }
  decision.pass('secret_expiry')
  return { credential: `secret:${match.id}` }
}

const fixForWrongSecret =
  'The secret does not match any live secret of this client: compare what it is configured with to what is registered, also for form encoding and stray white space.'
const fixForUnknownClient =
  'No client has this client_id, so no secret can match: register the client, or correct the client_id it sends.'

/**
 * The client's secrets that have not expired, as UTF-8 octets: the keys of `client_secret_jwt` (OpenID Connect Core §9).
 * The octets of one secret are the same object every time.
 *
 * @param clock milliseconds since the epoch.
 */
export function symmetricKey(client: Client, clock: () => number): readonly SymmetricKey[] {
  let keys = keysOf.get(client)
  if (keys === undefined) {
    keys = clientSecrets(client).flatMap(({ id, value, expires_at }) =>
      value === undefined ? [] : [{ id, key: new TextEncoder().encode(value), expires_at }]
    )
    keysOf.set(client, keys)
  }
  const now = clock() / 1000
  return keys.filter(({ expires_at }) => isLive(expires_at, now))
}

function matchSecret(client: Client | undefined, presented: string, now: number): { id: string; expired: boolean } | undefined {
  const compared = presented.slice(0, longestSecret)
  const fits = presented.length <= longestSecret
  let of: SecretDigest['of'] | undefined
  let digest: Uint8Array = new Uint8Array()
  let match: { id: string; expired: boolean } | undefined
  // no early end: how many were compared must not show which one it was
  for (const secret of secretDigests(client)) {
    // one hash for each way of hashing: all secrets of a client nearly always share one
    if (of !== secret.of) digest = secret.of(compared)
    of = secret.of
    const equal = timingSafeEqual(digest, secret.digest)
    if (!equal || !fits) continue
    const expired = !isLive(secret.expires_at, now)
    if (match === undefined || match.expired) match = { id: secret.id, expired }
  }
  return match
}

function secretDigests(client: Client | undefined): readonly SecretDigest[] {
  if (client === undefined) return nobodysSecret
  let digests = digestsOf.get(client)
  if (digests === undefined) {
    const secrets = clientSecrets(client)
    digests = secrets.length === 0 ? nobodysSecret : secrets.flatMap(digestsOfSecret)
    digestsOf.set(client, digests)
  }
  return digests
}

function digestsOfSecret({ id, value, digest, expires_at }: ClientSecret): readonly SecretDigest[] {
  if (digest !== undefined) return [{ id, digest: digest.value, of: digest.of, expires_at }]
  return value === undefined ? nobodysSecret : [{ id, digest: digestOf(value), of: digestOf, expires_at }]
}

function digestOf(secret: string): Uint8Array {
  return hash('sha256', digestKey + secret, 'buffer')
}

function isLive(expires_at: number | undefined, now: number): boolean {
  return expires_at === undefined || now < expires_at
}
