/** Grants that begin at the token endpoint: nobody was asked, another issuer's word was taken, or that of a token. */
import { write } from '../stores/records.ts'
import { exchangedId, grantKey, type ExchangedFor, type GrantRecord } from './grant.ts'
import { keepGrant, type NewGrant } from './person-grants.ts'
import { grantTtl } from './refresh-token.ts'
import type { TokenServer } from './token-server.ts'

/** Keeps a new grant and returns its id. Every token of it ends where it does. */
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
