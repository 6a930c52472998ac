/** Whether a presented secret is one of a client's, at the same cost for every client there is or is not. */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { clientSecrets, type Client, type ClientSecret } from '../client.ts'
import { humanSecretsSeen, isLive, type Dated } from '../client-credential-set.ts'
import type { DecisionBuilder } from '../decision.ts'
import { findHash, isCurrentHash } from './human-secret.ts'
import { sha256 } from './sha256.ts'

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

interface SecretDigest extends Dated {
  readonly id: string
  readonly digest: Uint8Array
  /** What makes a presented secret comparable with it. */
  readonly of: (secret: string) => Uint8Array
}

/** Which of a client's secrets was presented. */
type Match = Dated & Pick<ClientSecret, 'id'>

/** In characters. A longer one is never equal to anything, and only this much of it is hashed. */
const longestSecret = 1024
/** Drawn anew by every process: digests found in its memory say nothing about a secret that could be tried elsewhere. */
const digestKey = randomBytes(32).toString('hex')
/** What clients without a secret, and clients that do not exist, are compared with. */
const nobodysSecret: readonly SecretDigest[] = [{ id: '', digest: digestOf(randomBytes(32).toString('hex')), of: digestOf }]

const digestsOf = new WeakMap<Client, readonly SecretDigest[]>()
const keysOf = new WeakMap<Client, readonly (SymmetricKey & Dated)[]>()

/**
 * Compares a presented secret with every secret of a client (RFC 6749 §2.3.1), in time that depends neither on where they
 * differ nor on whether the client exists, and passes the checks `secret` and `secret_expiry` on the decision. Secrets of
 * more than 1024 characters never match.
 *
 * As soon as a client of this process has a secret that is kept as `hashSecret()` made it, every refusal takes one such computation, whoever the
 * client is and whether it exists; then this returns a promise.
 *
 * @returns which secret it was, as `secret:<id>`.
 * @throws {@link InvalidClientError} in the same words for every cause; the decision says which it was. Where it returns a promise, that rejects instead.
 */
export function verifyClientSecret(input: PresentedSecret): { credential: string } | Promise<{ credential: string }> {
  const { client, presented, clock } = input
  const now = clock() / 1000
  const match = matchSecret(client, presented, now)
  if ((match !== undefined && isLive(match, now)) || !humanSecretsSeen()) return judge(input, match, now)
  return matchHash(client, presented).then(found => judge(input, found ?? match, now))
}

function judge({ client, decision }: PresentedSecret, match: Match | undefined, now: number): { credential: string } {
  if (match === undefined) {
    throw decision.refuse('secret', {
      section: 'RFC 6749 §2.3.1',
      fix: client === undefined ? fixForUnknownClient : fixForWrongSecret
    })
  }
  decision.pass('secret')
  if (!isLive(match, now)) {
    const isOver = match.expires_at !== undefined && match.expires_at <= now
    throw decision.refuse('secret_expiry', {
      section: 'RFC 7591 §3.2.1',
      received: `secret:${match.id}`,
      fix: isOver
        ? 'The secret is right, but its client_secret_expires_at has passed: issue this client a new secret and configure it there.'
        : 'The secret is right, but its not_before has not come yet: let the client use its earlier one until then.'
    })
  }
  decision.pass('secret_expiry')
  return { credential: `secret:${match.id}` }
}

/** Compares with the secrets of the client that are kept as scrypt made them, or with nobody's. */
async function matchHash(client: Client | undefined, presented: string): Promise<Match | undefined> {
  const kept = client === undefined ? [] : clientSecrets(client).filter(({ hash }) => hash !== undefined)
  const hashes = kept.flatMap(({ hash }) => hash ?? [])
  const index = await findHash(hashes, presented.slice(0, longestSecret))
  const found = index === undefined || presented.length > longestSecret ? undefined : kept[index]
  if (found?.hash !== undefined && !isCurrentHash(found.hash)) found.upgrade?.(presented)
  return found
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
    keys = clientSecrets(client).flatMap(({ id, value, not_before, expires_at }) =>
      value === undefined ? [] : [{ id, key: new TextEncoder().encode(value), not_before, expires_at }]
    )
    keysOf.set(client, keys)
  }
  const now = clock() / 1000
  return keys.filter(key => isLive(key, now))
}

function matchSecret(client: Client | undefined, presented: string, now: number): Match | undefined {
  const compared = presented.slice(0, longestSecret)
  const fits = presented.length <= longestSecret
  let of: SecretDigest['of'] | undefined
  let digest: Uint8Array = new Uint8Array()
  let match: Match | undefined
  // no early end: how many were compared must not show which one it was
  for (const secret of secretDigests(client)) {
    // one hash for each way of hashing: all secrets of a client nearly always share one
    if (of !== secret.of) digest = secret.of(compared)
    of = secret.of
    const equal = timingSafeEqual(digest, secret.digest)
    if (!equal || !fits) continue
    if (match === undefined || !isLive(match, now)) match = secret
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

function digestsOfSecret({ id, value, digest, not_before, expires_at }: ClientSecret): readonly SecretDigest[] {
  const dates = { id, not_before, expires_at }
  if (digest !== undefined) return [{ ...dates, digest: digest.value, of: digest.of }]
  return value === undefined ? nobodysSecret : [{ ...dates, digest: digestOf(value), of: digestOf }]
}

function digestOf(secret: string): Uint8Array {
  return sha256(digestKey + secret)
}
