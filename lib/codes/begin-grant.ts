/** What a person allowed becomes a grant: kept before any token of it is handed out, with a refresh token where they allowed that. */
import type { Client } from '../clients/client.ts'
import { mayRefresh } from '../tokens/allowed.ts'
import type { Confirmation } from '../tokens/confirmation.ts'
import { keepGrant, type NewGrant } from '../tokens/person-grants.ts'
import { grantTtl, refreshConfirmation, refreshTokenOf } from '../tokens/refresh-token.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/** What was allowed, by whom, to which client. */
export type Allowed = Omit<NewGrant, 'cnf' | 'auth_method' | 'refresh'>

/** The client that gets it, and what it proved. */
export interface GrantHolder {
  readonly client: Client
  readonly confirmation?: Confirmation | undefined
  /** How it authenticated. */
  readonly auth_method: string
}

/**
 * Keeps the grant under `id`, and returns its refresh token: there is one where the client may use the refresh token grant, and `offline_access` is in the
 * scope and still allowed, or the server asks for no such thing.
 */
export async function beginGrant(
  server: TokenServer,
  id: string,
  allowed: Allowed,
  { client, confirmation, auth_method }: GrantHolder
): Promise<string | undefined> {
  const refresh = mayRefresh(server, client, allowed) ? { generation: 0, rotated_at: server.clock() } : undefined
  const record: NewGrant = { ...allowed, cnf: refreshConfirmation(client, confirmation), auth_method, refresh }
  await keepGrant(server, id, record, grantTtl(server, record))
  return refresh === undefined ? undefined : refreshTokenOf(server, id, refresh.generation)
}
