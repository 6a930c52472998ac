/**
 * The one record that the library keeps of a client's credentials; and the client that a source's own and this record
 * make together.
 */
import type { JWK } from 'jose'
import type { Client } from '../clients/client.ts'
import {
  certificateOf,
  certificateSubjects,
  credentialSet,
  federatedOf,
  jwkThumbprint,
  keepCredentials,
  keyOf,
  methodOf,
  secretOf,
  spiffeIdOf,
  subjectOf,
  thumbprintOf,
  type CertificateSubjectMember,
  type ClientSecret,
  type CredentialOfClient,
  type Dated
} from '../clients/credentials.ts'
import { ruleText, type FederatedRule } from '../clients/federated-credential.ts'
import type { SecretKeeper } from '../clients/stored-secret.ts'
import { isEqual } from '../crypto/comparison.ts'

/** Times are seconds since the epoch. */
interface StoredDescription extends Dated {
  readonly id: string
  readonly created_at: number
  readonly label?: string | undefined
  /** Name that decisions call it by. */
  readonly credential: string
  /** Name they call the credential by which its client added it; absent where its operator did. */
  readonly added_by?: string | undefined
  /** Then nothing is left of it but this description. */
  readonly revoked_at?: number | undefined
}

/** One credential the library added. */
export type StoredCredential = StoredDescription &
  (
    | {
        readonly type: 'secret'
        /** The digest of a generated secret; or */
        readonly digest?: string | undefined
        /** a secret the server has to compute with, encrypted; or */
        readonly sealed?: string | undefined
        /** what scrypt made of one that a person made up. */
        readonly hash?: string | undefined
      }
    | { readonly type: 'key'; readonly jwk?: JWK | undefined }
    | { readonly type: 'certificate'; /** DER, base64. */ readonly der?: string | undefined }
    | { readonly type: 'subject'; readonly member: CertificateSubjectMember; readonly value: string }
    | { readonly type: 'method'; readonly method: string }
    | { readonly type: 'federated'; readonly rule: FederatedRule }
    | { readonly type: 'spiffe_id'; readonly spiffe_id: string }
  )

/** The end of a credential that the client's own source has, and that nobody here can take out there. */
interface Ending {
  readonly id: string
  /** Of what the credential is: another one that comes under this id later has not ended. */
  readonly mac: string
  readonly expires_at?: number | undefined
  readonly revoked_at?: number | undefined
}

export interface CredentialRecord {
  /** A MAC of nothing: where it is another by now, no other MAC here can be checked. */
  readonly key_check: string
  readonly credentials: readonly StoredCredential[]
  readonly endings: readonly Ending[]
}

/** Means of turning records into credentials. */
export interface RecordKeeper {
  /** A MAC under a key of the server's that outlives restarts. */
  readonly mac: (purpose: string, data: Uint8Array) => Uint8Array
  readonly secrets: SecretKeeper
  /** Told of a secret whose hash was made with parameters of earlier days. */
  readonly upgrade: (client_id: string, id: string, secret: string) => void
}

export function emptyRecord(keeper: RecordKeeper): CredentialRecord {
  return { key_check: keyCheck(keeper), credentials: [], endings: [] }
}

/**
 * The client with everything it may prove itself with: what its source gave, as far as that has not ended, and what was
 * added. A fresh object: what is cached by a client's identity never survives a change.
 */
export function withRecord(base: Client, record: CredentialRecord, keeper: RecordKeeper): Client {
  const all = credentialsWith(base, record, keeper)
  const { jwks } = base
  const keys = new Set(all.flatMap(one => (one.type === 'key' && one.registered === true ? [one.jwk] : [])))
  const isGone = (member: string): boolean => {
    if (member === 'jwks_uri') return !all.some(({ type }) => type === 'key_set')
    // the id of such a credential is the member's name
    const isCredential = member === 'spiffe_id' || certificateSubjects.some(subject => subject === member)
    return isCredential && !all.some(({ id }) => id === member)
  }
  const members = Object.entries(base).filter(([member]) => !isGone(member))
  const client = Object.freeze({
    ...Object.fromEntries(members),
    ...(jwks !== undefined && { jwks: { ...jwks, keys: jwks.keys.filter(jwk => keys.has(jwk)) } })
  }) as unknown as Client
  keepCredentials(client, all)
  return client
}

/** Everything that has not been revoked. */
export function credentialsWith(base: Client, record: CredentialRecord, keeper: RecordKeeper): readonly CredentialOfClient[] {
  const { client_id } = base
  const configured = credentialSet(base).all.flatMap(credential => {
    const ending = endingOf(client_id, credential, record, keeper)
    if (ending === undefined) return [credential]
    return ending.revoked_at === undefined ? [endedAt(credential, ending.expires_at)] : []
  })
  return [...configured, ...record.credentials.flatMap(stored => restore(client_id, stored, keeper) ?? [])]
}

/** Finds the end that was set for a configured credential; undefined: none was. */
export function endingOf(
  client_id: string,
  credential: CredentialOfClient,
  { endings, key_check }: CredentialRecord,
  keeper: RecordKeeper
): Ending | undefined {
  const named = endings.filter(({ id }) => id === credential.id)
  if (named.length === 0) return undefined
  // under another key nobody can tell whether this is still what was ended: it is taken to be
  if (!isEqual(key_check, keyCheck(keeper))) return named.at(-1)
  const mac = macOf(client_id, credential, keeper)
  return named.find(ending => isEqual(ending.mac, mac))
}

/** Binds an ending to what the credential is now. */
export function macOf(client_id: string, credential: CredentialOfClient, { mac }: RecordKeeper): string {
  const named = Buffer.from(`${client_id.length}:${client_id}${credential.id}\0`)
  return Buffer.from(mac('client_credential_ending', Buffer.concat([named, valueOf(credential)]))).toString('base64url')
}

function keyCheck({ mac }: RecordKeeper): string {
  return Buffer.from(mac('client_credential_key_check', new Uint8Array())).toString('base64url')
}

function valueOf(credential: CredentialOfClient): Uint8Array {
  switch (credential.type) {
    case 'secret': {
      const { value, digest, hash = '' } = credential.secret
      return digest?.value ?? Buffer.from(value ?? hash)
    }
    case 'key':
      return Buffer.from(jwkThumbprint(credential.jwk))
    case 'key_set':
      return Buffer.from(credential.jwks_uri)
    case 'certificate':
      return Buffer.from(thumbprintOf(credential.der))
    case 'subject':
      return Buffer.from(`${credential.member}=${credential.value}`)
    case 'method':
      return Buffer.from(credential.method)
    case 'federated':
      return Buffer.from(ruleText(credential.rule))
    case 'spiffe_id':
      return Buffer.from(credential.spiffe_id)
  }
}

function endedAt(credential: CredentialOfClient, end: number | undefined): CredentialOfClient {
  const expires_at = earlier(credential.expires_at, end)
  if (credential.type === 'secret') return { ...credential, expires_at, secret: { ...credential.secret, expires_at } }
  // with a date it stands no longer among those that have none
  if (credential.type === 'key')
    return { ...credential, id: credential.id, credential: credential.credential, registered: false, expires_at }
  return { ...credential, expires_at }
}

/** The earlier of two ends; undefined is the latest. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}

function restore(client_id: string, stored: StoredCredential, keeper: RecordKeeper): CredentialOfClient | undefined {
  const { id, label, created_at, not_before, expires_at, revoked_at } = stored
  if (revoked_at !== undefined) return undefined
  const described = { id, label, created_at, not_before, expires_at, source: 'stored' } as const
  switch (stored.type) {
    case 'secret':
      return secretOf({ ...restoreSecret(client_id, stored, keeper), not_before }, { label, created_at, source: 'stored' })
    case 'key':
      return stored.jwk === undefined ? undefined : keyOf(described, stored.jwk)
    case 'certificate':
      return stored.der === undefined ? undefined : certificateOf(described, Buffer.from(stored.der, 'base64'))
    case 'subject':
      return subjectOf(described, stored.member, stored.value)
    case 'method':
      return methodOf(described, stored.method)
    case 'federated':
      return federatedOf(described, stored.rule)
    case 'spiffe_id':
      return spiffeIdOf(described, stored.spiffe_id)
  }
}

function restoreSecret(
  client_id: string,
  { id, created_at, expires_at, hash, digest, sealed }: Extract<StoredCredential, { type: 'secret' }>,
  { secrets, upgrade }: RecordKeeper
): ClientSecret {
  if (hash !== undefined) return { id, expires_at, hash, upgrade: secret => upgrade(client_id, id, secret) }
  return secrets.restore(client_id, { type: 'secret', id, created_at, expires_at, digest, sealed })
}
