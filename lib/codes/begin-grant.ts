/**
 * Grants begin: with what a person allowed, or at the token endpoint alone. Each is kept before any token of it is
 * handed out.
 */
import type { ClientAuthentication } from '../client-request.ts'
import type { Client } from '../clients/client.ts'
import { write } from '../stores/records.ts'
import { mayRefresh } from '../tokens/allowed.ts'
import type { Confirmation } from '../tokens/confirmation.ts'
import { exchangedId, grantKey, type ExchangedFor, type GrantRecord } from '../tokens/grant.ts'
import { keepGrant, listedGrant, type Allowed, type NewGrant } from '../tokens/person-grants.ts'
import { grantTtl, refreshConfirmation, refreshTokenOf } from '../tokens/refresh-token.ts'
import type { TokenServer, UnrecordedRefreshToken } from '../tokens/token-server.ts'

/** The client that gets it, and what it proved. */
interface GrantHolder {
  readonly client: Client
  readonly confirmation?: Confirmation | undefined
  /** The client's authentication. */
  readonly authentication: ClientAuthentication
}

/**
 * Begins the grant under `id`: answers with the step that keeps it, which is to be done with or before its first token,
 * and with its refresh token. There is one where the client may use the refresh token grant, and `offline_access` is in
 * the scope and still allowed, or the server asks for no such thing.
 */
export async function beginGrant(
  server: TokenServer,
  id: string,
  allowed: Allowed,
  { client, confirmation, authentication }: GrantHolder
): Promise<UnrecordedRefreshToken> {
  const refresh = mayRefresh(server, client, allowed) ? { generation: 0, rotated_at: server.clock() } : undefined
  const { method: auth_method, instance: instance_jkt } = authentication
  const cnf = refreshConfirmation(client, confirmation)
  const proof = { cnf, auth_method, instance_jkt, refresh }
  const kept = await listedGrant(server, id, [allowed, proof], grantTtl(server, proof))
  return { record: kept, refresh_token: refresh === undefined ? undefined : refreshTokenOf(server, id, refresh.generation) }
}

/**
 * Keeps a grant that begins at the token endpoint, and returns its id: nobody was asked, another issuer's word was
 * taken, or that of a token. Every token of it ends where it does.
 */
export async function startGrant(server: TokenServer, record: NewGrant): Promise<string> {
  const id = server.random(16).toString('base64url')
  await keepGrant(server, id, record, grantTtl(server, record))
  return id
}

/** Keeps a grant that an exchange begins, and returns its id: for its person to see and end, where it is about one. */
export async function startExchangedGrant(server: TokenServer, record: NewGrant, parent: ExchangedFor): Promise<string> {
  const id = exchangedId(parent.grant, server.random(16).toString('base64url'))
  const ttl = grantTtl(server, record)
  const exchanged: NewGrant = { ...record, exchanged: parent }
  if (record.about_client !== true) await keepGrant(server, id, exchanged, ttl)
  else await write(server.store, grantKey(id), { ...exchanged, since: sinceNow(server) } satisfies GrantRecord, ttl)
  return id
}

function sinceNow({ clock }: TokenServer): number {
  return Math.floor(clock() / 1000)
}
