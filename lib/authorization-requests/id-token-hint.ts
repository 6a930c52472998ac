/** The `id_token_hint` parameter (OpenID Connect Core §3.1.2.1): the person the client believes is there. */
import type { Client } from '../clients/client.ts'
import { InvalidRequestError } from '../errors.ts'
import type { TokenServer } from '../tokens/token-server.ts'

const longest = 8192

/**
 * Finds the person the hint is about, by the client's name for them: the `sub` of an ID Token this server issued to
 * this client, expired or not. Undefined where none was sent.
 *
 * @throws InvalidRequestError for anything else than such an ID Token.
 */
export function readIdTokenHint(server: TokenServer, client: Client, hint: string | undefined): string | undefined {
  if (hint === undefined) return undefined
  const claims = hint.length > longest ? undefined : server.keys.verify(hint, 'JWT')
  // signed responses are JWTs of ours too: only an ID Token has a sub and an exp
  const { iss, sub, aud, exp } = claims ?? {}
  if (iss !== server.issuer || aud !== client.client_id || typeof sub !== 'string' || typeof exp !== 'number')
    throw new InvalidRequestError('id_token_hint is not an ID Token issued to this client')
  return sub
}
