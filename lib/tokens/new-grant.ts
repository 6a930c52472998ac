/** Grants that begin at the token endpoint: nobody was asked, another issuer's word was taken. */
import { keepGrant, type NewGrant } from './person-grants.ts'
import { grantTtl } from './refresh-token.ts'
import type { TokenServer } from './token-server.ts'

/** Keeps a new grant and returns its id. Every token of it ends where it does. */
export async function startGrant(server: TokenServer, record: NewGrant): Promise<string> {
  const id = server.random(16).toString('base64url')
  await keepGrant(server, id, record, grantTtl(server, record))
  return id
}
