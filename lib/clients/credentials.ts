/**
 * Credentials that a client may prove itself with: secrets, keys, certificates, platforms' words, SPIFFE IDs and
 * methods side by side, each with dates of its own. Kept apart from the client, so that logging it shows none.
 */
import type { JWK } from 'jose'
import { isLive, type Dated } from './dated.ts'
import { ruleId, type FederatedCredential, type FederatedRule } from './federated-credential.ts'
import { jwkThumbprint, keyCredential, thumbprintOf } from './thumbprints.ts'

export { isLive, type Dated } from './dated.ts'
export { jwkThumbprint, keyCredential, thumbprintOf } from './thumbprints.ts'

/** One secret of a client: readable, or kept as a digest alone. One that is neither matches nothing. */
export interface ClientSecret {
  readonly id: string
  /** The secret itself, where it is readable. */
  readonly value?: string | undefined
  /**
   * Digest kept in its place, and the function that made it, which takes no longer for one string than for another of
   * its length.
   */
  readonly digest?: { readonly value: Uint8Array; readonly of: (secret: string) => Uint8Array } | undefined
  /** Hash kept in place of one that a person made up, as `hashSecret()` made it. */
  readonly hash?: string | undefined
  /** Told of the secret where its hash was made with parameters of earlier days. */
  readonly upgrade?: ((secret: string) => void) | undefined
  /** Seconds since the epoch. */
  readonly not_before?: number | undefined
  /** Seconds since the epoch; undefined: never. */
  readonly expires_at: number | undefined
}

/** The members of which `tls_client_auth` needs exactly one (RFC 8705 §2.1.2). */
export const certificateSubjects = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email'
] as const

export type CertificateSubjectMember = (typeof certificateSubjects)[number]

/** Members of every credential. */
export interface CredentialDescription extends Dated {
  /** Unique among the client's. */
  readonly id: string
  readonly label?: string | undefined
  /** Seconds since the epoch, where it is known. */
  readonly created_at?: number | undefined
  /** `configured`: the client's own source says so. `stored`: this library added it. */
  readonly source: 'configured' | 'stored'
  /**
   * Name that decisions, events and records of use call it by: `secret:<id>`, `kid:<kid>`, `x5t#S256:<thumbprint>`,
   * `method:<method>`, …
   */
  readonly credential: string
}

interface SecretOfClient extends CredentialDescription {
  readonly type: 'secret'
  readonly secret: ClientSecret
}

export interface KeyOfClient extends CredentialDescription {
  readonly type: 'key'
  readonly jwk: JWK
  /** True: it stands in the client's `jwks`, where whoever needs keys looks first. */
  readonly registered?: boolean | undefined
}

interface KeySetOfClient extends CredentialDescription {
  readonly type: 'key_set'
  readonly jwks_uri: string
}

interface CertificateOfClient extends CredentialDescription {
  readonly type: 'certificate'
  readonly der: Uint8Array
}

export interface SubjectOfClient extends CredentialDescription {
  readonly type: 'subject'
  readonly member: CertificateSubjectMember
  readonly value: string
}

interface MethodOfClient extends CredentialDescription {
  readonly type: 'method'
  /** A `token_endpoint_auth_method` value. */
  readonly method: string
}

/** Another platform's tokens. */
export interface FederatedOfClient extends CredentialDescription {
  readonly type: 'federated'
  readonly rule: FederatedRule
}

export interface SpiffeIdOfClient extends CredentialDescription {
  readonly type: 'spiffe_id'
  /** Ends in `/*` where any below it will do. */
  readonly spiffe_id: string
}

export type CredentialOfClient =
  | SecretOfClient
  | KeyOfClient
  | KeySetOfClient
  | CertificateOfClient
  | SubjectOfClient
  | MethodOfClient
  | FederatedOfClient
  | SpiffeIdOfClient

/** A client, as far as what it registered amounts to credentials. */
interface CredentialHolder extends Readonly<Partial<Record<CertificateSubjectMember, string | undefined>>> {
  readonly token_endpoint_auth_method: string
  readonly jwks?: { readonly keys: readonly JWK[] } | undefined
  readonly jwks_uri?: string | undefined
  readonly federated_credentials?: readonly FederatedCredential[] | undefined
  readonly spiffe_id?: string | undefined
}

/** All of one client's, and by what they are for. Dates are not looked at: see {@link isLive}. */
interface CredentialSet {
  readonly all: readonly CredentialOfClient[]
  readonly secrets: readonly ClientSecret[]
  /** Beside those in `jwks`. The newest first. */
  readonly keys: readonly KeyOfClient[]
  /** Undefined where the client has no `jwks_uri` that may be asked. */
  readonly keySet: KeySetOfClient | undefined
  readonly certificates: readonly CertificateOfClient[]
  readonly subjects: readonly SubjectOfClient[]
  readonly methods: readonly MethodOfClient[]
  readonly federated: readonly FederatedOfClient[]
  readonly spiffeIds: readonly SpiffeIdOfClient[]
}

const setsOf = new WeakMap<CredentialHolder, CredentialSet>()

/**
 * The credentials of a client. One that a registry of the application's own made has what its members say, and no
 * secret.
 */
export function credentialSet(client: CredentialHolder): CredentialSet {
  const known = setsOf.get(client)
  if (known !== undefined) return known
  const set = credentialSetOf(registeredCredentials(client, []))
  setsOf.set(client, set)
  return set
}

/** Gives a fresh client its credentials. Called once for each client, by whoever makes it. */
export function keepCredentials(client: CredentialHolder, all: readonly CredentialOfClient[]): void {
  setsOf.set(client, credentialSetOf(all))
}

/** The client's secrets: kept apart from the client, so that logging a client shows none. */
export function clientSecrets(client: CredentialHolder): readonly ClientSecret[] {
  return credentialSet(client).secrets
}

/**
 * Whether a client may use a method now, in seconds since the epoch: the one it is registered for, or one allowed
 * beside it within its dates.
 */
export function mayUseMethod(client: CredentialHolder, method: string, now: number): boolean {
  return credentialSet(client).methods.some(allowed => allowed.method === method && isLive(allowed, now))
}

let seenHash = false

/**
 * Whether any client of this process has a secret that a person made up: then every refusal costs what such a secret
 * costs.
 */
export function humanSecretsSeen(): boolean {
  return seenHash
}

function credentialSetOf(all: readonly CredentialOfClient[]): CredentialSet {
  const ofType = <T extends CredentialOfClient['type']>(type: T) =>
    all.filter((one): one is Extract<CredentialOfClient, { type: T }> => one.type === type)
  const secrets = ofType('secret').map(({ secret }) => secret)
  seenHash ||= secrets.some(({ hash }) => hash !== undefined)
  return {
    all,
    secrets,
    keys: ofType('key')
      .filter(({ registered }) => registered !== true)
      .reverse(),
    keySet: ofType('key_set')[0],
    certificates: ofType('certificate'),
    subjects: ofType('subject'),
    methods: ofType('method'),
    federated: ofType('federated'),
    spiffeIds: ofType('spiffe_id')
  }
}

/** Turns all that a client is registered with into credentials, one each. The method is the one it registered. */
export function registeredCredentials(client: CredentialHolder, secrets: readonly ClientSecret[]): readonly CredentialOfClient[] {
  const { token_endpoint_auth_method: method, jwks, jwks_uri, federated_credentials = [], spiffe_id } = client
  const source = 'configured'
  return [
    ...secrets.map(secret => secretOf(secret, { source })),
    ...(jwks?.keys ?? []).filter(isObject).map(jwk => registeredKey(jwk)),
    ...(jwks_uri === undefined ? [] : [{ type: 'key_set', id: 'jwks_uri', credential: 'jwks_uri', source, jwks_uri } as const]),
    ...certificateSubjects.flatMap(member => {
      const value = client[member]
      return value === undefined ? [] : [subjectOf({ id: member, source }, member, value)]
    }),
    ...federated_credentials.map(given => registeredFederated(given)),
    ...(spiffe_id === undefined ? [] : [spiffeIdOf({ id: registeredSpiffeId, source }, spiffe_id)]),
    methodOf({ id: registeredMethodId, source }, method)
  ]
}

/** The id of the method a client is registered for. */
const registeredMethodId = 'token_endpoint_auth_method'
/** The id of its registered SPIFFE ID. */
const registeredSpiffeId = 'spiffe_id'

/** The ids that registered members have; `credentials` of a client may not use them. */
export function isRegisteredId(id: string): boolean {
  return (
    id === registeredMethodId ||
    id === registeredSpiffeId ||
    id === 'jwks_uri' ||
    id.startsWith('jwks:') ||
    certificateSubjects.some(member => member === id)
  )
}

type Described = Omit<CredentialDescription, 'credential'>

// what is copied comes last: V8 makes a hidden class for each object that begins as a copy and gets more members

export function secretOf(secret: ClientSecret, described: Omit<Described, 'id' | keyof Dated>): SecretOfClient {
  const { id, not_before, expires_at } = secret
  return { type: 'secret', id, not_before, expires_at, credential: `secret:${id}`, secret, ...described }
}

export function keyOf(described: Described, jwk: JWK): KeyOfClient {
  return { type: 'key', credential: keyCredential(jwk), jwk, ...described }
}

export function certificateOf(described: Described, der: Uint8Array): CertificateOfClient {
  return { type: 'certificate', credential: `x5t#S256:${thumbprintOf(der)}`, der, ...described }
}

export function subjectOf(described: Described, member: CertificateSubjectMember, value: string): SubjectOfClient {
  return { type: 'subject', credential: `subject:${described.id}`, member, value, ...described }
}

export function methodOf(described: Described, method: string): MethodOfClient {
  return { type: 'method', credential: `method:${method}`, method, ...described }
}

export function federatedOf(described: Described, rule: FederatedRule): FederatedOfClient {
  return { type: 'federated', credential: `federated:${described.id}`, rule, ...described }
}

export function spiffeIdOf(described: Described, spiffe_id: string): SpiffeIdOfClient {
  return { type: 'spiffe_id', credential: `spiffe_id:${described.id}`, spiffe_id, ...described }
}

/** The id a federated credential has among the client's. */
export function federatedId(given: FederatedCredential): string {
  return given.id ?? ruleId(given)
}

function registeredFederated(given: FederatedCredential): FederatedOfClient {
  const { label, not_before, expires_at, issuer, subject, audience, claims } = given
  const described = { id: federatedId(given), label, not_before, expires_at, source: 'configured' } as const
  return federatedOf(described, { issuer, subject, audience, claims })
}

/** Named when somebody asks: a client's keys are seldom listed, and thumbprints are work. */
function registeredKey(jwk: JWK): KeyOfClient {
  return {
    type: 'key',
    source: 'configured',
    registered: true,
    jwk,
    get id() {
      return `jwks:${jwkThumbprint(jwk)}`
    },
    get credential() {
      return keyCredential(jwk)
    }
  }
}

function isObject(value: unknown): value is JWK {
  return typeof value === 'object' && value !== null
}
