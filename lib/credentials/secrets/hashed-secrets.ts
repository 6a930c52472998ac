/** Which of a client's secrets that are kept as hashes was presented, and what becomes of its hash. */
import { clientSecrets, type Client, type ClientSecret } from '../../clients/client.ts'
import { isSecretHash, longestSecret } from '../../clients/configured-credentials.ts'
import { notRecorded } from '../last-use.ts'
import { findHash, hashSecret, isCurrentHash } from './human-secret.ts'
import { recall } from './remembered.ts'
import { findForeignHash, hookOf, type SecretHashes, type SecretUpgraded } from './secret-hashes.ts'

/** What is needed to compare hashes that this library did not make, and to have better ones kept. */
export interface HashJudging {
  /** Compares them. Default: nothing does. */
  readonly hashes?: SecretHashes | undefined
  /** Told of the hash that a configured secret should be kept as from now on. Harmless. */
  readonly upgraded?: SecretUpgraded | undefined
}

type Hashed = ClientSecret & { readonly hash: string }

/**
 * Compares with the secrets of the client that are kept as hashes, or with nobody's.
 *
 * @throws {@link TemporarilyUnavailableError} where more waits to be compared than will be done in a reasonable time,
 * and where a function of the application's does not do its work.
 */
export async function matchHash(
  client: Client | undefined,
  presented: string,
  guess: { readonly network: string; readonly spent: boolean } | undefined,
  { hashes = {}, upgraded }: HashJudging
): Promise<ClientSecret | undefined> {
  const kept = client === undefined ? [] : clientSecrets(client).filter(one => isComparable(one, hashes))
  // a longer one is never equal to anything, and only this much of it is hashed
  const compared = presented.slice(0, longestSecret)
  const known = recall(
    kept.map(({ hash }) => hash),
    compared
  )
  const found = known === undefined ? await compareAll(kept, compared, guess, hashes) : kept[known]
  if (client === undefined || found === undefined || presented.length > longestSecret) return undefined
  if (isCurrentHash(found.hash)) return found
  if (found.upgrade !== undefined) found.upgrade(presented)
  // what was found before was told of then
  else if (known === undefined && upgraded !== undefined) tellUpgrade(client, found, presented, upgraded)
  return found
}

/** Whether it is kept as a hash that this library made, or that a function compares. */
function isComparable(secret: ClientSecret, hashes: SecretHashes): secret is Hashed {
  return secret.hash !== undefined && (isSecretHash(secret.hash) || hookOf(hashes, secret.hash) !== undefined)
}

/** The secrets of its own kind first: whoever is let in need not wait for the other. */
async function compareAll(
  kept: readonly Hashed[],
  secret: string,
  guess: { readonly network: string; readonly spent: boolean } | undefined,
  hashes: SecretHashes
): Promise<Hashed | undefined> {
  const own = kept.filter(({ hash }) => isSecretHash(hash))
  const foreign = kept.flatMap(one => {
    const hook = hookOf(hashes, one.hash)
    return hook === undefined ? [] : [{ one, hash: one.hash, hook }]
  })
  const ofOthers = async (): Promise<Hashed | undefined> => {
    const index = await findForeignHash(hashes, foreign, secret, guess)
    return index === undefined ? undefined : foreign[index]?.one
  }
  const ofOurs = async (): Promise<Hashed | undefined> => {
    const index = await findHash(
      own.map(({ hash }) => hash),
      secret,
      guess
    )
    return index === undefined ? undefined : own[index]
  }
  return foreign.length > 0 ? ((await ofOthers()) ?? (await ofOurs())) : ((await ofOurs()) ?? (await ofOthers()))
}

/** Nothing waits for it; where it fails, the old hash stays good. */
function tellUpgrade({ client_id }: Client, { id }: Hashed, secret: string, upgraded: SecretUpgraded): void {
  setImmediate(() => {
    void hashSecret(secret)
      .then(hash => upgraded(client_id, id, hash))
      .catch(notRecorded)
  })
}
