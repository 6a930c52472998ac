/**
 * Secrets that people made up: kept as scrypt makes of them (RFC 7914), because whoever reads the store could try every
 * likely one.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { inItsTurn } from '../guesses/computations.ts'
import { memoryOf, recall, remember } from './remembered.ts'

/** log2 of N, the block size and the parallelism: 16 MiB and about a fifth of a second on the machines of today. */
const current = { ln: 14, r: 8, p: 5 }
const saltLength = 16
const keyLength = 32

interface Parameters {
  readonly ln: number
  readonly r: number
  readonly p: number
}

interface ScryptHash extends Parameters {
  readonly salt: Buffer
  readonly key: Buffer
}

/**
 * Makes of a secret what may be kept of it, such as in a client's `credentials: [{ type: 'secret', id, hash }]`. The
 * parameters are in it.
 *
 * @param salt of another secret of the same client, where one computation is to do for both. Default: a fresh one.
 *
 * @example
 * const credentials = [{ type: 'secret', id: '2026', hash: await hashSecret(process.env.LEGACY_SECRET ?? '') }]
 */
export async function hashSecret(secret: string, salt: Uint8Array = randomBytes(saltLength)): Promise<string> {
  const key = await derive(secret, Buffer.from(salt), current)
  const { ln, r, p } = current
  return `$scrypt$ln=${ln},r=${r},p=${p}$${Buffer.from(salt).toString('base64url')}$${key.toString('base64url')}`
}

/**
 * Whether a secret is the one that {@link hashSecret} made a hash of. What was found right once is remembered in this
 * process. Without a hash it takes as long as with one that does not fit: for a name nobody has.
 *
 * @throws {@link TemporarilyUnavailableError} where more computations wait than will be done in a reasonable time.
 */
export async function verifySecret(secret: string, hash: string | undefined): Promise<boolean> {
  return (await findHash(hash === undefined ? [] : [hash], secret)) !== undefined
}

/** Whether it was made with the parameters of today. */
export function isCurrentHash(hash: string): boolean {
  return hash.startsWith(`$scrypt$ln=${current.ln},r=${current.r},p=${current.p}$`)
}

/** The salt of a hash made with the parameters of today. */
export function saltOf(hash: string): Uint8Array | undefined {
  return isCurrentHash(hash) ? parse(hash)?.salt : undefined
}

const underWay = new Map<string, Promise<Buffer>>()

/** Hash that a client without such secrets, or one that does not exist, is compared with. */
const nobodysHash = `$scrypt$ln=${current.ln},r=${current.r},p=${current.p}$${randomBytes(saltLength).toString('base64url')}$${randomBytes(keyLength).toString('base64url')}`

/**
 * Which of these hashes a secret has, by position; undefined: none. A wrong secret costs one computation for each salt
 * there is, at least one; a right one that was seen before costs none.
 *
 * @param guess who asks: where its network has used up its wrong guesses nothing is computed, and only what was seen
 * before is found.
 * @throws {@link TemporarilyUnavailableError} where more computations wait than will be done in a reasonable time.
 */
export async function findHash(
  hashes: readonly string[],
  secret: string,
  guess?: { readonly network: string; readonly spent: boolean }
): Promise<number | undefined> {
  const known = recall(hashes, secret)
  if (known !== undefined) return known
  if (guess?.spent === true) return undefined
  let found: number | undefined
  // no early end: how many were compared must not show which one it was
  for (const [index, hash] of (hashes.length === 0 ? [nobodysHash] : hashes).entries()) {
    const kept = parse(hash)
    if (kept === undefined) continue
    if (timingSafeEqual(await deriveOnce(secret, kept, guess?.network), kept.key) && index < hashes.length) found ??= index
  }
  const hash = found === undefined ? undefined : hashes[found]
  if (hash !== undefined) remember(hash, secret)
  return found
}

function parse(hash: string): ScryptHash | undefined {
  const [, ln, r, p, salt = '', key = ''] = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w-]+)\$([\w-]+)$/.exec(hash) ?? []
  const kept = Buffer.from(key, 'base64url')
  if (kept.length !== keyLength) return undefined
  return { ln: Number(ln), r: Number(r), p: Number(p), salt: Buffer.from(salt, 'base64url'), key: kept }
}

/** Requests that come at once with the same secret share one computation, and so do hashes of one salt. */
function deriveOnce(secret: string, kept: ScryptHash, network: string | undefined): Promise<Buffer> {
  const name = memoryOf(`${kept.ln},${kept.r},${kept.p},${kept.salt.toString('base64url')}`, secret)
  const shared = underWay.get(name)
  if (shared !== undefined) return shared
  const derived = derive(secret, kept.salt, kept, network).finally(() => {
    // kept a moment longer, for the next hash of the same salt
    setImmediate(() => underWay.delete(name))
  })
  underWay.set(name, derived)
  return derived
}

async function derive(secret: string, salt: Buffer, { ln, r, p }: Parameters, network?: string): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: 2 ** ln * r * 128 * 2 + 1_048_576 }
  return inItsTurn(
    network,
    () =>
      new Promise((resolve, reject) => {
        scrypt(secret, salt, keyLength, options, (error, key) => (error === null ? resolve(key) : reject(error)))
      })
  )
}
