/** Attesters of instances of clients: known by keys, or by the authorities that certify theirs. */
import { LRUCache } from 'lru-cache'
import type { CryptoKey, JWK } from 'jose'
import { chainVerifier, type CertificateInput, type ChainVerifier } from '../../certificates/x509/chain.ts'
import { certificateInput } from '../../certificates/chain-verification.ts'
import { longestChain } from '../../certificates/source.ts'
import { CertificateError } from '../../certificates/x509/certificate.ts'
import { isSelfIssued, readPathCertificate } from '../../certificates/x509/path-certificate.ts'
import { importPublicKey, suitableKeys, unsuitable } from '../../client-keys/public-keys.ts'
import {
  ConfigurationError,
  eachOf,
  listOf,
  nested,
  readBy,
  required,
  type Check,
  type Checks,
  type Read
} from '../../options.ts'
import { printable } from '../../printable.ts'
import { jwksCheck } from '../trust-rule.ts'

/** A party whose attestations are accepted. Exactly one of `jwks` and `trustAnchors`. */
export interface Attester {
  /** Its public keys. With none it vouches for nobody. */
  readonly jwks?: { /** The keys, each a JWK (RFC 7517 §5). */ readonly keys: readonly JWK[] } | undefined
  /**
   * The authorities that certify its keys: certificates in PEM, or one in DER. Its attestations bring the chain along
   * as `x5c`. Whatever such an authority certifies for signing is this attester's: name one that certifies nothing
   * else.
   */
  readonly trustAnchors?: CertificateInput | undefined
  /** The clients it may vouch for, by their `client_id`. Default: every client of an attestation method. */
  readonly clients?: readonly string[] | undefined
}

export const attesterChecks = {
  jwks: jwksCheck,
  trustAnchors: certificateInput(),
  clients: listOf('client_ids', (id): id is string => typeof id === 'string' && id !== '')
} satisfies Checks<Attester>

export interface KnownAttester {
  /** Names it to the operator. */
  readonly name: string
  readonly keys: readonly JWK[]
  readonly verifyChain: ChainVerifier | undefined
  readonly clients: ReadonlySet<string> | undefined
}

const listOfAttesters = required(eachOf('attesters', required(nested(attesterChecks))))

/** A list with at least one attester. */
export const attestersCheck: Check<readonly KnownAttester[]> = {
  ...readBy(listOfAttesters.takes, (value, key) => {
    const attesters = listOfAttesters.read(value, key)
    if (attesters.length === 0) throw new ConfigurationError(key, 'must name at least one attester')
    return attesters.map((attester, index) => readAttester(attester, `${key}[${index}]`))
  }),
  isRequired: true
}

function readAttester({ jwks, trustAnchors, clients }: Read<typeof attesterChecks>, key: string): KnownAttester {
  if ((jwks === undefined) === (trustAnchors === undefined))
    throw new ConfigurationError(`${key}.jwks`, 'or trustAnchors must be given, and not both')
  return {
    name: key,
    keys: jwks?.keys ?? [],
    verifyChain: trustAnchors === undefined ? undefined : readAnchors(trustAnchors, `${key}.trustAnchors`),
    clients: clients && new Set(clients)
  }
}

function readAnchors(ca: CertificateInput, key: string): ChainVerifier {
  try {
    return chainVerifier({ ca, purpose: 'any' })
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new ConfigurationError(error.key.replace(/^ca/, key), error.message.slice(error.key.length + 1))
  }
}

/** The members of an attestation's header that tell the key it was signed with. */
interface AttesterHeader {
  readonly alg: string
  readonly kid: string | undefined
  readonly x5c: unknown
}

/** The keys that may have made it, or why there are none: a clause for the operator. */
type AttesterKeys = { readonly keys: readonly CryptoKey[] } | { readonly problem: string }

/** Attesters with what was read of the certificates they send along. */
export interface Attesters {
  /**
   * The keys that may have signed an attestation for a client, at a time in milliseconds since the epoch. Never
   * rejects.
   */
  find(header: AttesterHeader, client_id: string, now: number): Promise<AttesterKeys>
}

/** As many keys as one attestation may have been signed with. */
const most = 4
/** Chains that are kept, read. */
const mostChains = 1000
const longestCertificate = 8192

export function attestersOf(known: readonly KnownAttester[]): Attesters {
  const chains = new LRUCache<string, CertifiedKey>({ max: mostChains })
  const keysOf = async (attester: KnownAttester, header: AttesterHeader, now: number): Promise<AttesterKeys> => {
    const found = attester.verifyChain && (await certifiedKey(attester.verifyChain, header, chains, now))
    const jwks = found === undefined ? namedKeys(attester.keys, header) : 'jwk' in found ? [found.jwk] : []
    const imported = await Promise.all(jwks.map(jwk => importPublicKey(jwk, header.alg)))
    const keys = imported.flatMap(one => (one === undefined ? [] : [one.key]))
    return keys.length > 0 ? { keys } : { problem: found !== undefined && 'problem' in found ? found.problem : noKey(header) }
  }
  return {
    async find(header, client_id, now) {
      const keys: CryptoKey[] = []
      const problems: string[] = []
      for (const attester of known) {
        const found = await keysOf(attester, header, now)
        if ('problem' in found) problems.push(`${attester.name}: ${found.problem}`)
        else if (attester.clients?.has(client_id) === false)
          problems.push(`${attester.name}: it may vouch for other clients, and not for this one`)
        else keys.push(...found.keys)
      }
      return keys.length > 0 ? { keys: keys.slice(0, most) } : { problem: problems.join('; ') }
    }
  }
}

/** Of a header that names its key by a chain alone no other key is meant. */
function namedKeys(keys: readonly JWK[], header: AttesterHeader): readonly JWK[] {
  return header.x5c !== undefined && header.kid === undefined ? [] : suitableKeys(keys, header)
}

function noKey({ alg, kid }: AttesterHeader): string {
  return `no key of it fits ${alg} ${kid === undefined ? 'without kid' : `and kid ${printable(kid)}`}`
}

/** A leaf and what came along with it, and the key it certifies. */
interface CertifiedKey {
  readonly leaf: Buffer
  readonly chain: readonly Buffer[]
  readonly jwk: JWK
}

/**
 * The key of a chain that leads to an attester's anchors; its path is found once, and its validity looked at every
 * time.
 */
async function certifiedKey(
  verifyChain: ChainVerifier,
  { alg, x5c }: AttesterHeader,
  chains: LRUCache<string, CertifiedKey>,
  now: number
): Promise<{ readonly jwk: JWK } | { readonly problem: string }> {
  if (!isChain(x5c)) return { problem: `its keys come as x5c: 1 to ${longestChain} certificates, the signer's first` }
  const name = x5c.join(' ')
  const read = chains.get(name) ?? readChain(x5c)
  if ('problem' in read) return read
  const { verified, reason } = await verifyChain(read.leaf, read.chain, now)
  if (!verified) return { problem: `the first certificate in x5c ${reason ?? 'is not trusted'}` }
  // with its leaf's buffer its path is kept: only what leads somewhere is worth that
  chains.set(name, read)
  const problem = unsuitable(read.jwk, alg)
  return problem === undefined ? read : { problem: `the key in x5c ${problem}` }
}

function isChain(x5c: unknown): x5c is readonly string[] {
  const isCertificate = (one: unknown): boolean => typeof one === 'string' && one !== '' && one.length <= longestCertificate
  return Array.isArray(x5c) && x5c.length > 0 && x5c.length <= longestChain && x5c.every(isCertificate)
}

function readChain(x5c: readonly string[]): CertifiedKey | { readonly problem: string } {
  const [leaf = Buffer.alloc(0), ...chain] = x5c.map(one => Buffer.from(one, 'base64'))
  try {
    const certificate = readPathCertificate(leaf)
    // whoever signs for itself has nobody's word (HAIP §4.3)
    if (isSelfIssued(certificate)) return { problem: 'the first certificate in x5c is signed by itself' }
    if (certificate.key === undefined) return { problem: 'the first certificate in x5c has a key that is too weak' }
    return { leaf, chain, jwk: certificate.key.export({ format: 'jwk' }) }
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    return { problem: `the first certificate in x5c ${error.message}` }
  }
}
