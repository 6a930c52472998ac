/** The device authorization grant (RFC 8628 §3.4): tokens for a device whose person agreed somewhere else. */
import { requestedResources } from '../client-request.ts'
import { beginGrant } from '../codes/begin-grant.ts'
import { deviceCodeGrantType } from '../clients/grant-types.ts'
import { collectApproval, findPolledRequest, type FoundRequest } from '../codes/polled-request.ts'
import { checkInstance } from '../tokens/instance.ts'
import { resourceFor } from '../tokens/token-response.ts'
import type { TokenResponse, TokenServer } from '../tokens/token-server.ts'
import { requiredParameter, type TokenIssuer, type TokenRequest } from './token-issuer.ts'

/**
 * Answers a device's polls: `authorization_pending`, `slow_down` for those that come too often, `access_denied`,
 * `expired_token`, and tokens for exactly one poll once the person has approved. The code is bound to the client it was
 * issued to.
 *
 * Its codes come from the device authorization endpoint, which `authorizationServer()` has where this is among its
 * `tokenIssuers`; it then needs the option `deviceAuthorization`.
 */
export function deviceCode(): TokenIssuer {
  return {
    grant_type: deviceCodeGrantType,
    async issue(request, server) {
      const device_code = requiredParameter(request, 'device_code')
      const found = await findPolledRequest(server, 'device_code', device_code, request.client.client_id)
      checkInstance('device_code', found.request.instance_jkt, request.authentication)
      return collectTokens(request, server, found)
    }
  }
}

/** Tokens for exactly one poll, once the person has approved what was found. */
export async function collectTokens(request: TokenRequest, server: TokenServer, found: FoundRequest): Promise<TokenResponse> {
  const { scope, resources, authorization_details } = found.request
  const resource = requestedResources(request.parameters)
  // judged first: a wrong resource must not cost the client its code
  if (resource.length > 0) resourceFor(server, found.request, resource)
  const approval = await collectApproval(server, found)
  const id = found.reference.grant
  const allowed = { client_id: request.client.client_id, scope, resources, authorization_details, ...approval }
  const begin = () => beginGrant(server, id, allowed, request)
  return server.respond(request, { ...allowed, id }, { resource, refresh_token: begin })
}
