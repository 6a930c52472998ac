/** The members of every event. */

/** When and where something happened. */
export interface EventBase {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The issuer it happened at; absent where `authenticateClient()` stands on a route of one's own. */
  readonly issuer?: string | undefined
  /** The W3C trace id of the request that led to it, 32 hex digits; absent where none did. */
  readonly trace_id?: string | undefined
}
