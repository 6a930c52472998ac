/** ID Tokens (OpenID Connect Core §2): who signed in, told to the client. Profile claims go to the userinfo endpoint instead. */
import type { Client } from '../client.ts'
import { ServerError } from '../errors.ts'
import type { AccountClaims, Grant } from './grant.ts'
import { halfHash } from './signing-keys.ts'
import { subjectFor } from './subject.ts'
import type { TokenServer } from './token-server.ts'

const lifetime = 3600

/** Mints an ID Token for a grant with a person in it. `access_token` is what `at_hash` binds it to. */
export async function mintIdToken(server: TokenServer, client: Client, grant: Grant, access_token: string): Promise<string> {
  if (grant.sub === undefined) throw new ServerError({ reason: 'an ID Token needs a person: the grant has no sub' })
  const alg = idTokenAlgorithm(server, client)
  const iat = Math.floor(server.clock() / 1000)
  return server.keys.sign(alg, 'JWT', {
    ...(await requestedClaims(server, grant.sub, grant.claims?.id_token)),
    iss: server.issuer,
    sub: subjectFor(server, client, grant.sub),
    aud: client.client_id,
    exp: iat + lifetime,
    iat,
    auth_time: grant.auth_time,
    nonce: grant.nonce,
    acr: grant.acr,
    amr: grant.amr,
    at_hash: halfHash(alg, access_token)
  })
}

/** The claims that were asked for in the ID Token one by one (OpenID Connect Core §5.5), as far as they are known. */
async function requestedClaims(server: TokenServer, sub: string, names: readonly string[] | undefined): Promise<AccountClaims> {
  if (names === undefined) return {}
  const known = (await server.claims?.(sub)) ?? {}
  return Object.fromEntries(names.filter(name => known[name] !== undefined).map(name => [name, known[name]]))
}

/** The algorithm this client's ID Tokens are signed with: what it registered, or the server's default. */
export function idTokenAlgorithm(server: TokenServer, client: Client): string {
  const wanted = client.id_token_signed_response_alg ?? server.idTokenAlgorithms[0] ?? ''
  if (server.idTokenAlgorithms.includes(wanted)) return wanted
  throw new ServerError({
    reason: `client ${client.client_id} registered ID Tokens signed ${wanted}, which this server does not do`
  })
}
