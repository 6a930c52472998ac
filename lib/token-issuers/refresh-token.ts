/** The refresh token grant (RFC 6749 §6), rotating by family. */
import { InvalidGrantError, InvalidScopeError } from '../errors.ts'
import { isProvedBy } from '../tokens/confirmation.ts'
import { findGrant, type GrantRecord } from '../tokens/grant.ts'
import { hasExpired, readRefreshToken, rotate, rotates } from '../tokens/refresh-token.ts'
import { malformedScope, parseScope, scopeBeyond } from '../tokens/scope.ts'
import { resourceFor } from '../tokens/token-response.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import { requiredParameter, type TokenIssuer, type TokenRequest } from './token-issuer.ts'

/**
 * Issues a new access token for a grant. Scope only narrows, and only for this access token. Where the token rotates, its
 * predecessor still gets the same successor within the retry window; anything older ends the grant.
 */
export function refreshToken(): TokenIssuer {
  return {
    grant_type: 'refresh_token',
    async issue(request, server) {
      const reference = readRefreshToken(server, requiredParameter(request, 'refresh_token'))
      if (reference === undefined) throw refused('not a refresh token of this server')
      const found = await findGrant(server.store, reference.grant)
      if (found?.grant.refresh === undefined) throw refused('the grant ended: expired, revoked or its token was reused')
      const { grant } = found
      if (hasExpired(server, found.grant.refresh)) throw refused('expired')
      if (grant.client_id !== request.client.client_id) throw refused('issued to another client')
      if (!isProvedBy(grant.cnf, request.confirmation)) throw refused('bound to a key or certificate this request does not prove')
      // what the client asks for is judged first: a wrong scope must not cost it the token
      const scope = narrowedScope(request, grant)
      const { resource } = request.parameters
      if (resource !== undefined) resourceFor(server, grant, resource)
      const rotation = await rotate(server, reference, rotates(server, request.client, request.confirmation), found)
      if (rotation.outcome === 'reused') tellReuse(request, server, reference.grant)
      if (rotation.outcome === 'reused') throw refused('superseded before: reuse; the grant and its tokens are revoked')
      if (rotation.outcome === 'ended') throw refused('the grant ended meanwhile')
      return server.respond(
        request,
        { ...grant, id: reference.grant },
        { scope, resource, refresh_token: rotation.refresh_token }
      )
    }
  }
}

function tellReuse({ client: { client_id }, traceId }: TokenRequest, { emit }: TokenServer, grant: string): void {
  const about = { trace_id: traceId?.(), client_id, grant }
  emit?.({ type: 'refresh.reused', ...about })
  emit?.({ type: 'grant.revoked', by: 'refresh_reused', ...about })
}

function refused(reason: string): InvalidGrantError {
  return new InvalidGrantError('this refresh token is not valid', { reason })
}

function narrowedScope(request: TokenRequest, grant: GrantRecord): readonly string[] {
  const asked = request.parameters['scope']
  if (asked === undefined) return grant.scope
  const scope = parseScope(asked)
  const beyond = scope === undefined ? [] : scopeBeyond(scope, grant.scope)
  if (scope === undefined || beyond.length > 0) {
    const reason = scope === undefined ? malformedScope(asked).reason : `beyond it: ${beyond.join(' ')}`
    throw new InvalidScopeError('scope is malformed or beyond what was granted', { ...(reason !== undefined && { reason }) })
  }
  return scope
}
