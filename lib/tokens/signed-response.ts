/**
 * Answers signed for one client: authorization responses (JARM §2), userinfo (OpenID Connect Core §5.3.2),
 * introspection (RFC 9701 §5).
 */
import type { Client } from '../clients/client.ts'
import { ServerError } from '../errors.ts'
import type { TokenServer } from './token-server.ts'

/**
 * The algorithm to sign with: what the client registered, or the server's default. @throws ServerError for one it does
 * not do.
 */
export function responseAlgorithm(server: TokenServer, registered: string | undefined, what = 'responses'): string {
  const wanted = registered ?? server.idTokenAlgorithms[0] ?? ''
  if (server.idTokenAlgorithms.includes(wanted)) return wanted
  throw new ServerError({ reason: `the client registered ${what} signed ${wanted}, which this server does not do` })
}

/**
 * A JWT of this server's for one client. `typ` keeps JWTs of one use from passing for those of another (RFC 8725
 * §3.11).
 */
export function signFor(
  server: TokenServer,
  client: Client,
  registered: string | undefined,
  claims: Readonly<Record<string, unknown>>,
  typ = 'JWT'
): Promise<string> {
  const alg = responseAlgorithm(server, registered)
  return server.keys.sign(alg, typ, { ...claims, iss: server.issuer, aud: client.client_id })
}
