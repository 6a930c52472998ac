/** The refresh token grant (RFC 6749 §6), rotating by family. */
import { InvalidGrantError } from '../errors.ts'
import { isProvedBy } from '../tokens/confirmation.ts'
import { requestedResources } from '../client-request.ts'
import { mayRefresh } from '../tokens/allowed.ts'
import { findGrant, type FoundGrant } from '../tokens/grant.ts'
import { hasExpired, readRefreshToken, nextRotation, rotates, type RefreshTokenReference } from '../tokens/refresh-token.ts'
import { isOfInstance } from '../tokens/instance.ts'
import { malformedScope, parseScope } from '../tokens/scope.ts'
import type { FirstStep } from '../stores/store.ts'
import type { TokenServer, UnrecordedRefreshToken } from '../tokens/token-server.ts'
import { requiredParameter, tellReuse, type TokenIssuer, type TokenRequest } from './token-issuer.ts'

/**
 * Issues a new access token for a grant. Scope only narrows, and only for this access token. Where the token rotates,
 * its predecessor still gets the same successor within the retry window; anything older ends the grant.
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
      if (!isOfInstance(grant.instance_jkt, request.authentication)) throw refused('bound to another instance of the client')
      if (!mayRefresh(server, request.client, grant)) throw refused('offline_access is no longer allowed to the client')
      const scope = askedScope(request)
      const resource = requestedResources(request.parameters)
      // what the client asks for is judged first: a wrong scope must not cost it the token
      let rotated_at: number | undefined
      let known: FoundGrant | undefined = found
      const refresh_token = async (): Promise<string | UnrecordedRefreshToken> => {
        const current = await successor(request, server, reference, known)
        // whoever asks again has learned that the grant is another by now
        known = undefined
        rotated_at = current.rotated_at
        const { record } = current
        return record === undefined ? current.refresh_token : { refresh_token: current.refresh_token, record }
      }
      const refreshed_at = (): number => rotated_at ?? server.clock()
      return server.respond(request, { id: reference.grant, ...grant }, { scope, resource, refresh_token, refreshed_at })
    }
  }
}

/** The refresh token from now on. @throws InvalidGrantError where this one was superseded, or the grant has ended. */
async function successor(
  request: TokenRequest,
  server: TokenServer,
  reference: RefreshTokenReference,
  known: FoundGrant | undefined
): Promise<{ readonly refresh_token: string; readonly rotated_at: number; readonly record?: FirstStep }> {
  const rotation = await nextRotation(server, reference, rotates(server, request.client, request.confirmation), known)
  if (rotation.outcome === 'current') return rotation
  if (rotation.outcome === 'ended') throw refused('the grant ended meanwhile')
  tellReuse(request, server, reference.grant, 'refresh')
  throw refused('superseded before: reuse; the grant and its tokens are revoked')
}

function refused(reason: string): InvalidGrantError {
  return new InvalidGrantError('this refresh token is not valid', { reason })
}

function askedScope(request: TokenRequest): readonly string[] | undefined {
  const asked = request.parameters['scope']
  const scope = asked === undefined ? undefined : parseScope(asked)
  if (asked !== undefined && scope === undefined) throw malformedScope(asked)
  return scope
}
