/** The public keys and certificate subjects a client registers (RFC 7517, RFC 8705 §2). */
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import type { JWK } from 'jose'
import { isSameKey } from '../../crypto/comparison.ts'
import { certificateSubjectProblem } from '../../certificates/subject.ts'
import { parseCertificate } from '../../certificates/x509/certificate.ts'
import { isPublicKey, unsuitable, unsuitableRsa } from '../../client-keys/public-keys.ts'
import type { RegisteredMetadata } from '../../clients/client.ts'
import type { CertificateSubjectMember } from '../../clients/credentials.ts'
import { jwkMembers, keyProblem, keysInSet } from '../../clients/metadata/jwk.ts'
import { judgeOfKind } from '../../clients/metadata/kinds.ts'
import type { Json } from '../../stores/store.ts'
import type { RegistrationRules } from './rules.ts'
import { refuse, type Judge } from './values.ts'

/** The members of a key, each with its judge; all others are text. */
const judges: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  ['key_ops', (value, member, { loopback }) => judgeOfKind('list')(value, member, { fail: refuse, loopback }) as Json],
  ['x5c', certificates]
])

const text = (value: unknown, member: string): string =>
  judgeOfKind('text')(value, member, { fail: refuse, loopback: false }) as string

/** A JWK Set of public keys; of each key only the registered members are kept. */
export const jwks: Judge = (value, member, rules) => {
  const keys = keysInSet(value) ?? []
  if (keys.length === 0) return refuse(member, 'must be an object with a list keys of at least one key')
  const most = rules.limits.keys
  if (keys.length > most) return refuse(member, `must have at most ${most} keys`)
  return { keys: keys.map((key, index) => publicKey(key, `${member}.keys[${index}]`, rules)) }
}

function publicKey(key: unknown, name: string, rules: RegistrationRules): Json {
  const problem = keyProblem(key)
  if (problem !== undefined) return refuse(name, problem)
  // whoever sees the registration could use it: it must not be there at all, rather than be left out here
  if (!isPublicKey(key)) return refuse(name, 'must be a public key, with no private or symmetric part')
  const kept = keptMembers(key, name, rules)
  if (!isReadable(kept)) return refuse(name, 'must be a key that can be read: RSA, EC or Ed25519')
  const unsuited = unsuitableRsa(kept)
  if (unsuited !== undefined) return refuse(name, `must be a key this server verifies with; this one ${unsuited}`)
  const [leaf] = (kept['x5c'] ?? []) as readonly string[]
  if (leaf !== undefined && !certifies(leaf, kept))
    return refuse(`${name}.x5c`, 'must begin with a certificate, DER in base64, of this very key (RFC 7517 §4.7)')
  return kept
}

function keptMembers(
  key: Readonly<Record<string, unknown>>,
  name: string,
  rules: RegistrationRules
): Readonly<Record<string, Json>> {
  const given = jwkMembers.filter(member => Object.hasOwn(key, member) && key[member] !== undefined)
  return Object.fromEntries(given.map(member => [member, (judges.get(member) ?? text)(key[member], `${name}.${member}`, rules)]))
}

function certificates(value: unknown, member: string): Json {
  const isChain = Array.isArray(value) && value.length > 0 && value.every(item => typeof item === 'string' && base64.test(item))
  return isChain ? (value as readonly string[]) : refuse(member, 'must be a list of certificates, DER in base64')
}

const base64 = /^[A-Za-z0-9+/]+={0,2}$/

function isReadable(key: Readonly<Record<string, Json>>): boolean {
  try {
    createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
    return true
  } catch {
    return false
  }
}

function certifies(leaf: string, key: Readonly<Record<string, Json>>): boolean {
  try {
    const { key: certified } = parseCertificate(Buffer.from(leaf, 'base64'))
    return certified !== undefined && isSameKey(certified, createPublicKey({ key: key as JsonWebKey, format: 'jwk' }))
  } catch {
    return false
  }
}

/** A subject as its member writes it: a distinguished name, a name, an address. */
export const certificateSubject: Judge = (value, member) => {
  const subject = text(value, member)
  const problem = certificateSubjectProblem(member as CertificateSubjectMember, subject)
  return problem === undefined ? subject : refuse(member, `is wrong: it ${problem}`)
}

/**
 * Whether one of the registered keys can have made a signature by one of the algorithms. Keys behind a `jwks_uri` may
 * be any.
 */
export function canSign(
  { jwks, jwks_uri }: Pick<RegisteredMetadata, 'jwks' | 'jwks_uri'>,
  algorithms: readonly string[]
): boolean {
  return jwks_uri !== undefined || keysOf(jwks).some(key => algorithms.some(alg => unsuitable(key, alg) === undefined))
}

/** Whether one of the registered keys comes with its certificate. */
export function hasCertificate({ jwks, jwks_uri }: Pick<RegisteredMetadata, 'jwks' | 'jwks_uri'>): boolean {
  return jwks_uri !== undefined || keysOf(jwks).some(key => key.x5c !== undefined)
}

function keysOf(jwks: RegisteredMetadata['jwks']): readonly JWK[] {
  return jwks?.keys ?? []
}
