/** Whether a presented secret is one of a client's, at the same cost for every client there is or is not. */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { clientSecrets, type Client, type ClientSecret } from '../../clients/client.ts'
import { longestSecret } from '../../clients/configured-credentials.ts'
import { nobody } from '../../clients/nobody.ts'
import { humanSecretsSeen, isLive, type Dated } from '../../clients/credentials.ts'
import type { DecisionBuilder } from '../../decisions/builder.ts'
import { matchHash, type HashJudging } from './hashed-secrets.ts'
import { unknownBeginning, type SecretHashes } from './secret-hashes.ts'
import { sha256 } from '../../crypto/sha256.ts'

/** The checks {@link verifyClientSecret} goes through, in order. */
export const secretChecks = ['secret', 'secret_expiry'] as const

/** Treatment of a client that does not form-encode what stands in the Authorization header. */
export type BasicEncoding = 'report' | 'enforce'

/** Secret that a request carried, before anything is known of it. */
export interface SecretSent {
  /** Decoded. */
  readonly presented: string
  /** As it came, where that is another: the client may not have encoded it. */
  readonly asSent?: string | undefined
  /** Whether it is known already that the client encodes nothing. */
  readonly unencoded?: boolean | undefined
  /** Treatment of one that is right as it came. Default `report`. */
  readonly basicEncoding?: BasicEncoding | undefined
  /** Origin of the guess, where guesses are bounded. */
  readonly guess?: GuessInFlight | undefined
}

/** When a secret is judged, and what is told of it. */
interface SecretJudging extends HashJudging {
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  readonly decision: DecisionBuilder
}

/** Origin of a guess: the network that costly work is to be done for. */
interface GuessInFlight {
  readonly network: string
  /** Its network has used up its wrong guesses. */
  readonly spent: boolean
}

interface SecretDigest extends Dated {
  readonly id: string
  readonly digest: Uint8Array
  /** Makes a presented secret comparable with it. */
  readonly of: (secret: string) => Uint8Array
}

/** Which of a client's secrets was presented. */
type Match = Dated & Pick<ClientSecret, 'id'>

/**
 * Drawn anew by every process: digests found in its memory say nothing about a secret that could be tried elsewhere.
 */
const digestKey = randomBytes(32).toString('hex')
/** Digest that clients without a secret are compared with. */
const nobodysSecret: readonly SecretDigest[] = [{ id: '', digest: digestOf(randomBytes(32).toString('hex')), of: digestOf }]

const digestsOf = new WeakMap<Client, readonly SecretDigest[]>()

/**
 * Compares a presented secret with every secret of a client (RFC 6749 §2.3.1), in time that depends neither on where
 * they differ nor on whether the client exists, and passes the checks `secret` and `secret_expiry` on the decision.
 * Secrets of more than 1024 characters never match. One that is right only as it came, not decoded, is reported or
 * refused as `encoding`.
 *
 * As soon as a client of this process has a secret that is kept as a hash, every refusal takes one computation of each
 * kind there is, whoever the client is and whether it exists; then this returns a promise. For a network that has used
 * up its wrong guesses nothing of the kind is computed.
 *
 * @param client undefined where no client has the client_id that was sent.
 * @returns which secret it was, as `secret:<id>`.
 * @throws {@link InvalidClientError} in the same words for every cause; the decision says which it was. Where it
 * returns a promise, that rejects instead.
 */
export function verifyClientSecret(
  client: Client | undefined,
  sent: SecretSent,
  judging: SecretJudging
): { credential: string } | Promise<{ credential: string }> {
  const now = judging.clock() / 1000
  const compared = compare(client, sent, judging, now)
  if (!(compared instanceof Promise)) return judge(client, sent, { compared, judging, now })
  return compared.then(found => judge(client, sent, { compared: found, judging, now }))
}

/** Which secret was found, and whether it was found as it came. */
interface Compared {
  readonly match: Match | undefined
  readonly asSent: boolean
}

function compare(
  client: Client | undefined,
  sent: SecretSent,
  judging: SecretJudging,
  now: number
): Compared | Promise<Compared> {
  const { presented, asSent } = sent
  const decoded = matchSecret(client, presented, now)
  // compared whatever came of the other: time must not show which of them it was
  const raw = asSent === undefined ? undefined : matchSecret(client, asSent, now)
  if (decoded !== undefined && isLive(decoded, now)) return { match: decoded, asSent: false }
  if (raw !== undefined && isLive(raw, now)) return { match: raw, asSent: true }
  const over = decoded === undefined && raw !== undefined ? { match: raw, asSent: true } : { match: decoded, asSent: false }
  return humanSecretsSeen() ? compareHashes(client, sent, judging, over) : over
}

/** Compares with hashes, each way it can be read; `otherwise` where it is none of those. */
async function compareHashes(
  client: Client | undefined,
  sent: SecretSent,
  judging: SecretJudging,
  otherwise: Compared
): Promise<Compared> {
  const { presented, asSent, guess } = sent
  const decoded = await matchHash(client, presented, guess, judging)
  if (decoded !== undefined) return { match: decoded, asSent: false }
  const raw = asSent === undefined ? undefined : await matchHash(client, asSent, guess, judging)
  return raw === undefined ? otherwise : { match: raw, asSent: true }
}

function judge(
  client: Client | undefined,
  { asSent: sent, unencoded = false, basicEncoding, guess }: SecretSent,
  {
    compared: { match, asSent },
    judging: { decision, hashes = {} },
    now
  }: { compared: Compared; judging: SecretJudging; now: number }
): { credential: string } {
  if (match === undefined) {
    const known = guess?.spent === true ? fixForSpentNetwork : fixFor(client ?? nobody, hashes)
    throw decision.refuse('secret', {
      section: 'RFC 6749 §2.3.1',
      fix: client === undefined ? fixForUnknownClient : known
    })
  }
  if (asSent || unencoded) {
    if (basicEncoding === 'enforce') throw decision.refuse('encoding', notEncoded)
    decision.report('encoding', notEncoded)
  } else if (sent !== undefined) decision.pass('encoding')
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

const notEncoded = {
  section: 'RFC 6749 §2.3.1',
  expected: 'client_id and secret, each form-encoded',
  received: 'as they are',
  fix: 'The secret is right, but was not form-encoded: let the client encode its client_id and secret in the Authorization header, or give it a secret that needs no encoding.'
} as const
const fixForSpentNetwork =
  'The secret was not compared with those that are kept as hashes: too many wrong secrets came from this network. Wait, or raise guessProtection.attempts.'
const fixForWrongSecret =
  'The secret does not match any live secret of this client: compare what it is configured with to what is registered, also for form encoding and stray white space.'
/** The fix for a client whose secret no function compares says that. */
function fixFor(client: Client, hashes: SecretHashes): string {
  const beginning = unknownBeginning(clientSecrets(client), hashes)
  if (beginning === undefined) return fixForWrongSecret
  return `The client has a secret that is kept as a hash beginning with ${beginning}, and nothing compares that: give secretHashes a function for it.`
}

const fixForUnknownClient =
  'No client has this client_id, so no secret can match: register the client, or correct the client_id it sends.'

function matchSecret(client: Client | undefined, presented: string, now: number): Match | undefined {
  const compared = presented.slice(0, longestSecret)
  const fits = presented.length <= longestSecret
  let of: SecretDigest['of'] | undefined
  let digest: Uint8Array = new Uint8Array()
  let match: Match | undefined
  // no early end: how many were compared must not show which one it was
  for (const secret of secretDigests(client ?? nobody)) {
    // one hash for each way of hashing: all secrets of a client nearly always share one
    if (of !== secret.of) digest = secret.of(compared)
    of = secret.of
    const equal = timingSafeEqual(digest, secret.digest)
    if (!equal || !fits) continue
    if (match === undefined || !isLive(match, now)) match = secret
  }
  return match
}

function secretDigests(client: Client): readonly SecretDigest[] {
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
