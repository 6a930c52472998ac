/** The client credentials grant (RFC 6749 §4.4): a client acting for itself. */
import { InvalidScopeError } from '../errors.ts'
import { requestedResources } from '../client-request.ts'
import { recordingUse, requestedScope, type TokenIssuer, type TokenRequest } from './token-issuer.ts'
import { aboutPeople } from '../tokens/scope.ts'
import { resourceFor } from '../tokens/token-response.ts'
import type { TokenResponse, TokenServer } from '../tokens/token-server.ts'

/**
 * Issues an access token to a confidential client on its own behalf: `sub` is the client, and there is never a refresh
 * token (RFC 6749 §4.4.3). Scope values about people are refused when asked for and left out of the client's default.
 */
export function clientCredentials(): TokenIssuer {
  return recordingUse({
    grant_type: 'client_credentials',
    confidential: true,
    issue: (request, server) => issueToClient(request, server)
  })
}

/**
 * An access token for the client on its own behalf. @param beforeMinting called once scope and resource are found
 * right.
 */
export async function issueToClient(
  request: TokenRequest,
  server: TokenServer,
  beforeMinting?: () => Promise<void>
): Promise<TokenResponse> {
  const scope = scopeOf(request, server)
  const resource = requestedResources(request.parameters)
  const grant = { client_id: request.client.client_id, scope, resources: [] }
  if (beforeMinting !== undefined) {
    resourceFor(server, grant, resource)
    await beforeMinting()
  }
  return server.respond(request, grant, { resource })
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
