/**
 * What happens at a server, for whoever operates it: one plain object for each event, told apart by `type`. None ever contains a
 * secret, an assertion, a code or a token; a value that came from a request is bounded and free of control characters.
 */
import type { Decision } from '../decisions/decision.ts'

interface EventBase {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The issuer it happened at; absent where `authenticateClient()` stands on a route of one's own. */
  readonly issuer?: string | undefined
  /** The W3C trace id of the request that led to it, 32 hex digits; absent where none did. */
  readonly trace_id?: string | undefined
}

interface AuthenticationEvent extends EventBase {
  /** The endpoint's metadata name without `_endpoint`, such as `token`. */
  readonly endpoint: string
  /** The client authentication method that judged it. */
  readonly method?: string | undefined
  /** As in decisions: `secret:<id>`, `kid:<kid>`, `x5t#S256:<thumbprint>`. */
  readonly credential?: string | undefined
  /** What was checked; absent where the request could not be read. */
  readonly decision?: Decision | undefined
  /** Milliseconds it took, fractions included. */
  readonly duration: number
}

/** A client proved who it is, at whichever endpoint. */
export interface AuthenticationSucceeded extends AuthenticationEvent {
  readonly type: 'authentication.succeeded'
  readonly client_id: string
}

/** A client was refused, or a request could not be read, at an endpoint that authenticates clients. */
export interface AuthenticationRefused extends AuthenticationEvent {
  readonly type: 'authentication.refused'
  /** The client_id the request named, where it named one; not known to exist unless the decision’s check `client` passed. */
  readonly client_id?: string | undefined
  /** The error code of the answer, such as `invalid_client`. */
  readonly error: string
  readonly reason?: string | undefined
}

/** Nobody could tell who is calling: a store, a client source or a source of keys failed. The answer was 500 or 503. */
export interface AuthenticationUnanswered extends AuthenticationEvent {
  readonly type: 'authentication.unanswered'
  readonly client_id?: string | undefined
  readonly error: string
  readonly reason?: string | undefined
}

/** A client was authenticated although it breaks a rule whose dial says `report`: it would be refused if that were enforced. */
export interface AuthenticationTolerated extends EventBase {
  readonly type: 'authentication.tolerated'
  readonly endpoint: string
  readonly client_id: string
  readonly method?: string | undefined
  /** The check that would fail: `audience`, `type`, `algorithm`, `not_before` or `issued_at`. */
  readonly check: string
  readonly section?: string | undefined
  readonly expected?: string | undefined
  readonly received?: string | undefined
}

/** Tokens were made, and are about to be sent. */
export interface TokenIssued extends EventBase {
  readonly type: 'token.issued'
  /** Absent where a token issuer of one’s own does not say. */
  readonly grant_type?: string | undefined
  readonly client_id: string
  /** The person, by the name the client knows; absent where the client acts for itself. */
  readonly sub?: string | undefined
  readonly scope: readonly string[]
  /** The resource the access token is for; several are separated by spaces. */
  readonly resource?: string | undefined
  /** The resources the scope belongs to, where the request named none and they are several: none of them takes this token. */
  readonly ambiguous_resources?: readonly string[] | undefined
  readonly access_token_format: 'jwt' | 'opaque'
  /** Seconds the access token lives. */
  readonly expires_in: number
  /** What is in the answer. */
  readonly tokens: readonly ('access_token' | 'refresh_token' | 'id_token')[]
  /** What the access token is bound to: nothing, a DPoP key, a certificate, or both. */
  readonly bound_to: readonly ('dpop' | 'certificate')[]
  /** Names the grant in other events; absent where there is none that could be ended. No secret. */
  readonly grant?: string | undefined
}

/** A token request of an authenticated client got no token. `authorization_pending` is among them. */
export interface TokenRefused extends EventBase {
  readonly type: 'token.refused'
  readonly endpoint: 'token'
  readonly client_id: string
  /** Absent where the request named none that this server has. */
  readonly grant_type?: string | undefined
  /** The error code of the answer, such as `invalid_grant`. */
  readonly error: string
  readonly reason?: string | undefined
}

/** A code or refresh token was presented again: stolen, or a client that is confused. Its grant was ended; `grant.revoked` says so too. */
export interface GrantReused extends EventBase {
  readonly type: 'code.reused' | 'refresh.reused'
  readonly client_id: string
  readonly grant: string
}

/** Something signed that is good once was presented again, and refused. */
export interface AssertionReplayed extends EventBase {
  readonly type: 'assertion.replayed'
  readonly client_id: string
  /** What it was meant for. `grant`: an assertion or token of a trusted issuer. */
  readonly use: 'client_authentication' | 'grant' | 'request_object'
  /** Whose it is, where it is not the client’s own. */
  readonly assertion_issuer?: string | undefined
}

/** A DPoP proof was presented again, and refused. */
export interface DpopReplayed extends EventBase {
  readonly type: 'dpop.replayed'
  /** The client it was presented by or for, where that is known. */
  readonly client_id?: string | undefined
  /** The thumbprint of the key that made it. */
  readonly jkt: string
}

/** Everything a grant bought has ended. */
export interface GrantRevoked extends EventBase {
  readonly type: 'grant.revoked'
  readonly grant: string
  readonly client_id: string
  /**
   * Why: its client revoked it, its person (or whoever acts for them) did, its code or a refresh token of it was presented again, its person has more
   * grants than are kept, the tokens could not be delivered, or the session ended that it was made in.
   */
  readonly by: 'client' | 'person' | 'code_reused' | 'refresh_reused' | 'limit' | 'undelivered' | 'logout'
}

/** A person's session ended, and what belongs to it. */
export interface SessionEnded extends EventBase {
  readonly type: 'session.ended'
  readonly sid: string
  readonly sub: string
  /** How many clients had a part in it, and how many grants ended with it. */
  readonly clients: number
  readonly grants: number
}

/** A client was told that a person's session ended (OpenID Connect Back-Channel Logout), or could not be. */
export interface LogoutTold extends EventBase {
  readonly type: 'logout.delivered' | 'logout.undelivered'
  readonly client_id: string
  /** Absent where every session of the person ended. */
  readonly sid?: string | undefined
  /** How often the client was asked. */
  readonly attempts: number
  /** Why it was not told. */
  readonly reason?: string | undefined
}

/** One access token has ended, at its client’s request. */
export interface TokenRevoked extends EventBase {
  readonly type: 'token.revoked'
  readonly client_id: string
  readonly grant?: string | undefined
}

/** A client registered itself, changed what it registered, or ended its registration. */
export interface ClientEvent extends EventBase {
  readonly type: 'client.registered' | 'client.changed' | 'client.ended'
  readonly client_id: string
  readonly token_endpoint_auth_method?: string | undefined
}

/** The document of a client was fetched, and is kept for a while. */
export interface ClientDocumentFetched extends EventBase {
  readonly type: 'client_document.fetched'
  readonly client_id: string
  /** Seconds it is kept. */
  readonly expires_in: number
}

/** A client's document says something else than when it was fetched last. */
export interface ClientDocumentChanged extends EventBase {
  readonly type: 'client_document.changed'
  readonly client_id: string
  /** What is another: of `client_name`, `redirect_uris`, `token_endpoint_auth_method` and `jwks`. */
  readonly members: readonly string[]
}

/** A client_id that names a document is nobody’s: it is no good address, or there is no good document at it. */
export interface ClientDocumentRefused extends EventBase {
  readonly type: 'client_document.refused'
  readonly client_id: string
  readonly check: 'client_document_url' | 'client_document'
  readonly reason: string
}

/** The application's function found a client that is configured wrongly: it is refused like one that is not there. Told once for each fault. */
export interface ClientMisconfigured extends EventBase {
  readonly type: 'client.misconfigured'
  readonly client_id: string
  /** The member that is wrong, such as `grant_types[1]`. */
  readonly member: string
  /** What it must be. */
  readonly reason: string
}

/** A request was answered with 429, because its network used up the wrong secrets it may send. */
export interface GuessesExceeded extends EventBase {
  readonly type: 'guesses.exceeded'
  readonly endpoint: string
  /** Absent for guesses at initial access tokens. */
  readonly client_id?: string | undefined
  /** An IPv4 address, or an IPv6 /64. */
  readonly network: string
}

/** The server’s own signing keys are others now, on this node. */
export interface KeysChanged extends EventBase {
  readonly type: 'keys.changed'
  /** The `kid` of each new key. */
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** One of a client's credentials: added, taken back, about to end, or no longer used by anyone. */
export interface CredentialEvent extends EventBase {
  readonly type: 'credential.added' | 'credential.revoked' | 'credential.expiring' | 'credential.unused'
  readonly client_id: string
  /** As in decisions: `secret:<id>`, `kid:<kid>`, `x5t#S256:<thumbprint>`, or `method:<token_endpoint_auth_method>`. */
  readonly credential: string
  readonly label?: string | undefined
  /** `credential.added`: the credential by which its client asked for it; absent where its operator did. */
  readonly added_by?: string | undefined
  /** Seconds since the epoch. */
  readonly expires_at?: number | undefined
  /** Seconds since the epoch; absent: never, as far as is known. */
  readonly last_used_at?: number | undefined
}

/** Everything there is to be told. */
export type ServerEvent =
  | AuthenticationSucceeded
  | AuthenticationRefused
  | AuthenticationUnanswered
  | AuthenticationTolerated
  | TokenIssued
  | TokenRefused
  | GrantReused
  | AssertionReplayed
  | DpopReplayed
  | GrantRevoked
  | SessionEnded
  | LogoutTold
  | TokenRevoked
  | ClientEvent
  | ClientMisconfigured
  | ClientDocumentFetched
  | ClientDocumentChanged
  | ClientDocumentRefused
  | GuessesExceeded
  | KeysChanged
  | CredentialEvent

/** Takes one event. Never throws, and is not waited for. */
export type Emit = (event: ServerEvent) => void

type Stamped = 'at' | 'issuer'
type Unstamped<Event> = Event extends ServerEvent ? Omit<Event, Stamped> & Partial<Pick<Event, Stamped>> : never

/** An event before it is said when and where it happened: the server that it happens at knows. */
export type Happening = Unstamped<ServerEvent>

/** Takes what happened at one server. Never throws, and is not waited for. */
export type Tell = (happening: Happening) => void
