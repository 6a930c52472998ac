/** Bounds how often something short can be guessed. */
import type { TokenServer } from '../tokens/token-server.ts'
import { tokenDigest } from '../tokens/grant.ts'

/** Limit on the wrong guesses of one guesser. */
interface AttemptLimit {
  readonly most: number
  /** Seconds for which a wrong guess counts. */
  readonly window: number
}

/** Tolerated of the user codes that a person enters, or a client sends for one. */
export const wrongUserCodes: AttemptLimit = { most: 10, window: 600 }

/** A guess that has been counted. */
interface Attempt {
  /** It was right: it does not count after all. */
  refund(): Promise<void>
}

/**
 * Counts a guess before it is judged, so that guesses made at once are bounded like those made one after the other.
 * Undefined where this guesser has been wrong too often: then nothing may be judged.
 *
 * @param kind what is guessed, such as `user_code`.
 * @param guesser who guesses, such as a person's `sub`. The store gets its digest.
 */
export async function countAttempt(
  server: TokenServer,
  kind: string,
  guesser: string,
  { most, window }: AttemptLimit
): Promise<Attempt | undefined> {
  const digest = tokenDigest(guesser)
  for (let slot = 0; slot < most; slot++) {
    const key = { kind: `${kind}_attempt`, id: `${digest} ${slot}` }
    if (await server.store.add(key, null, window)) return { refund: () => server.store.delete(key) }
  }
  return undefined
}
