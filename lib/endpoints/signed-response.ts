/** Answers signed for one client: authorization responses (JARM §2) and userinfo (OpenID Connect Core §5.3.2). */
import type { Client } from '../client.ts'
import { ServerError } from '../errors.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/** The algorithm to sign with: what the client registered, or the server's default. @throws ServerError for one it does not do. */
export function responseAlgorithm(server: TokenServer, registered: string | undefined): string {
  const wanted = registered ?? server.idTokenAlgorithms[0] ?? ''
  if (server.idTokenAlgorithms.includes(wanted)) return wanted
  throw new ServerError({ reason: `the client registered responses signed ${wanted}, which this server does not do` })
}

/** A JWT of this server's for one client. */
export function signFor(
  server: TokenServer,
  client: Client,
  registered: string | undefined,
  claims: Readonly<Record<string, unknown>>
): Promise<string> {
  const alg = responseAlgorithm(server, registered)
  return server.keys.sign(alg, 'JWT', { ...claims, iss: server.issuer, aud: client.client_id })
}
