/** The client credentials grant (RFC 6749 §4.4): a client acting for itself. */
import { InvalidScopeError } from '../errors.ts'
import { requestedResources } from '../client-request.ts'
import { requestedScope, type TokenIssuer, type TokenRequest } from './token-issuer.ts'
import { aboutPeople } from '../tokens/scope.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/**
 * Issues an access token to a confidential client on its own behalf: `sub` is the client, and there is never a refresh token
 * (RFC 6749 §4.4.3). Scope values about people are refused when asked for and left out of the client's default.
 */
export function clientCredentials(): TokenIssuer {
  return {
    grant_type: 'client_credentials',
    confidential: true,
    issue(request, server) {
      const scope = scopeOf(request, server)
      const grant = { client_id: request.client.client_id, scope, resources: [] }
      return server.respond(request, grant, { resource: requestedResources(request.parameters) })
    }
  }
}

function scopeOf(request: TokenRequest, server: TokenServer): readonly string[] {
  const scope = requestedScope(request, server)
  const fitting = scope.filter(value => !aboutPeople.includes(value))
  if (request.parameters['scope'] !== undefined && fitting.length < scope.length) {
    const beyond = scope.filter(value => !fitting.includes(value)).join(' ')
    throw new InvalidScopeError('this scope is about a person, and there is none in this grant', {
      reason: `about a person, of whom client_credentials knows none: ${beyond}`
    })
  }
  return fitting
}
