/** The person a request is about, once they are there. */

/** The person signed in with a browser. */
export interface Account {
  /** The stable, never reassigned identifier of the person at this issuer (OpenID Connect Core §2). */
  readonly sub: string
  /** When the person signed in: seconds since the epoch. */
  readonly auth_time: number
  /** The authentication context class the sign-in reached (OpenID Connect Core §2). */
  readonly acr?: string | undefined
  /** The methods the person signed in by (RFC 8176). */
  readonly amr?: readonly string[] | undefined
  /**
   * Names the person's session with this browser to clients (`sid`, OpenID Connect Back-Channel Logout §2.1): one
   * sign-in of one person, never used again, and no secret that opens the session. Without it nobody is told when the
   * session ends.
   */
  readonly sid?: string | undefined
}
