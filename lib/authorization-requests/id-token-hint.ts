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
  const token = readIdToken(server, hint)
  if (token?.client_id !== client.client_id)
    throw new InvalidRequestError('id_token_hint is not an ID Token issued to this client')
  return token.sub
}

/** An ID Token, as far as it says who is meant. */
export interface HintedPerson {
  /** The client it was issued to. */
  readonly client_id: string
  /** The person, by what the client calls them. */
  readonly sub: string
  /** The session it was issued in, where it names one. */
  readonly sid?: string | undefined
}

/** Reads an ID Token that this server issued, expired or not; undefined for anything else. */
export function readIdToken(server: TokenServer, token: string): HintedPerson | undefined {
  const claims = token.length > longest ? undefined : server.keys.verify(token, 'JWT')
  // signed responses are JWTs of ours too: only an ID Token has a sub and an exp
  const { iss, sub, aud, exp, sid } = claims ?? {}
  if (iss !== server.issuer || typeof aud !== 'string' || typeof sub !== 'string' || typeof exp !== 'number') return undefined
  return { client_id: aud, sub, ...(typeof sid === 'string' && { sid }) }
}
