/** Challenges that proofs of possession of attested clients answer (attestation draft §6): made without being kept. */
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../client-request.ts'
import { pooledRandomBytes } from '../../crypto/random.ts'

/** `stale`: this server's, and too old. `wrong`: not this server's at all. */
type ChallengeState = 'fresh' | 'stale' | 'wrong'

export interface AttestationChallenges {
  /** A new challenge. No two are alike. */
  next(): string
  /** Whether this server made it, and how long ago. Says nothing of how often it was answered. */
  judge(challenge: string): ChallengeState
}

/** Seconds a challenge may be answered. */
export const challengeLifetime = 300
/** Seconds the clock of another node of this server may be ahead. */
const tolerance = 60

const timeBytes = 6
const randomBytes = 8
const macBytes = 16
const bodyBytes = timeBytes + randomBytes
const syntax = /^[A-Za-z0-9_-]{40}$/

/**
 * Makes challenges that are a time, some random bytes and a MAC over both: any node with the same key knows them, and
 * none has to keep them.
 *
 * @param issuer whose they are: no other server's, with the same key either.
 */
export function attestationChallenges(mac: (data: Uint8Array) => Buffer, issuer: string, clock: Clock): AttestationChallenges {
  const macOf = (body: Uint8Array): Buffer => mac(Buffer.concat([body, Buffer.from(issuer)])).subarray(0, macBytes)
  return {
    next() {
      const body = Buffer.alloc(bodyBytes)
      body.writeUIntBE(Math.floor(clock() / 1000), 0, timeBytes)
      pooledRandomBytes(randomBytes).copy(body, timeBytes)
      return Buffer.concat([body, macOf(body)]).toString('base64url')
    },
    judge(challenge) {
      if (!syntax.test(challenge)) return 'wrong'
      const bytes = Buffer.from(challenge, 'base64url')
      const body = bytes.subarray(0, bodyBytes)
      if (!timingSafeEqual(bytes.subarray(bodyBytes), macOf(body))) return 'wrong'
      const age = clock() / 1000 - body.readUIntBE(0, timeBytes)
      return age >= -tolerance && age < challengeLifetime ? 'fresh' : 'stale'
    }
  }
}
