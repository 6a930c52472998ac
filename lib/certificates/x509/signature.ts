/**
 * Signatures under certificates and revocation lists (RFC 5280 §4.1.1.2, §5.1.1.2): which are strong enough to count,
 * and whether they hold.
 */
import { constants, verify, type KeyObject } from 'node:crypto'
import { DerError, derInside, derOid, derTags, type DerValue } from './der.ts'
import { rsaProblem } from '../../crypto/rsa-strength.ts'

/** A signature, the content it was made over, and its algorithm. */
export interface Signed {
  readonly content: Uint8Array
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
}

interface SignatureAlgorithm {
  /** The algorithm's OID. */
  readonly oid: string
  readonly parameters: DerValue | undefined
}

/** Reads an AlgorithmIdentifier (RFC 5280 §4.1.1.2). @throws DerError */
export function readAlgorithm(value: DerValue): SignatureAlgorithm {
  const [oid, parameters, more] = derInside(value, derTags.sequence)
  if (oid === undefined || more !== undefined) throw new DerError('is no algorithm')
  return { oid: derOid(oid), parameters }
}

interface Scheme {
  /** Undefined where the key type fixes it. */
  readonly hash: string | undefined
  readonly keys: readonly string[]
  readonly pss?: true
}

const rsa = ['rsa']
const ec = ['ec']
/**
 * SHA-1 and MD5 are not here: whoever can find collisions could have a certificate made that says something else (RFC
 * 6194, RFC 6151).
 */
const schemes: ReadonlyMap<string, Scheme> = new Map([
  ['1.2.840.113549.1.1.11', { hash: 'sha256', keys: rsa }],
  ['1.2.840.113549.1.1.12', { hash: 'sha384', keys: rsa }],
  ['1.2.840.113549.1.1.13', { hash: 'sha512', keys: rsa }],
  ['1.2.840.10045.4.3.2', { hash: 'sha256', keys: ec }],
  ['1.2.840.10045.4.3.3', { hash: 'sha384', keys: ec }],
  ['1.2.840.10045.4.3.4', { hash: 'sha512', keys: ec }],
  ['1.3.101.112', { hash: undefined, keys: ['ed25519'] }],
  ['1.3.101.113', { hash: undefined, keys: ['ed448'] }]
])
const rsaPss = '1.2.840.113549.1.1.10'

/** The hashes of RSASSA-PSS. */
const pssHashes: ReadonlyMap<string, string> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512']
])

const curves: readonly (string | undefined)[] = [
  'prime256v1',
  'secp384r1',
  'secp521r1',
  'brainpoolP256r1',
  'brainpoolP384r1',
  'brainpoolP512r1'
]

/** Why a signature algorithm does not count, as a clause; undefined where it does. */
export function algorithmProblem(algorithm: SignatureAlgorithm): string | undefined {
  return schemeOf(algorithm) === undefined ? 'is signed with an algorithm that is unknown or too weak' : undefined
}

/** Whether this key made this signature, by an algorithm that counts. Never throws. */
export function verifySignature({ content, algorithm, signature }: Signed, key: KeyObject): boolean {
  const scheme = schemeOf(algorithm)
  if (scheme?.keys.includes(key.asymmetricKeyType ?? '') !== true) return false
  const padding = scheme.pss === true && {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_AUTO
  }
  try {
    return verify(scheme.hash, content, { key, ...padding }, signature)
  } catch {
    return false
  }
}

/** Whether signatures by this key count: it is neither of an unknown kind nor too weak or too large. */
export function isStrong({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  switch (asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss': {
      // a configured authority may certify whatever key it is given
      const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {}
      return rsaProblem(modulusLength, publicExponent) === undefined
    }
    case 'ec':
      return curves.includes(asymmetricKeyDetails?.namedCurve)
    case 'ed25519':
    case 'ed448':
      return true
    default:
      return false
  }
}

function schemeOf({ oid, parameters }: SignatureAlgorithm): Scheme | undefined {
  if (oid !== rsaPss) return schemes.get(oid)
  const hash = parameters === undefined ? undefined : pssHash(parameters)
  return hash === undefined ? undefined : { hash, keys: ['rsa', 'rsa-pss'], pss: true }
}

/** RFC 4055 §3.1: `[0]` holds the hash's AlgorithmIdentifier; without it, SHA-1 is meant. */
function pssHash(parameters: DerValue): string | undefined {
  try {
    const hash = derInside(parameters, derTags.sequence).find(({ tag }) => tag === 0xa0)
    const [algorithm] = hash === undefined ? [] : derInside(hash, 0xa0)
    return algorithm && pssHashes.get(readAlgorithm(algorithm).oid)
  } catch (error) {
    // parameters that cannot be read name no hash
    if (error instanceof DerError) return undefined
    throw error
  }
}
