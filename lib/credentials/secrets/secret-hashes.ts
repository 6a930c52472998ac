/**
 * Secrets that another server kept, as bcrypt, Argon2 or PBKDF2 made of them: compared by functions that the
 * application brings, one for each way such a hash begins.
 */
import { clientSecrets, toClient, type ClientMetadata } from '../../clients/client.ts'
import { isSecretHash } from '../../clients/configured-credentials.ts'
import type { ClientSecret } from '../../clients/credentials.ts'
import { TemporarilyUnavailableError } from '../../errors.ts'
import { ConfigurationError, type Check } from '../../options.ts'
import { answerOf } from '../../tokens/hooks.ts'
import { turns } from '../guesses/computations.ts'
import { memoryOf, remember } from './remembered.ts'
import { isJsonObject } from '../../json.ts'

/** Whether a secret is the one a hash was made of. It has five seconds, and must not block: others wait meanwhile. */
export type VerifySecretHash = (secret: string, hash: string) => boolean | Promise<boolean>

/** Functions by what the hashes begin with that they compare; of several that fit, the longest one does. */
export type SecretHashes = Readonly<Record<string, VerifySecretHash>>

/** Told of the hash that a configured secret should be kept as from now on. */
export type SecretUpgraded = (client_id: string, id: string, hash: string) => unknown

const mostHashes = 20
const takes = `an object of at most ${mostHashes} functions, each by what a hash begins with, such as "$2b$"`

/** Check of the functions. */
export const secretHashesCheck: Check<SecretHashes> = {
  takes,
  read(value, key) {
    if (value === undefined) return {}
    if (!isJsonObject(value) || Object.keys(value).length > mostHashes) throw new ConfigurationError(key, `must be ${takes}`)
    for (const [beginning, verify] of Object.entries(value)) {
      const path = `${key}[${JSON.stringify(beginning)}]`
      if (!/^[\x21-\x7e]{1,32}$/.test(beginning))
        throw new ConfigurationError(path, 'must be named by 1 to 32 printable ASCII characters that hashes begin with')
      if (typeof verify !== 'function') throw new ConfigurationError(path, 'must be a function')
    }
    return value as SecretHashes
  }
}

/** A function, and the beginning of the hashes it compares. */
type Hook = readonly [beginning: string, verify: VerifySecretHash]

/** The function that compares this hash; undefined for none, and for what `hashSecret()` made. */
export function hookOf(functions: SecretHashes, hash: string): Hook | undefined {
  if (isSecretHash(hash)) return undefined
  const fitting = Object.entries(functions).filter(([beginning]) => hash.startsWith(beginning))
  return fitting.sort(([a], [b]) => b.length - a.length)[0]
}

/** The beginning of a hash that no function compares, for the server's operator: never more of it than its kind. */
export function unknownBeginning(secrets: readonly ClientSecret[], functions: SecretHashes): string | undefined {
  const unknown = secrets.find(({ hash }) => hash !== undefined && !isSecretHash(hash) && hookOf(functions, hash) === undefined)
  return unknown?.hash === undefined ? undefined : beginningOf(unknown.hash)
}

function beginningOf(hash: string): string {
  return /^\$[a-z0-9-]{1,20}\$/i.exec(hash)?.[0] ?? 'no $name$'
}

/**
 * Holds the hashes of a list of clients against the functions there are; clients of a function are when they come.
 *
 * @throws ConfigurationError naming the credential that nothing compares.
 */
export function checkSecretHashes(clients: unknown, functions: SecretHashes): void {
  if (!Array.isArray(clients)) return
  ;(clients as readonly ClientMetadata[]).forEach((metadata, index) => {
    if (!(metadata.credentials ?? []).some(one => one.type === 'secret' && typeof one.hash === 'string')) return
    const path = `clients[${index}]`
    for (const { id, hash } of clientSecrets(toClient(metadata, path))) {
      if (hash === undefined || isSecretHash(hash)) continue
      const hook = hookOf(functions, hash)
      const position = (metadata.credentials ?? []).findIndex(one => one.id === id)
      const mustBe = `must be what hashSecret() returns, or secretHashes must have a function for it: it begins with ${beginningOf(hash)}`
      if (hook === undefined) throw new ConfigurationError(`${path}.credentials[${position}].hash`, mustBe)
      noteSample(hook, hash)
    }
  })
}

/** One hash for each function, that clients without such a hash are compared with. */
const samples = new WeakMap<VerifySecretHash, string>()

function noteSample([, verify]: Hook, hash: string): void {
  if (!samples.has(verify)) samples.set(verify, hash)
}

/** Who asks: where its network has used up its wrong guesses, nothing is computed. */
interface Guess {
  readonly network: string
  readonly spent: boolean
}

/**
 * Which of a client's hashes a secret has, by position, where none was found before; undefined: none. A wrong secret
 * costs one comparison for each hash and for each function that has none of them, so that it takes as long for whoever
 * is not there.
 *
 * @param hashes those of the client, each with its function.
 * @throws {@link TemporarilyUnavailableError} where a function throws, takes longer than five seconds or answers
 * anything but true and false: nobody is let in then, and nobody is told that the secret was wrong.
 */
export async function findForeignHash(
  functions: SecretHashes,
  hashes: readonly { readonly hash: string; readonly hook: Hook }[],
  secret: string,
  guess: Guess | undefined
): Promise<number | undefined> {
  if (guess?.spent === true) return undefined
  let found: number | undefined
  // no early end: how many were compared must not show which one it was
  for (const [index, { hash, hook }] of hashes.entries()) {
    noteSample(hook, hash)
    if (await compareOnce(hook, secret, hash, guess?.network)) found ??= index
  }
  const hash = found === undefined ? undefined : hashes[found]?.hash
  if (found !== undefined && hash !== undefined) {
    remember(hash, secret)
    return found
  }
  await compareWithOthers(functions, hashes, secret, guess?.network)
  return undefined
}

/** Does for nothing what is done for clients with hashes of the other kinds. */
async function compareWithOthers(
  functions: SecretHashes,
  hashes: readonly { readonly hook: Hook }[],
  secret: string,
  network: string | undefined
): Promise<void> {
  for (const hook of Object.entries(functions)) {
    const sample = samples.get(hook[1])
    if (sample === undefined || hashes.some(one => one.hook[1] === hook[1])) continue
    // whatever comes of it: this client has nothing to do with it
    await compareOnce(hook, secret, sample, network).catch(() => false)
  }
}

const inHooksTurn = turns()
const underWay = new Map<string, Promise<boolean>>()

/** Requests that come at once with the same secret share one comparison. */
function compareOnce(hook: Hook, secret: string, hash: string, network: string | undefined): Promise<boolean> {
  const name = memoryOf(hash, secret)
  const shared = underWay.get(name)
  if (shared !== undefined) return shared
  const compared = compare(hook, secret, hash, network).finally(() => underWay.delete(name))
  underWay.set(name, compared)
  return compared
}

async function compare([beginning, verify]: Hook, secret: string, hash: string, network: string | undefined): Promise<boolean> {
  const name = `secretHashes[${JSON.stringify(beginning)}]`
  let late = false
  try {
    // once for the function, which gives its place up then, and once for the wait before it
    const answer = await answerOf(name, () =>
      inHooksTurn(network, () => answerOf(name, () => (late ? undefined : verify(secret, hash))))
    )
    if (typeof answer === 'boolean') return answer
  } catch (cause) {
    if (cause instanceof TemporarilyUnavailableError) throw cause
    throw new TemporarilyUnavailableError({ reason: `${name} failed; see the cause`, cause })
  } finally {
    late = true
  }
  throw new TemporarilyUnavailableError({ reason: `${name} must answer true or false` })
}
