/** What a token is bound to: the `cnf` claim (RFC 7800 §3). */

export interface Confirmation {
  /** Thumbprint of the client certificate (RFC 8705 §3.1). */
  readonly 'x5t#S256'?: string
  /** Thumbprint of the DPoP key (RFC 9449 §6.1). */
  readonly jkt?: string
}

/** True when a token with this confirmation can only be used by whoever holds the key. */
export function isSenderConstrained(confirmation: Confirmation | undefined): boolean {
  return confirmation?.['x5t#S256'] !== undefined || confirmation?.jkt !== undefined
}
