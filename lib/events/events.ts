/**
 * The events of a server, for whoever operates it: one plain object for each event, told apart by `type`. None ever
 * contains a secret, an assertion, a code or a token; a value that came from a request is bounded and free of control
 * characters.
 */
import type { Decision } from '../decisions/decision.ts'
import type {
  ClientDocumentChanged,
  ClientDocumentFetched,
  ClientDocumentRefused,
  ClientEvent,
  ClientMisconfigured,
  CredentialEvent
} from './client-events.ts'
import type { EventBase } from './event-base.ts'
import type { ShadowEvent } from './shadow-events.ts'

export type * from './client-events.ts'
export type * from './shadow-events.ts'

interface AuthenticationEvent extends EventBase {
  /** The endpoint's metadata name without `_endpoint`, such as `token`. */
  readonly endpoint: string
  /** The client authentication method that judged it. */
  readonly method?: string | undefined
  /** As in decisions: `secret:<id>`, `kid:<kid>`, `x5t#S256:<thumbprint>`. */
  readonly credential?: string | undefined
  /** The decision, with every check; absent where the request could not be read. */
  readonly decision?: Decision | undefined
  /** Milliseconds it took, fractions included. */
  readonly duration: number
}

/** A client proved who it is, at whichever endpoint. */
export interface AuthenticationSucceeded extends AuthenticationEvent {
  /** Tells this event from others. */
  readonly type: 'authentication.succeeded'
  /** The client that was authenticated. */
  readonly client_id: string
}

/** A client was refused, or a request could not be read, at an endpoint that authenticates clients. */
export interface AuthenticationRefused extends AuthenticationEvent {
  /** Tells this event from others. */
  readonly type: 'authentication.refused'
  /**
   * The client_id the request named, where it named one; not known to exist unless the decision’s check `client`
   * passed.
   */
  readonly client_id?: string | undefined
  /** The error code of the answer, such as `invalid_client`. */
  readonly error: string
  /** The exact reason, for the operator. */
  readonly reason?: string | undefined
}

/** Nobody could tell who is calling: a store, a client source or a source of keys failed. The answer was 500 or 503. */
export interface AuthenticationUnanswered extends AuthenticationEvent {
  /** Tells this event from others. */
  readonly type: 'authentication.unanswered'
  /** The client the request named, where it named one. */
  readonly client_id?: string | undefined
  /** The error code of the answer. */
  readonly error: string
  /** The exact reason, for the operator. */
  readonly reason?: string | undefined
}

/**
 * A client was authenticated although it breaks a rule whose dial says `report`: it would be refused if that were
 * enforced.
 */
export interface AuthenticationTolerated extends EventBase {
  /** Tells this event from others. */
  readonly type: 'authentication.tolerated'
  /** The endpoint's metadata name without `_endpoint`. */
  readonly endpoint: string
  /** The client that breaks the rule. */
  readonly client_id: string
  /** The method that judged it. */
  readonly method?: string | undefined
  /** The check that would fail: `audience`, `type`, `algorithm`, `not_before` or `issued_at`. */
  readonly check: string
  /** The section of the specification that asks for the check. */
  readonly section?: string | undefined
  /** The value the check asks for. */
  readonly expected?: string | undefined
  /** The value that came instead. */
  readonly received?: string | undefined
}

/** Tokens were made, and are about to be sent. */
export interface TokenIssued extends EventBase {
  /** Tells this event from others. */
  readonly type: 'token.issued'
  /** Absent where a token issuer of one’s own does not say. */
  readonly grant_type?: string | undefined
  /** The client the tokens were given to. */
  readonly client_id: string
  /** The person, by the name the client knows; absent where the client acts for itself. */
  readonly sub?: string | undefined
  /** The scope values of the access token. */
  readonly scope: readonly string[]
  /** The resource the access token is for; several are separated by spaces. */
  readonly resource?: string | undefined
  /**
   * The resources the scope belongs to, where the request named none and they are several: none of them takes this
   * token.
   */
  readonly ambiguous_resources?: readonly string[] | undefined
  /** The form of the access token. */
  readonly access_token_format: 'jwt' | 'opaque'
  /** Seconds the access token lives. */
  readonly expires_in: number
  /** The tokens in the answer. */
  readonly tokens: readonly ('access_token' | 'refresh_token' | 'id_token')[]
  /** The bindings of the access token: none, a DPoP key, a certificate, or both. */
  readonly bound_to: readonly ('dpop' | 'certificate')[]
  /** Names the grant in other events; absent where there is none that could be ended. No secret. */
  readonly grant?: string | undefined
}

/** A token request of an authenticated client got no token. `authorization_pending` is among them. */
export interface TokenRefused extends EventBase {
  /** Tells this event from others. */
  readonly type: 'token.refused'
  /** The endpoint's metadata name without `_endpoint`. */
  readonly endpoint: 'token'
  /** The client that asked. */
  readonly client_id: string
  /** Absent where the request named none that this server has. */
  readonly grant_type?: string | undefined
  /** The error code of the answer, such as `invalid_grant`. */
  readonly error: string
  /** The exact reason, for the operator. */
  readonly reason?: string | undefined
}

/**
 * A code or refresh token was presented again: stolen, or a client that is confused. Its grant was ended;
 * `grant.revoked` says so too.
 */
export interface GrantReused extends EventBase {
  /** Tells this event from others. */
  readonly type: 'code.reused' | 'refresh.reused'
  /** The client whose code or refresh token was presented again. */
  readonly client_id: string
  /** Names the grant that was ended. */
  readonly grant: string
}

/** Something signed that is good once was presented again, and refused. */
export interface AssertionReplayed extends EventBase {
  /** Tells this event from others. */
  readonly type: 'assertion.replayed'
  /** The client that presented it again. */
  readonly client_id: string
  /** The purpose it was meant for. `grant`: an assertion or token of a trusted issuer. */
  readonly use: 'client_authentication' | 'grant' | 'request_object'
  /** The issuer of it, where it is not the client’s own. */
  readonly assertion_issuer?: string | undefined
}

/** A DPoP proof was presented again, and refused. */
export interface DpopReplayed extends EventBase {
  /** Tells this event from others. */
  readonly type: 'dpop.replayed'
  /** The client it was presented by or for, where that is known. */
  readonly client_id?: string | undefined
  /** The thumbprint of the key that made it. */
  readonly jkt: string
}

/** Everything a grant bought has ended. */
export interface GrantRevoked extends EventBase {
  /** Tells this event from others. */
  readonly type: 'grant.revoked'
  /** Names the grant that was ended. */
  readonly grant: string
  /** The client that held it. */
  readonly client_id: string
  /**
   * Why: its client revoked it, its person (or whoever acts for them) did, its code or a refresh token of it was
   * presented again, its person has more grants than are kept, the tokens could not be delivered, or the session ended
   * that it was made in.
   */
  readonly by: 'client' | 'person' | 'code_reused' | 'refresh_reused' | 'limit' | 'undelivered' | 'logout'
}

/** A person's session ended, and what belongs to it. */
export interface SessionEnded extends EventBase {
  /** Tells this event from others. */
  readonly type: 'session.ended'
  /** The session, as the host's account hook named it. */
  readonly sid: string
  /** The person whose session it was. */
  readonly sub: string
  /** The number of clients that had a part in it. */
  readonly clients: number
  /** The number of grants that ended with it. */
  readonly grants: number
}

/** A client was told that a person's session ended (OpenID Connect Back-Channel Logout), or could not be. */
export interface LogoutTold extends EventBase {
  /** Tells this event from others. */
  readonly type: 'logout.delivered' | 'logout.undelivered'
  /** The client that was told, or could not be. */
  readonly client_id: string
  /** Absent where every session of the person ended. */
  readonly sid?: string | undefined
  /** The number of times the client was asked. */
  readonly attempts: number
  /** Why it was not told. */
  readonly reason?: string | undefined
}

/** One access token has ended, at its client’s request. */
export interface TokenRevoked extends EventBase {
  /** Tells this event from others. */
  readonly type: 'token.revoked'
  /** The client that held the token. */
  readonly client_id: string
  /** Names the grant the token was of. */
  readonly grant?: string | undefined
}

/** A request was answered with 429, because its network used up the wrong secrets it may send. */
export interface GuessesExceeded extends EventBase {
  /** Tells this event from others. */
  readonly type: 'guesses.exceeded'
  /** The endpoint's metadata name without `_endpoint`. */
  readonly endpoint: string
  /** Absent for guesses at initial access tokens. */
  readonly client_id?: string | undefined
  /** An IPv4 address, or an IPv6 /64. */
  readonly network: string
}

/** The server’s own signing keys are others now, on this node. */
export interface KeysChanged extends EventBase {
  /** Tells this event from others. */
  readonly type: 'keys.changed'
  /** The `kid` of each new key. */
  readonly added: readonly string[]
  /** The `kid`s that are gone. */
  readonly removed: readonly string[]
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
  | ShadowEvent

type Stamped = 'at' | 'issuer'
type Unstamped<Event> = Event extends ServerEvent ? Omit<Event, Stamped> & Partial<Pick<Event, Stamped>> : never

/** An event before it is said when and where it happened: the server that it happens at knows. */
export type UnstampedEvent = Unstamped<ServerEvent>

/** Takes an event of one server. Never throws, and is not waited for. */
export type Emit = (event: UnstampedEvent) => void
