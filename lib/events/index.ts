/**
 * The events a server tells its `onEvent`, each by its own name; `ServerEvent` is any of them.
 *
 * @module clientele/events
 */
export type {
  AssertionReplayed,
  AuthenticationRefused,
  AuthenticationSucceeded,
  AuthenticationTolerated,
  AuthenticationUnanswered,
  ClientDocumentChanged,
  ClientDocumentFetched,
  ClientDocumentRefused,
  ClientEvent,
  ClientMisconfigured,
  CredentialEvent,
  DpopReplayed,
  GrantReused,
  GrantRevoked,
  GuessesExceeded,
  KeysChanged,
  LogoutTold,
  ServerEvent,
  SessionEnded,
  ShadowDiffered,
  ShadowEvent,
  ShadowUnjudged,
  TokenIssued,
  TokenRefused,
  TokenRevoked
} from './events.ts'
export type { EventListener } from './event-source.ts'
