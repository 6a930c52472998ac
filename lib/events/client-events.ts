/** Events of clients: their registrations, their documents, their configuration and their credentials. */
import type { EventBase } from './event-base.ts'

/**
 * A client registered itself, changed what it registered, or ended its registration; or its operator added, disabled or
 * enabled it.
 */
export interface ClientEvent extends EventBase {
  /** Tells this event from others. */
  readonly type: 'client.registered' | 'client.changed' | 'client.ended' | 'client.added' | 'client.disabled' | 'client.enabled'
  /** The client it happened to. */
  readonly client_id: string
  /** The method it is registered for. */
  readonly token_endpoint_auth_method?: string | undefined
}

/** The document of a client was fetched, and is kept for a while. */
export interface ClientDocumentFetched extends EventBase {
  /** Tells this event from others. */
  readonly type: 'client_document.fetched'
  /** The client, by its document's address. */
  readonly client_id: string
  /** Seconds it is kept. */
  readonly expires_in: number
}

/** A client's document says something else than when it was fetched last. */
export interface ClientDocumentChanged extends EventBase {
  /** Tells this event from others. */
  readonly type: 'client_document.changed'
  /** The client, by its document's address. */
  readonly client_id: string
  /** The members that changed, of `client_name`, `redirect_uris`, `token_endpoint_auth_method` and `jwks`. */
  readonly members: readonly string[]
}

/**
 * A client_id that names a document is nobody’s: it is no good address, or there is no good document at it; or its
 * document is not fetched now, because too many are.
 */
export interface ClientDocumentRefused extends EventBase {
  /** Tells this event from others. */
  readonly type: 'client_document.refused'
  /** The client, by its document's address. */
  readonly client_id: string
  /** The check that failed. */
  readonly check: 'client_document_url' | 'client_document' | 'client_document_limit'
  /** The exact reason, for the operator. */
  readonly reason: string
}

/**
 * The application's function found a client that is configured wrongly: it is refused like one that is not there. Told
 * once for each fault.
 */
export interface ClientMisconfigured extends EventBase {
  /** Tells this event from others. */
  readonly type: 'client.misconfigured'
  /** The client that cannot be used. */
  readonly client_id: string
  /** The member that is wrong, such as `grant_types[1]`. */
  readonly member: string
  /** The fault in words: what the member must be. */
  readonly reason: string
}

/** One of a client's credentials: added, taken back, about to end, or no longer used by anyone. */
export interface CredentialEvent extends EventBase {
  /** Tells this event from others. */
  readonly type: 'credential.added' | 'credential.revoked' | 'credential.expiring' | 'credential.unused'
  /** The client it is one of. */
  readonly client_id: string
  /** As in decisions: `secret:<id>`, `kid:<kid>`, `x5t#S256:<thumbprint>`, or `method:<token_endpoint_auth_method>`. */
  readonly credential: string
  /** The name its operator gave it. */
  readonly label?: string | undefined
  /** `credential.added`: the credential by which its client asked for it; absent where its operator did. */
  readonly added_by?: string | undefined
  /** Seconds since the epoch. */
  readonly expires_at?: number | undefined
  /** Seconds since the epoch; absent: never, as far as is known. */
  readonly last_used_at?: number | undefined
}
