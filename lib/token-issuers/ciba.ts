/**
 * The CIBA grant (OpenID Connect Client-Initiated Backchannel Authentication §10.1): tokens once the person agreed on a
 * device of theirs.
 */
import { UnauthorizedClientError } from '../errors.ts'
import { cibaGrantType } from '../clients/grant-types.ts'
import type { BackchannelRequest } from '../codes/backchannel-request.ts'
import { findPolledRequest } from '../codes/polled-request.ts'
import { checkInstance } from '../tokens/instance.ts'
import { collectTokens } from './device-code.ts'
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
      const auth_req_id = requiredParameter(request, 'auth_req_id')
      const { client_id } = request.client
      const found = await findPolledRequest<BackchannelRequest>(server, 'auth_req_id', auth_req_id, client_id)
      const { delivery, instance_jkt } = found.request
      checkInstance('auth_req_id', instance_jkt, request.authentication)
      if (delivery === 'push')
        throw new UnauthorizedClientError('tokens are pushed to this client', { reason: 'CIBA §11: it registered the push mode' })
      return collectTokens(request, server, found)
    }
  }
}
