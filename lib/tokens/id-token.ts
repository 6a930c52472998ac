/**
 * ID Tokens (OpenID Connect Core §2): who signed in, told to the client. Profile claims go to the userinfo endpoint
 * instead, unless told otherwise.
 */
import type { Client } from '../clients/client.ts'
import { ServerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { readClaims } from './claims.ts'
import type { AccountClaims, Grant } from './grant.ts'
import { rememberSubject } from './pairwise-memory.ts'
import { halfHash } from '../signing-keys/signing-keys.ts'
import { responseAlgorithm } from './signed-response.ts'
import { subjectFor } from './subject.ts'
import type { TokenServer } from './token-server.ts'

const lifetime = 3600

/** Values that an ID Token is bound to when it is pushed to its client (CIBA Core §10.3.1). */
interface PushedWith {
  readonly auth_req_id: string
  readonly refresh_token: string | undefined
}

/**
 * Mints an ID Token for a grant with a person in it. `access_token` is what `at_hash` binds it to, `own` the claims the
 * application adds.
 */
export async function mintIdToken(
  server: TokenServer,
  client: Client,
  grant: Grant,
  access_token: string,
  { pushed, own }: { readonly pushed?: PushedWith | undefined; readonly own?: AccountClaims | undefined } = {}
): Promise<string> {
  if (grant.sub === undefined) throw new ServerError({ reason: 'an ID Token needs a person: the grant has no sub' })
  const alg = idTokenAlgorithm(server, client)
  const iat = Math.floor(server.clock() / 1000)
  const subject = subjectFor(server, client, grant.sub)
  if (subject !== grant.sub) await rememberSubject(server, client, grant.sub, subject)
  return server.keys.sign(alg, 'JWT', {
    ...(await readClaims(server, client, grant.sub, {
      scope: (client.id_token_claims ?? server.idTokenClaims) === 'scopes' ? grant.scope : [],
      claims: grant.claims?.id_token
    })),
    ...own,
    iss: server.issuer,
    sub: subject,
    aud: client.client_id,
    exp: iat + lifetime,
    iat,
    auth_time: grant.auth_time,
    nonce: grant.nonce,
    acr: grant.acr,
    amr: grant.amr,
    sid: grant.sid,
    at_hash: halfHash(alg, access_token),
    ...(pushed !== undefined && {
      'urn:openid:params:jwt:claim:auth_req_id': pushed.auth_req_id,
      'urn:openid:params:jwt:claim:rt_hash': pushed.refresh_token === undefined ? undefined : halfHash(alg, pushed.refresh_token)
    })
  })
}

/** An ID Token, as far as it says who is meant. */
export interface IdToken {
  /** The client it was issued to. */
  readonly client_id: string
  /** The person, by what the client calls them. */
  readonly sub: string
  /** Seconds since the epoch. */
  readonly exp: number
  /** The session it was issued in, where it names one. */
  readonly sid?: string | undefined
  readonly claims: JsonObject
}

/**
 * Reads an ID Token that this server issued, expired or not; undefined for anything else.
 *
 * @param longest in characters.
 */
export function readIdToken(server: TokenServer, token: string, longest: number): IdToken | undefined {
  const claims = token.length > longest ? undefined : server.keys.verify(token, 'JWT')
  // signed responses are JWTs of ours too: only an ID Token has a sub and an exp
  const { iss, sub, aud, exp, sid } = claims ?? {}
  if (claims === undefined || iss !== server.issuer) return undefined
  if (typeof aud !== 'string' || typeof sub !== 'string' || typeof exp !== 'number') return undefined
  return { client_id: aud, sub, exp, ...(typeof sid === 'string' && { sid }), claims }
}

/** The algorithm this client's ID Tokens are signed with. */
export function idTokenAlgorithm(server: TokenServer, client: Client): string {
  return responseAlgorithm(server, client.id_token_signed_response_alg, 'ID Tokens')
}
