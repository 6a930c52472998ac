/**
 * What happens at a server, for whoever operates it: one plain object for each event, told apart by `type`. None ever contains a
 * secret, an assertion, a code or a token; a value that came from a request is bounded and free of control characters.
 */

interface EventBase {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The issuer it happened at. */
  readonly issuer: string
}

/** One of a client's credentials: added, taken back, about to end, or no longer used by anyone. */
export interface CredentialEvent extends EventBase {
  readonly type: 'credential.added' | 'credential.revoked' | 'credential.expiring' | 'credential.unused'
  readonly client_id: string
  /** As in decisions: `secret:<id>`, `kid:<kid>`, `x5t#S256:<thumbprint>`, or `method:<token_endpoint_auth_method>`. */
  readonly credential: string
  readonly label?: string | undefined
  /** Seconds since the epoch. */
  readonly expires_at?: number | undefined
  /** Seconds since the epoch; absent: never, as far as is known. */
  readonly last_used_at?: number | undefined
}

/** Everything there is to be told. */
export type ServerEvent = CredentialEvent

/** Takes one event. Never throws, and is not waited for. */
export type Emit = (event: ServerEvent) => void
