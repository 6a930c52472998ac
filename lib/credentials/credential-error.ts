/** Error that a change of a client's credentials is refused with. */

/** Why: nothing was changed. */
export type CredentialErrorCode =
  /** There is no such client, or it is public and has no credentials. */
  | 'unknown_client'
  /** The client has no credential of this id. */
  | 'unknown_credential'
  /** The client could not authenticate any more. */
  | 'last_credential'
  /** It would be the same as one the client has. */
  | 'duplicate'
  /** The client has as many as one may have. */
  | 'too_many'
  /** Not for this client, or not at this server. */
  | 'not_allowed'

/** A change of credentials that was refused. `message` says why, for whoever asked for it; no secret is in it. */
export class CredentialError extends Error {
  /** The class's name. */
  override readonly name = 'CredentialError'
  /** The reason, for a program. */
  readonly code: CredentialErrorCode
  constructor(code: CredentialErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
