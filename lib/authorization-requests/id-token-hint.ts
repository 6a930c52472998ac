/** The `id_token_hint` parameter (OpenID Connect Core §3.1.2.1): the person the client believes is there. */
import type { Client } from '../clients/client.ts'
import { InvalidRequestError } from '../errors.ts'
import { readIdToken } from '../tokens/id-token.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/** In characters. */
export const longestHint = 8192

/**
 * Finds the person the hint is about, by the client's name for them: the `sub` of an ID Token this server issued to
 * this client, expired or not. Undefined where none was sent.
 *
 * @throws InvalidRequestError for anything else than such an ID Token.
 */
export function readIdTokenHint(server: TokenServer, client: Client, hint: string | undefined): string | undefined {
  if (hint === undefined) return undefined
  const token = readIdToken(server, hint, longestHint)
  if (token?.client_id !== client.client_id)
    throw new InvalidRequestError('id_token_hint is not an ID Token issued to this client')
  return token.sub
}
