/** Grants: what was allowed, and to whom, in the record that every token of one grant lives and dies with. */
import { hash } from 'node:crypto'
import { find } from '../stores/records.ts'
import type { Key, Store } from '../stores/store.ts'
import type { Actor, AllowedActor } from './actor.ts'
import type { Confirmation } from './confirmation.ts'

/** The claims about a person. */
export type AccountClaims = Readonly<Record<string, unknown>>

/** Claims asked for one by one, by their names (OpenID Connect Core §5.5). */
export interface RequestedClaims {
  /** The claims asked for at userinfo, by name. */
  readonly userinfo?: readonly string[] | undefined
  /** The claims asked for in the ID Token, by name. */
  readonly id_token?: readonly string[] | undefined
}

/** One permission in detail, of a type the host application knows (RFC 9396 §2). */
export interface AuthorizationDetail {
  /** The type, which decides what the other members mean (RFC 9396 §2). */
  readonly type: string
  readonly [member: string]: unknown
}

/** The grant that a token issuer asks {@link TokenServer.respond} to put into tokens. */
export interface Grant {
  /**
   * Names the grant in the store. Tokens of a grant with an id end with it; without one (client credentials) each token
   * stands alone.
   */
  readonly id?: string | undefined
  /** The client it was given to. */
  readonly client_id: string
  /** The person the grant is about; absent when a client acts for itself. */
  readonly sub?: string | undefined
  /** The client it is about, where that is another than the one it is given to. Never together with `sub`. */
  readonly subject_client?: string | undefined
  /** The scope values that were granted. */
  readonly scope: readonly string[]
  /** The resource indicators the grant names; empty: it names none. */
  readonly resources: readonly string[]
  /** When the person signed in, seconds since the epoch. */
  readonly auth_time?: number | undefined
  /** The authentication context class of the sign-in. */
  readonly acr?: string | undefined
  /** The methods the person signed in by. */
  readonly amr?: readonly string[] | undefined
  /** The session it was granted in, as clients know it. */
  readonly sid?: string | undefined
  /** The authorization request's nonce, for the first ID Token only. */
  readonly nonce?: string | undefined
  /** The claims asked for one by one. */
  readonly claims?: RequestedClaims | undefined
  /** The details that were granted (RFC 9396). */
  readonly authorization_details?: readonly AuthorizationDetail[] | undefined
  /** The party that acts for the person (RFC 8693 §4.1). */
  readonly act?: Actor | undefined
  /** The only party that may act for the person by exchanging tokens of this grant (RFC 8693 §4.4). */
  readonly may_act?: AllowedActor | undefined
}

/** The token that was exchanged for a grant (RFC 8693). */
export interface ExchangedFor {
  /** The grant of the token that was presented; absent where it had none. */
  readonly grant?: string | undefined
  /** Names the access token that was presented; absent for a refresh token, which ends with its grant alone. */
  readonly jti?: string | undefined
}

/** What a grant allows, and the sign-in in which a person allowed it. */
export type GrantContent = Pick<
  Grant,
  'scope' | 'resources' | 'claims' | 'authorization_details' | 'auth_time' | 'acr' | 'amr' | 'sid'
>

/** A grant as the store keeps it. */
export interface GrantRecord extends GrantContent {
  readonly client_id: string
  readonly sub: string
  /** True: `sub` is no person, but a client that acts for itself. */
  readonly about_client?: true | undefined
  readonly exchanged?: ExchangedFor | undefined
  /** The key or certificate the refresh token is bound to, if any. */
  readonly cnf?: Confirmation | undefined
  /** The attested instance of the client its refresh token is bound to, by its key's thumbprint. */
  readonly instance_jkt?: string | undefined
  /** The method the client authenticated by when the grant was made. */
  readonly auth_method: string
  /** The refresh token in force, if the grant has one. `rotated_at` is in milliseconds since the epoch. */
  readonly refresh?: { readonly generation: number; readonly rotated_at: number } | undefined
  /** When it was made: seconds since the epoch. */
  readonly since: number
  /** Until when it is on its person's list: milliseconds since the epoch. */
  readonly listed_until?: number | undefined
}

/** The digest under which a code or token is kept. */
export function tokenDigest(token: string): string {
  return hash('sha256', token, 'base64url')
}

export function grantKey(id: string): Key {
  return { kind: 'grant', id, grant: rootOf(id) }
}

/** Stands between the id of a grant that was exchanged and the one the exchange began. */
const exchange = '~'
const exchanged = /~[\w-]{22}$/

/** The id of a grant that an exchange begins; it says which grant was exchanged, if one was. */
export function exchangedId(parent: string | undefined, own: string): string {
  return `${parent ?? ''}${exchange}${own}`
}

/** Whether a grant began with an exchange. */
export function isExchanged(id: string): boolean {
  return exchanged.test(id)
}

/** Counts the exchanges that led to a grant. */
export function exchangesOf(id: string | undefined): number {
  return id === undefined ? 0 : id.split(exchange).length - 1
}

/** The grant that the first exchange was made of: all that rests on it is kept, and ends, together. */
export function rootOf(id: string): string {
  const end = isExchanged(id) ? id.indexOf(exchange, 1) : -1
  return end === -1 ? id : id.slice(0, end)
}

/** Ends a grant that began with an exchange, and leaves what it was exchanged for. */
export function endExchanged(store: Store, id: string): Promise<void> {
  return store.delete(grantKey(id))
}

/** A grant as the store has it now. */
export interface FoundGrant {
  readonly grant: GrantRecord
  readonly version: string | number
}

/** The grant and its version, or undefined when it ended. */
export async function findGrant(store: Store, id: string): Promise<FoundGrant | undefined> {
  const found = await find<GrantRecord>(store, grantKey(id))
  return found && { grant: found.value, version: found.version }
}
