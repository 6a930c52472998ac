/** The authorization code grant (RFC 6749 §4.1.3) with PKCE (RFC 7636). */
import { isPublic } from '../clients/client.ts'
import { printable } from '../printable.ts'
import { InvalidGrantError } from '../errors.ts'
import { requestedResources } from '../client-request.ts'
import { redeemAuthorizationCode, type AuthorizationCodeRecord } from '../codes/authorization-code.ts'
import { beginGrant } from '../codes/begin-grant.ts'
import { verifyCodeChallenge } from '../codes/pkce.ts'
import { checkInstance } from '../tokens/instance.ts'
import type { Allowed } from '../tokens/person-grants.ts'
import { requiredParameter, tellReuse, type TokenIssuer, type TokenRequest } from './token-issuer.ts'

/**
 * Redeems an authorization code: bound to the client it was issued to, the exact redirect URI and the PKCE challenge;
 * used once. A second use is `invalid_grant` and revokes what the first one bought. A code presented with a wrong
 * redirect URI or verifier is spent all the same: whoever sent it does not hold what belongs to it.
 */
export function authorizationCode(): TokenIssuer {
  return {
    grant_type: 'authorization_code',
    async issue(request, server) {
      const redeemed = await redeemAuthorizationCode(server, requiredParameter(request, 'code'), request.client.client_id)
      if (redeemed.outcome === 'replayed') tellReuse(request, server, redeemed.grant, 'code')
      if (redeemed.outcome !== 'redeemed') {
        const reason =
          redeemed.outcome === 'replayed'
            ? 'the code was used before; its tokens are revoked'
            : 'no such code for this client: unknown or expired'
        throw new InvalidGrantError('this code is not valid', { reason })
      }
      const { grant: id, record } = redeemed
      checkRedirectUri(request, record)
      checkCodeVerifier(request, record)
      checkDpopKey(request, record)
      checkInstance('code', record.instance_jkt, request.authentication)
      const resource = requestedResources(request.parameters)
      const begin = () => beginGrant(server, id, allowedBy(record), request)
      return server.respond(request, { id, ...record }, { resource, refresh_token: begin })
    }
  }
}

/** RFC 6749 §4.1.3: the very redirect URI of the authorization request, compared as strings. */
function checkRedirectUri(request: TokenRequest, record: AuthorizationCodeRecord): void {
  const { redirect_uri } = request.parameters
  if (redirect_uri === record.redirect_uri) return
  const sent = redirect_uri === undefined ? 'redirect_uri is missing' : `redirect_uri is ${printable(redirect_uri)}`
  const reason = `${sent}; the code was sent to ${printable(record.redirect_uri)}`
  throw new InvalidGrantError('redirect_uri is not that of the authorization request', { reason })
}

/**
 * A verifier if and only if there was a challenge (OAuth 2.1 §4.1.3, RFC 9700 §2.1.1): a missing one is someone who
 * only has the code, a superfluous one is a client whose challenge was stripped on the way.
 */
function checkCodeVerifier(request: TokenRequest, record: AuthorizationCodeRecord): void {
  const { code_verifier } = request.parameters
  const { code_challenge } = record
  if (code_challenge === undefined) {
    if (code_verifier !== undefined)
      throw new InvalidGrantError('code_verifier was sent, but the authorization request had no code_challenge')
    if (isPublic(request.client)) throw new InvalidGrantError('a public client needs PKCE')
    return
  }
  if (code_verifier === undefined || !verifyCodeChallenge(code_verifier, code_challenge)) {
    throw new InvalidGrantError('code_verifier does not match', {
      reason: code_verifier === undefined ? 'code_verifier is missing' : 'wrong code_verifier'
    })
  }
}

/** RFC 9449 §10: a code asked for with a key is good for whoever holds that key. */
function checkDpopKey(request: TokenRequest, record: AuthorizationCodeRecord): void {
  if (record.dpop_jkt === undefined || record.dpop_jkt === request.confirmation?.jkt) return
  throw new InvalidGrantError('this code is bound to another key', { reason: 'dpop_jkt is not the key of the DPoP proof' })
}

function allowedBy(record: AuthorizationCodeRecord): Allowed {
  return {
    client_id: record.client_id,
    sub: record.sub,
    scope: record.scope,
    resources: record.resources,
    auth_time: record.auth_time,
    acr: record.acr,
    amr: record.amr,
    sid: record.sid,
    claims: record.claims,
    authorization_details: record.authorization_details,
    listed_until: record.listed_until
  }
}
