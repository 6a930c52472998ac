/** Adding to a client's credentials: what may be added, and what is kept of it. */
import type { JWK } from 'jose'
import { asymmetricAlgorithms } from '../client-keys/algorithms.ts'
import { certificateSubjectProblem } from '../certificates/subject.ts'
import { CertificateError, parseCertificate } from '../certificates/x509/certificate.ts'
import { importPublicKey, unsuitable } from '../client-keys/public-keys.ts'
import type { Client } from '../clients/client.ts'
import { generateSecret, isPublicMethod, needsReadableSecret, secretMethods } from '../clients/methods.ts'
import {
  checkSecretHash,
  checkSecretValue,
  readCredentials,
  type CertificateCredential
} from '../clients/configured-credentials.ts'
import {
  certificateSubjects,
  jwkThumbprint,
  keyCredential,
  type CertificateSubjectMember,
  type CredentialOfClient
} from '../clients/credentials.ts'
import { addCredential, checkCredentialOptions, checkFuture, newCredentialId, type CredentialOptions } from './changes.ts'
import { CredentialError } from './credential-error.ts'
import { credentialsWith, emptyRecord, type RecordKeeper, type StoredCredential } from './record.ts'
import type { CredentialRecords } from './records.ts'
import { hashSecret, saltOf } from './secrets/human-secret.ts'
import type { LastUses } from './last-use.ts'
import type { EventListener } from '../events/event-source.ts'
import type { CredentialEvent } from '../events/events.ts'
import { checkKeys, ConfigurationError } from '../options.ts'

/** A credential that was added. */
export interface AddedCredential {
  /** Names it among the client's. */
  readonly id: string
  /** As decisions and events call it. */
  readonly credential: string
  /** Seconds since the epoch; absent: never. */
  readonly expires_at?: number
}

/** A generated secret, in clear: this once, and never again. */
export interface NewSecret extends AddedCredential {
  /** The secret itself. */
  readonly client_secret: string
}

export interface RotateSecretOptions extends CredentialOptions {
  /** Seconds since the epoch from which the client's other secrets are refused. Default: they go on as they are. */
  readonly previousExpiresAt?: number | undefined
}

/** One subject of a client's certificates, by its registered name (RFC 8705 §2.1.2). */
export type CertificateSubject = Readonly<Partial<Record<CertificateSubjectMember, string>>>

export interface CredentialFunctionsContext {
  readonly issuer: string
  readonly clock: () => number
  readonly random: (size: number) => Uint8Array
  readonly methods: () => readonly string[]
  readonly emit: EventListener | undefined
  readonly records: CredentialRecords
  readonly keeper: RecordKeeper
  readonly uses: LastUses
  /** Rejects with CredentialError where there is no client that can have credentials. */
  readonly find: (client_id: string) => Promise<Client>
}

const optionKeys = ['label', 'not_before', 'expires_at', 'addedBy']

/** Everything that is stored of a credential but its description. */
type Material = Readonly<Record<string, unknown>> & { readonly type: StoredCredential['type'] }

export async function rotateSecret(
  context: CredentialFunctionsContext,
  client_id: string,
  given: RotateSecretOptions
): Promise<NewSecret> {
  const { previousExpiresAt, ...options } = given
  checkFuture(previousExpiresAt, 'previousExpiresAt', seconds(context))
  const client = await context.find(client_id)
  const { all, readable } = await secretsFor(context, client)
  if (!all.some(method => secretMethods.includes(method)))
    throw new CredentialError('not_allowed', 'the client may use no method that takes a secret: allow it one first')
  const value = generateSecret(context.random, readable)
  const material = (id: string): Material => kept(context, client_id, { id, value, readable })
  const added = await add(context, client, options, { material, previousEnd: previousExpiresAt })
  return { ...added, client_secret: value }
}

export async function importSecret(
  context: CredentialFunctionsContext,
  client_id: string,
  secret: string,
  options: CredentialOptions
): Promise<AddedCredential> {
  checkSecretValue(secret, (_, mustBe) => wrong('secret', mustBe))
  if (secret.length < 8) wrong('secret', 'must be a string of 8 to 1024 characters')
  checkOptions(context, options)
  const client = await context.find(client_id)
  const { readable, salt } = await secretsFor(context, client)
  const hash = readable ? undefined : await hashSecret(secret, salt)
  const material = (id: string): Material =>
    hash === undefined ? kept(context, client_id, { id, value: secret, readable }) : { type: 'secret', hash }
  return add(context, client, options, { material })
}

export async function importSecretHash(
  context: CredentialFunctionsContext,
  client_id: string,
  hash: string,
  options: CredentialOptions
): Promise<AddedCredential> {
  checkSecretHash(hash, (_, mustBe) => wrong('hash', mustBe))
  checkOptions(context, options)
  const client = await context.find(client_id)
  const { all } = await secretsFor(context, client)
  if (!all.some(method => secretMethods.includes(method) && !needsReadableSecret(method)))
    throw new CredentialError('not_allowed', 'the client may use no method that a hash does for: allow it one first')
  return add(context, client, options, { material: () => ({ type: 'secret', hash }) })
}

/** The client's methods, whether one of them computes with the secret itself, and the salt of its other hashes. */
async function secretsFor({ records, keeper }: CredentialFunctionsContext, client: Client) {
  const { value: record = emptyRecord(keeper) } = await records.load(client.client_id)
  const credentials = credentialsWith(client, record, keeper)
  const all = credentials.flatMap(one => (one.type === 'method' ? [one.method] : []))
  const hashes = credentials.flatMap(one => (one.type === 'secret' && one.secret.hash !== undefined ? [one.secret.hash] : []))
  // one computation does for all secrets of one salt, and so a wrong one costs no more at a client with several
  const salt = hashes.map(saltOf).find(found => found !== undefined)
  return { all, readable: all.some(needsReadableSecret), salt }
}

function kept(
  { keeper, clock }: CredentialFunctionsContext,
  client_id: string,
  secret: { readonly id: string; readonly value: string; readonly readable: boolean }
): Material {
  return { ...keeper.secrets.keep(client_id, { ...secret, created_at: Math.floor(clock() / 1000) }) }
}

export async function addKey(
  context: CredentialFunctionsContext,
  client_id: string,
  given: JWK,
  options: CredentialOptions
): Promise<AddedCredential> {
  const { jwk } = readOne({ type: 'key', id: 'new', jwk: given }) as Extract<CredentialOfClient, { type: 'key' }>
  const algorithms = [...asymmetricAlgorithms.keys()].filter(alg => unsuitable(jwk, alg) === undefined)
  const [alg] = algorithms
  if (alg === undefined || (await importPublicKey(jwk, alg)) === undefined)
    wrong('jwk', 'must be a public key that can verify what the client signs')
  const client = await context.find(client_id)
  const credential = keyCredential(jwk)
  const known = await findKey(context, client, jwk)
  if (known !== undefined) return known
  const same = (other: CredentialOfClient): boolean => other.type === 'key' && other.credential === credential
  return add(context, client, options, { material: () => ({ type: 'key', jwk }), credential, same })
}

/** The very same key under the very same name is no second one. */
async function findKey(
  { records, keeper, clock }: CredentialFunctionsContext,
  client: Client,
  jwk: JWK
): Promise<AddedCredential | undefined> {
  const { value: record = emptyRecord(keeper) } = await records.load(client.client_id)
  const now = clock() / 1000
  const known = credentialsWith(client, record, keeper).find(
    one =>
      one.type === 'key' &&
      (one.expires_at === undefined || one.expires_at > now) &&
      one.credential === keyCredential(jwk) &&
      jwkThumbprint(one.jwk) === jwkThumbprint(jwk)
  )
  if (known === undefined) return undefined
  const { id, credential, expires_at } = known
  return { id, credential, ...(expires_at !== undefined && { expires_at }) }
}

export async function addCertificate(
  context: CredentialFunctionsContext,
  client_id: string,
  given: string | CertificateSubject,
  options: CredentialOptions
): Promise<AddedCredential> {
  if (typeof given !== 'string') checkKeys(given, certificateSubjects)
  const subject = typeof given === 'string' ? { certificate: given } : given
  const read = readOne({ type: 'certificate', id: 'new', ...subject } satisfies CertificateCredential)
  const client = await context.find(client_id)
  if (read.type === 'certificate') {
    checkCertificate(read.der)
    const material = (): Material => ({ type: 'certificate', der: Buffer.from(read.der).toString('base64') })
    const same = (other: CredentialOfClient): boolean => other.type === 'certificate' && other.credential === read.credential
    return add(context, client, options, { material, credential: read.credential, same })
  }
  const { member, value } = read as Extract<CredentialOfClient, { type: 'subject' }>
  const problem = certificateSubjectProblem(member, value)
  if (problem !== undefined) wrong(member, `must be another value: it ${problem}`)
  const same = (other: CredentialOfClient): boolean =>
    other.type === 'subject' && other.member === member && other.value === value
  return add(context, client, options, { material: () => ({ type: 'subject', member, value }), same })
}

function checkCertificate(der: Uint8Array): void {
  try {
    parseCertificate(der)
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    wrong('certificate', `must be another one: this one ${error.message}`)
  }
}

export async function allowMethod(
  context: CredentialFunctionsContext,
  client_id: string,
  method: string,
  options: CredentialOptions
): Promise<AddedCredential> {
  if (isPublicMethod(method) || !context.methods().includes(method))
    throw new CredentialError(
      'not_allowed',
      `the method must be one of ${context
        .methods()
        .filter(name => !isPublicMethod(name))
        .join(', ')}`
    )
  const same = (other: CredentialOfClient): boolean => other.type === 'method' && other.method === method
  const client = await context.find(client_id)
  return add(context, client, options, { material: () => ({ type: 'method', method }), credential: `method:${method}`, same })
}

/** Adds what was read of a credential, and tells of it. */
export async function add(
  context: CredentialFunctionsContext,
  client: Client,
  options: CredentialOptions,
  given: {
    readonly material: (id: string) => Material
    /** Default: `<type>:<id>`. */
    readonly credential?: string
    readonly same?: (other: CredentialOfClient) => boolean
    readonly previousEnd?: number | undefined
  }
): Promise<AddedCredential> {
  checkOptions(context, options)
  const { label, not_before, expires_at, addedBy: added_by } = options
  const id = newCredentialId(context.random)
  const material = given.material(id)
  const credential = given.credential ?? `${material.type}:${id}`
  const described = { id, label, created_at: seconds(context), not_before, expires_at, credential, added_by }
  const stored = { ...material, ...described } as StoredCredential
  await addCredential(context, client, {
    credential: stored,
    previousEnd: given.previousEnd,
    ...(given.same && { same: given.same })
  })
  tell(context, 'credential.added', client.client_id, described)
  return { id, credential, ...(expires_at !== undefined && { expires_at }) }
}

/** A credential as it is read from a client's metadata. @throws ConfigurationError naming the member that is wrong. */
export function readOne(given: object): CredentialOfClient {
  const [read] = readCredentials([given], (member, mustBe) => wrong(member.replace('credentials[0].', ''), mustBe))
  return read ?? wrong('credential', 'must be given')
}

function checkOptions(context: CredentialFunctionsContext, options: CredentialOptions): void {
  checkKeys(options, optionKeys)
  checkCredentialOptions(options, seconds(context))
}

export function seconds({ clock }: CredentialFunctionsContext): number {
  return Math.floor(clock() / 1000)
}

function wrong(argument: string, mustBe: string): never {
  throw new ConfigurationError(argument, mustBe)
}

type ToldCredential = Pick<CredentialEvent, 'credential' | 'label' | 'expires_at' | 'added_by'>

export function tell(
  context: CredentialFunctionsContext,
  type: 'credential.added' | 'credential.revoked',
  client_id: string,
  { credential, label, expires_at, added_by }: ToldCredential
): void {
  const { issuer, clock, emit } = context
  const more = {
    ...(label !== undefined && { label }),
    ...(expires_at !== undefined && { expires_at }),
    ...(added_by !== undefined && { added_by })
  }
  emit?.({ type, at: clock(), issuer, client_id, credential, ...more })
}
