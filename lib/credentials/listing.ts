/** Descriptions of a client's credentials: everything that may be said of them, and so never a secret. */
import type { Client } from '../clients/client.ts'
import type { FederatedRule } from '../clients/federated-credential.ts'
import { methodAccepts, methodFacts, needsReadableSecret } from '../clients/methods.ts'
import { credentialSet, isLive, type CredentialDescription, type CredentialOfClient, type Dated } from '../clients/credentials.ts'
import { credentialsWith, earlier, endingOf, type CredentialRecord, type RecordKeeper, type StoredCredential } from './record.ts'

/** One of a client's credentials. Never a secret or anything made from one. Times are seconds since the epoch. */
export interface CredentialInfo {
  /** Names it to the functions that change it. */
  readonly id: string
  /** The kind of credential. */
  readonly type: 'secret' | 'key' | 'certificate' | 'method' | 'federated' | 'spiffe_id'
  /**
   * As decisions and events call it: `secret:<id>`, `kid:<kid>`, `x5t#S256:<thumbprint>`, `method:<method>`,
   * `subject:<id>`, `federated:<id>`, `spiffe_id:<id>` or `jwks_uri`.
   */
  readonly credential: string
  /** The name its operator gave it. */
  readonly label?: string
  /** Absent where it is configured: nobody said. */
  readonly created_at?: number
  /** Seconds since the epoch before which it is refused. */
  readonly not_before?: number
  /** Seconds since the epoch from which it is refused. */
  readonly expires_at?: number
  /** Seconds since the epoch at which it was taken back. */
  readonly revoked_at?: number
  /** To the minute; absent: never, as far as is known. Which key of a `jwks_uri` it was is not told apart. */
  readonly last_used_at?: number
  /** The credential by which the client added it, as decisions call it; absent where its operator did. */
  readonly added_by?: string
  /** `configured`: the client's own source, such as its `client_secret`. `stored`: added here. */
  readonly source: 'configured' | 'stored'
  /** Its state at the moment of asking. */
  readonly state: 'live' | 'pending' | 'expired' | 'revoked'
  /** The certificate subject it is, such as `tls_client_auth_san_dns=client.example.com`. */
  readonly subject?: string
  /** Address of the keys. */
  readonly jwks_uri?: string
  /** Rule of the tokens it stands for: whose they are, and which of them. */
  readonly rule?: FederatedRule
  /** The SPIFFE ID; ends in `/*` where any below it will do. */
  readonly spiffe_id?: string
}

type Undated = Omit<CredentialInfo, 'last_used_at'>

/** All of a client's credentials as they are now, what was revoked too; the configured first. */
export function describeCredentials(
  base: Client,
  record: CredentialRecord | undefined,
  keeper: RecordKeeper,
  now: number
): readonly Undated[] {
  const configured = credentialSet(base).all.map(credential => {
    const ending = record && endingOf(base.client_id, credential, record, keeper)
    const expires_at = earlier(credential.expires_at, ending?.expires_at)
    return describe(credential, { expires_at, revoked_at: ending?.revoked_at }, now)
  })
  return [...configured, ...(record?.credentials ?? []).map(stored => describeStored(stored, now))]
}

/** Seconds since the epoch. */
interface Ends {
  readonly expires_at?: number | undefined
  readonly revoked_at?: number | undefined
}

function describeStored(stored: StoredCredential, now: number): Undated {
  return describe({ ...stored, source: 'stored' }, stored, now)
}

type Describable = CredentialDescription & {
  readonly type: CredentialOfClient['type']
  readonly member?: string
  readonly value?: string
  readonly jwks_uri?: string
  readonly added_by?: string | undefined
  readonly rule?: FederatedRule
  readonly spiffe_id?: string
}

function describe(credential: Describable, { expires_at, revoked_at }: Ends, now: number): Undated {
  const { id, label, created_at, not_before, source, member, value, jwks_uri, added_by, rule, spiffe_id } = credential
  return {
    id,
    type: typeNames[credential.type],
    credential: credential.credential,
    ...(label !== undefined && { label }),
    ...(created_at !== undefined && { created_at }),
    ...(not_before !== undefined && { not_before }),
    ...(expires_at !== undefined && { expires_at }),
    ...(revoked_at !== undefined && { revoked_at }),
    ...(added_by !== undefined && { added_by }),
    source,
    state: stateOf({ not_before, expires_at, revoked_at }, now),
    ...(member !== undefined && { subject: `${member}=${value ?? ''}` }),
    ...(jwks_uri !== undefined && { jwks_uri }),
    ...(rule !== undefined && { rule }),
    ...(spiffe_id !== undefined && { spiffe_id })
  }
}

const typeNames: Readonly<Record<CredentialOfClient['type'], CredentialInfo['type']>> = {
  secret: 'secret',
  key: 'key',
  key_set: 'key',
  certificate: 'certificate',
  subject: 'certificate',
  method: 'method',
  federated: 'federated',
  spiffe_id: 'spiffe_id'
}

function stateOf(dates: Dated & Ends, now: number): CredentialInfo['state'] {
  if (dates.revoked_at !== undefined) return 'revoked'
  if (dates.expires_at !== undefined && dates.expires_at <= now) return 'expired'
  return isLive(dates, now) ? 'live' : 'pending'
}

/**
 * Whether a client with these credentials could authenticate now: by a method it may use, with something that method
 * takes.
 */
function canAuthenticate(all: readonly CredentialOfClient[], now: number): boolean {
  const live = all.filter(credential => isLive(credential, now))
  return live.some(credential => {
    if (credential.type !== 'method') return false
    const { method } = credential
    // a method of the application's own has credentials of its own; and what proves a client that is vouched for is not
    // listed
    if (methodFacts.get(method)?.vouched ?? !methodFacts.has(method)) return true
    const readable = needsReadableSecret(method)
    return live.some(
      one => methodAccepts(method, one.type) && !(readable && one.type === 'secret' && one.secret.value === undefined)
    )
  })
}

/** The same, for a client and its record. */
export function canStillAuthenticate(base: Client, record: CredentialRecord, keeper: RecordKeeper, now: number): boolean {
  return canAuthenticate(credentialsWith(base, record, keeper), now)
}
