/** Generated secrets of a client as a store keeps them: what is kept, not how. */
import type { ClientSecret } from './credentials.ts'

/** One generated secret at rest. Times are seconds since the epoch. */
export interface StoredSecret {
  readonly type: 'secret'
  /** Names the secret among its client's. */
  readonly id: string
  readonly created_at: number
  /** After this the secret is refused; absent: never. */
  readonly expires_at?: number | undefined
  /** The digest, base64url; or */
  readonly digest?: string | undefined
  /** the secret itself, sealed with AES-256-GCM, base64url. */
  readonly sealed?: string | undefined
}

/** Turns generated secrets into what is kept of them, and back into what can be compared. */
export interface SecretKeeper {
  /**
   * `readable`: sealed, so that the server can compute with it (`client_secret_jwt`). Otherwise no one can ever read it
   * again.
   */
  keep(
    client_id: string,
    secret: Pick<StoredSecret, 'id' | 'created_at' | 'expires_at'> & { readonly value: string; readonly readable: boolean }
  ): StoredSecret
  /** Restores a secret that was kept; one kept under another key, or for another client, matches nothing. */
  restore(client_id: string, stored: StoredSecret): ClientSecret
  /** Whether this is the secret that was kept, in time that depends on its length alone. */
  matches(client_id: string, stored: StoredSecret, secret: string): boolean
}
