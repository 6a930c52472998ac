/** The member `credentials` of a client's metadata: more than the registered members have room for, side by side. */
import { X509Certificate } from 'node:crypto'
import type { JWK } from 'jose'
import { checkMisspelt, readFederatedRule, type FederatedCredential, type FederatedRule } from './federated-credential.ts'
import { isPublicMethod } from './methods.ts'
import { spiffeIdPatternProblem } from './spiffe-id.ts'
import { isDisplayText } from './metadata/display-text.ts'
import { keyProblem, knownJwk } from './metadata/jwk.ts'
import { secondsProblem, type Fail } from './metadata/kinds.ts'
import {
  certificateOf,
  certificateSubjects,
  federatedId,
  federatedOf,
  isRegisteredId,
  keyCredential,
  keyOf,
  methodOf,
  secretOf,
  spiffeIdOf,
  subjectOf,
  type CertificateSubjectMember,
  type CredentialOfClient,
  type Dated
} from './credentials.ts'
import { isJsonObject } from '../json.ts'

interface CredentialMembers extends Dated {
  /** Names it among the client's: 1 to 64 of the characters `A-Z a-z 0-9 . _ ~ : -`. */
  readonly id: string
  /** For whoever operates the server: at most 64 characters. */
  readonly label?: string | undefined
}

/** A secret, as it is or as a hash; one of the two. */
export interface SecretCredential extends CredentialMembers {
  readonly type: 'secret'
  readonly value?: string | undefined
  /** As `hashSecret()` made it, or as another library did that one of the `secretHashes` compares with. */
  readonly hash?: string | undefined
}

/** A public key, for `private_key_jwt`, `self_signed_tls_client_auth` and whatever else the client signs. */
export interface KeyCredential extends CredentialMembers {
  readonly type: 'key'
  readonly jwk: JWK
}

/** A certificate in PEM for `self_signed_tls_client_auth`, or one subject for `tls_client_auth`; one of them. */
export interface CertificateCredential
  extends CredentialMembers, Readonly<Partial<Record<CertificateSubjectMember, string | undefined>>> {
  readonly type: 'certificate'
  readonly certificate?: string | undefined
}

/** A method the client may use beside the one it is registered for. Never `none`, and never for a public client. */
export interface MethodCredential extends CredentialMembers {
  readonly type: 'method'
  readonly method: string
}

/** Tokens of another platform, for `federated_jwt`, as in `federated_credentials`. */
export interface FederatedTokenCredential extends CredentialMembers, FederatedRule {
  readonly type: 'federated'
}

/** A SPIFFE ID, for `spiffe_jwt` and `spiffe_x509`. */
export interface SpiffeIdCredential extends CredentialMembers {
  readonly type: 'spiffe_id'
  readonly spiffe_id: string
}

/**
 * One of a client's credentials, beside `client_secret`, `jwks`, `tls_client_auth_*`, `federated_credentials`,
 * `spiffe_id` and `token_endpoint_auth_method`.
 */
export type ClientCredential =
  SecretCredential | KeyCredential | CertificateCredential | MethodCredential | FederatedTokenCredential | SpiffeIdCredential

/** Most credentials that one client's metadata may have. */
const mostConfigured = 100
/** In characters. A longer one never matches anything. */
export const longestSecret = 1024

/**
 * Checks a client's `credentials` and turns them into what the library works with.
 *
 * @param fail throws for a member, such as `credentials[1].expires_at`.
 * @param taken the ids its registered members have.
 */
export function readCredentials(given: unknown, fail: Fail, taken: readonly string[] = []): readonly CredentialOfClient[] {
  if (given === undefined) return []
  if (!Array.isArray(given) || given.length > mostConfigured) {
    return fail('credentials', `must be a list of at most ${mostConfigured} credentials`)
  }
  const ids = new Set<string>(taken)
  return given.map((one: unknown, index) => {
    const path = `credentials[${index}]`
    const failAt: Fail = (member, mustBe) => fail(`${path}.${member}`, mustBe)
    if (typeof one !== 'object' || one === null) return fail(path, 'must be an object with type and id')
    const given = withoutNull(one)
    const { id } = given as Partial<ClientCredential>
    checkId(id, failAt)
    if (ids.has(id)) return failAt('id', takenId)
    ids.add(id)
    return readCredential(given as ClientCredential, failAt)
  })
}

/**
 * Checks what `federated_credentials` have in common with any other credential: label, dates and an id of their own.
 */
export function checkFederatedCredentials(given: readonly FederatedCredential[] = [], fail: Fail): void {
  const ids: string[] = []
  given.forEach((one, index) => {
    const path = `federated_credentials[${index}]`
    const failAt: Fail = (member, mustBe) => fail(`${path}.${member}`, mustBe)
    const id = federatedId(one)
    if (ids.includes(id) && one.id === undefined) fail(path, 'must not be the same as another')
    if (ids.includes(id)) failAt('id', takenId)
    checkId(id, failAt)
    checkLabel(one.label, failAt)
    checkDates(one, failAt)
    ids.push(id)
  })
}

const takenId = 'is already the id of another credential of this client'

function checkId(id: unknown, fail: Fail): asserts id is string {
  if (typeof id !== 'string' || !/^[A-Za-z0-9._~:-]{1,64}$/.test(id))
    fail('id', 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ : -')
  if (isRegisteredId(id) || isStoredId(id)) fail('id', 'must be another one: this one has a meaning of its own')
}

/** Rows of a database have `null` where there is nothing. */
function withoutNull(given: object): object {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
}

/** The ids of what the library keeps itself. */
export function isStoredId(id: string): boolean {
  return /^[0-9a-f]{16}$/.test(id)
}

function readCredential(given: ClientCredential, fail: Fail): CredentialOfClient {
  const { id, label, not_before, expires_at } = given
  checkLabel(label, fail)
  checkDates(given, fail)
  const described = { id, label, not_before, expires_at, source: 'configured' } as const
  const type: unknown = given.type
  switch (given.type) {
    case 'secret':
      return secretOf({ id, ...readSecret(given, fail), not_before, expires_at }, { label, source: 'configured' })
    case 'key':
      return keyOf(described, checkJwk(given.jwk, fail))
    case 'certificate': {
      const subject = readSubject(given, fail)
      return subject === undefined
        ? certificateOf(described, pemCertificate(given.certificate, fail))
        : subjectOf(described, ...subject)
    }
    case 'method':
      return methodOf(described, checkMethodName(given.method, fail))
    case 'federated':
      checkMisspelt(given, fail, 'others')
      return federatedOf(described, readFederatedRule({ ...given }, fail))
    case 'spiffe_id':
      return spiffeIdOf(described, checkSpiffeId(given.spiffe_id, fail))
    default:
      return fail('type', `must be secret, key, certificate, method, federated or spiffe_id, and not ${JSON.stringify(type)}`)
  }
}

/** A label: short, printable, in one line. */
export function checkLabel(label: unknown, fail: Fail): void {
  if (label === undefined) return
  if (!isDisplayText(label, 64)) fail('label', 'must be 1 to 64 printable characters')
}

/** Dates: whole seconds since the epoch, in order. */
export function checkDates({ not_before, expires_at }: Dated, fail: Fail): void {
  for (const [member, value] of [
    ['not_before', not_before],
    ['expires_at', expires_at]
  ] as const) {
    const problem = value === undefined ? undefined : secondsProblem(value)
    if (problem !== undefined) fail(member, problem)
  }
  if (not_before !== undefined && expires_at !== undefined && expires_at <= not_before)
    fail('expires_at', 'must be later than not_before')
}

function readSecret({ value, hash }: SecretCredential, fail: Fail): { value: string } | { hash: string } {
  if ((value === undefined) === (hash === undefined)) return fail('value', 'or hash must be given, and not both')
  if (value !== undefined) return { value: checkSecretValue(value, fail) }
  return { hash: checkSecretHash(hash, fail) }
}

/** A hash of any library's, which the function knows that compares it. Plain text is none, as far as can be seen. */
export function checkSecretHash(hash: unknown, fail: Fail): string {
  const isHash = typeof hash === 'string' && (isSecretHash(hash) || (!hash.startsWith('$scrypt$ln=') && isForeignHash(hash)))
  return isHash ? hash : fail('hash', 'must be what hashSecret() returns, or a hash that one of the secretHashes compares')
}

/** Long enough for the digest and the salt that it is made of, and short enough for a header. */
function isForeignHash(hash: string): boolean {
  return /^[\x21-\x7e]{24,1024}$/.test(hash)
}

export function checkSecretValue(value: unknown, fail: Fail): string {
  if (typeof value !== 'string' || value === '' || value.length > longestSecret)
    return fail('value', `must be a string of 1 to ${longestSecret} characters`)
  return value
}

/**
 * Recognizes what `hashSecret()` makes: scrypt's parameters, salt and key. The parameters are bounded, so that none
 * from a database can cost more than a process has.
 */
export function isSecretHash(hash: string): boolean {
  return /^\$scrypt\$ln=1[0-7],r=8,p=(?:[1-9]|1[0-6])\$[A-Za-z0-9_-]{22}\$[A-Za-z0-9_-]{43}$/.test(hash)
}

function checkJwk(jwk: unknown, fail: Fail): JWK {
  if (!isJsonObject(jwk)) return fail('jwk', 'must be a public key as a JWK')
  const problem = keyProblem(jwk)
  if (problem !== undefined) return fail('jwk', problem)
  if ('d' in jwk || 'k' in jwk || 'priv' in jwk || !('kty' in jwk) || typeof jwk.kty !== 'string' || jwk.kty === 'oct')
    return fail('jwk', 'must be a public key as a JWK, without any private or symmetric part')
  if (keyCredential(jwk).length > 256) return fail('jwk', 'must have a kid of at most 250 characters')
  return knownJwk(jwk)
}

function readSubject(given: CertificateCredential, fail: Fail): [CertificateSubjectMember, string] | undefined {
  const members = certificateSubjects.filter(member => given[member] !== undefined)
  const [member] = members
  if (members.length + (given.certificate === undefined ? 0 : 1) !== 1)
    return fail('certificate', `or one of ${certificateSubjects.join(', ')} must be given, and only one`)
  if (member === undefined) return undefined
  const value = given[member]
  return typeof value === 'string' && value !== '' && value.length <= 1024
    ? [member, value]
    : fail(member, 'must be a string of 1 to 1024 characters')
}

const longestCertificate = 65_536

/** One certificate in PEM, as DER. */
function pemCertificate(pem: unknown, fail: Fail): Uint8Array {
  const mustBe = 'must be one certificate in PEM'
  if (typeof pem !== 'string' || pem.length > longestCertificate || pem.split('-----BEGIN ').length !== 2)
    return fail('certificate', mustBe)
  try {
    return new X509Certificate(pem).raw
  } catch {
    return fail('certificate', mustBe)
  }
}

function checkSpiffeId(value: unknown, fail: Fail): string {
  const problem = spiffeIdPatternProblem(value)
  return problem === undefined && typeof value === 'string' ? value : fail('spiffe_id', problem ?? 'must be a SPIFFE ID')
}

function checkMethodName(method: unknown, fail: Fail): string {
  if (typeof method !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(method))
    return fail('method', 'must be a client authentication method')
  if (isPublicMethod(method)) return fail('method', 'must not be none: whoever may come without proof needs no other method')
  return method
}
