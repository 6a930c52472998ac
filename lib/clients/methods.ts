/**
 * The client authentication methods of the specifications: what each takes for proof. Whatever differs by method
 * follows from this one table.
 */
import { certificateSubjects, type CertificateSubjectMember, type CredentialOfClient } from './credentials.ts'
import type { Fail } from './metadata/kinds.ts'

/** Facts about one method. */
interface MethodFacts {
  /** The kinds of credential it takes for proof; the first is the one a client is asked to register. */
  readonly accepts: readonly Exclude<CredentialOfClient['type'], 'method'>[]
  /** It computes with the secret itself: what is kept as a digest is of no use to it. */
  readonly readableSecret?: true
  /** The certificate of the connection is the proof, or carries it. */
  readonly certificate?: true
  /** The keys of its clients come with their certificates. */
  readonly certifiedKeys?: true
  /** The proof of its clients comes from another platform, which the server has to trust. */
  readonly workload?: true
  /** The FAPI 2.0 Security Profile lets it be used (§5.3.2.1 (6)). */
  readonly fapi?: true
  /** Somebody else's word proves its clients, who register nothing for it. */
  readonly vouched?: true
  /** It proves nothing (RFC 6749 §2.1). */
  readonly public?: true
}

/** RFC 7591 §2: the method of a client that names none. */
export const defaultMethod = 'client_secret_basic'

/**
 * By `token_endpoint_auth_method`. A method that is not here is the application's own, and has credentials of its own.
 */
export const methodFacts: ReadonlyMap<string, MethodFacts> = new Map<string, MethodFacts>([
  [defaultMethod, { accepts: ['secret'] }],
  ['client_secret_post', { accepts: ['secret'] }],
  ['client_secret_jwt', { accepts: ['secret'], readableSecret: true }],
  ['private_key_jwt', { accepts: ['key', 'key_set'], fapi: true }],
  ['tls_client_auth', { accepts: ['subject'], certificate: true, fapi: true }],
  [
    'self_signed_tls_client_auth',
    { accepts: ['key', 'key_set', 'certificate'], certificate: true, certifiedKeys: true, fapi: true }
  ],
  // the tokens are the platform's, whatever it signs with; who may use them under the profile is bound to a key or a
  // certificate
  ['federated_jwt', { accepts: ['federated'], workload: true, fapi: true }],
  ['spiffe_jwt', { accepts: ['spiffe_id'], workload: true, fapi: true }],
  ['spiffe_x509', { accepts: ['spiffe_id'], workload: true, certificate: true, fapi: true }],
  ['attest_jwt_client_auth', { accepts: [], vouched: true }],
  ['attest_jwt_client_auth_dpop', { accepts: [], vouched: true }],
  ['none', { accepts: [], public: true }]
])

/** The names of those of which something is true. */
export function methodsThat(is: (facts: MethodFacts) => boolean): readonly string[] {
  return [...methodFacts].flatMap(([name, facts]) => (is(facts) ? [name] : []))
}

/** Whether a method proves nothing. */
export function isPublicMethod(method: string): boolean {
  return methodFacts.get(method)?.public === true
}

/** Whether what proves a method's clients is made and signed by another platform, with the algorithms of its choice. */
export function isWorkloadMethod(method: string): boolean {
  return methodFacts.get(method)?.workload === true
}

/** Whether a method's clients sign JWTs of their own: metadata says with which algorithms they may (RFC 8414 §2). */
export function signsAssertions(method: string): boolean {
  return method.endsWith('_jwt') && !isWorkloadMethod(method)
}

/** Whether a method takes this kind of credential, as far as is known of it. */
export function methodAccepts(method: string, type: CredentialOfClient['type']): boolean {
  return methodFacts.get(method)?.accepts.some(accepted => accepted === type) === true
}

/** Whether a method computes with the secret itself. */
export function needsReadableSecret(method: string): boolean {
  return methodFacts.get(method)?.readableSecret === true
}

/**
 * Generates a secret: for a method that computes with it 48 bytes, which base64url makes as long as its longest hash
 * (RFC 7518 §3.2), and for the others 32, which are 256 bits.
 */
export function generateSecret(random: (size: number) => Uint8Array, readable: boolean): string {
  return Buffer.from(random(readable ? 48 : 32)).toString('base64url')
}

/** The methods that need a `client_secret`. */
export const secretMethods = methodsThat(({ accepts }) => accepts.includes('secret'))
/** The methods a client proves itself by. */
export const provingMethods = methodsThat(facts => facts.public !== true)

/** The member that a kind of credential is registered as, and what is said where it is missing. */
const registeredAs: Readonly<Partial<Record<CredentialOfClient['type'], readonly [string, string]>>> = {
  secret: ['client_secret', 'must be given'],
  key: ['jwks', 'or jwks_uri must be given'],
  federated: ['federated_credentials', 'must be given'],
  spiffe_id: ['spiffe_id', 'must be given'],
  subject: [certificateSubjects[0], `or another of ${certificateSubjects.slice(1).join(', ')} must be given`]
}

/** The metadata of a client, as far as its method needs any of it. */
interface MethodMetadata extends Readonly<Partial<Record<CertificateSubjectMember, string | undefined>>> {
  readonly token_endpoint_auth_method?: string | undefined
  readonly token_endpoint_auth_signing_alg?: string | undefined
  readonly client_secret?: string | undefined
  readonly jwks?: object | undefined
  readonly jwks_uri?: string | undefined
  readonly federated_credentials?: readonly object[] | undefined
  readonly spiffe_id?: string | undefined
}

/**
 * A method that needs what is not there would never work.
 *
 * @param hasSecrets whether it has secrets that its metadata does not show.
 * @param added its `credentials`.
 */
export function checkMethodNeeds(
  metadata: MethodMetadata,
  fail: Fail,
  hasSecrets: boolean,
  added: readonly CredentialOfClient[]
): void {
  const method = metadata.token_endpoint_auth_method ?? defaultMethod
  const { accepts, public: isPublic } = methodFacts.get(method) ?? { accepts: [] }
  const has: Readonly<Record<string, boolean>> = {
    secret: metadata.client_secret !== undefined || hasSecrets,
    key: metadata.jwks !== undefined,
    key_set: metadata.jwks_uri !== undefined,
    federated: (metadata.federated_credentials ?? []).length > 0,
    spiffe_id: metadata.spiffe_id !== undefined,
    subject: certificateSubjects.some(member => metadata[member] !== undefined)
  }
  const [first] = accepts
  if (first !== undefined && !accepts.some(type => has[type] === true || added.some(one => one.type === type))) {
    const [member, mustBe] = registeredAs[first] ?? [first, 'must be given']
    fail(member, `${mustBe} for ${method}`)
  }
  if (isPublic === true && added.length > 0)
    fail('credentials', `must not be given for a client of the method ${method}: it proves nothing`)
  checkSecretLengths(metadata, fail, added)
}

/** RFC 7518 §3.2: a key is at least as long as the hash it is used with. */
function checkSecretLengths(metadata: MethodMetadata, fail: Fail, added: readonly CredentialOfClient[]): void {
  const methods = [
    metadata.token_endpoint_auth_method ?? defaultMethod,
    ...added.flatMap(one => (one.type === 'method' ? [one.method] : []))
  ]
  const method = methods.find(needsReadableSecret)
  if (method === undefined) return
  const alg = metadata.token_endpoint_auth_signing_alg ?? 'HS256'
  const least = Number(/^HS(\d{3})$/.exec(alg)?.[1] ?? 256) / 8
  const isShort = (value: string | undefined): boolean => value !== undefined && Buffer.byteLength(value) < least
  const mustBe = `must be at least ${least} bytes long for ${method} with ${alg} (RFC 7518 §3.2)`
  if (isShort(metadata.client_secret)) fail('client_secret', mustBe)
  added.forEach((one, index) => {
    if (one.type === 'secret' && isShort(one.secret.value)) fail(`credentials[${index}].value`, mustBe)
  })
}
