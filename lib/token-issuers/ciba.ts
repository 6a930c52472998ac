/**
 * The CIBA grant (OpenID Connect Client-Initiated Backchannel Authentication §10.1): tokens once the person agreed on a
 * device of theirs.
 */
import { UnauthorizedClientError } from '../errors.ts'
import { requestedResources } from '../client-request.ts'
import { cibaGrantType } from '../clients/grant-types.ts'
import type { BackchannelRequest } from '../codes/backchannel-request.ts'
import { beginGrant } from '../codes/begin-grant.ts'
import { collectApproval, findPolledRequest } from '../codes/polled-request.ts'
import { checkInstance } from '../tokens/instance.ts'
import { resourceFor } from '../tokens/token-response.ts'
import { requiredParameter, type TokenIssuer } from './token-issuer.ts'

/**
 * Answers clients that poll, and those that were pinged: `authorization_pending`, `slow_down` for polls that come too
 * often, `access_denied`, `expired_token`, and tokens for exactly one poll once the person has approved. For
 * confidential clients; clients that are pushed to are refused.
 *
 * Its ids come from the backchannel authentication endpoint, which `authorizationServer()` has where this is among its
 * `tokenIssuers`; it then needs the option `backchannelAuthentication`.
 */
export function ciba(): TokenIssuer {
  return {
    grant_type: cibaGrantType,
    confidential: true,
    async issue(request, server) {
      const { client } = request
      const auth_req_id = requiredParameter(request, 'auth_req_id')
      const found = await findPolledRequest<BackchannelRequest>(server, 'auth_req_id', auth_req_id, client.client_id)
      const { scope, resources, authorization_details, delivery, instance_jkt } = found.request
      checkInstance('auth_req_id', instance_jkt, request.authentication)
      if (delivery === 'push')
        throw new UnauthorizedClientError('tokens are pushed to this client', { reason: 'CIBA §11: it registered the push mode' })
      const resource = requestedResources(request.parameters)
      // judged first: a wrong resource must not cost the client its tokens
      if (resource.length > 0) resourceFor(server, found.request, resource)
      const approval = await collectApproval(server, found)
      const id = found.reference.grant
      const allowed = { client_id: client.client_id, scope, resources, authorization_details, ...approval }
      const begin = () => beginGrant(server, id, allowed, request)
      return server.respond(request, { ...allowed, id }, { resource, refresh_token: begin })
    }
  }
}
