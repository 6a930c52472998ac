/** The endpoints built in. The router, metadata and the mutual-TLS aliases follow from this list. */
import type { RequestHandler } from 'express'
import { authorizationEndpoint } from './authorization/endpoint.ts'
import { backchannelAuthenticationEndpoint } from './backchannel-authentication/endpoint.ts'
import { challengeEndpoint } from './challenge.ts'
import { credentialsEndpoint } from './credentials.ts'
import { deviceAuthorizationEndpoint } from './device-authorization/endpoint.ts'
import { endSessionEndpoint } from './end-session/endpoint.ts'
import type { Endpoint, EndpointContext } from './endpoint.ts'
import { introspectionEndpoint } from './introspection.ts'
import { jwksEndpoint } from './jwks.ts'
import { pushedAuthorizationRequestEndpoint } from './pushed-authorization-request.ts'
import { registrationEndpoint } from './registration/endpoint.ts'
import { revocationEndpoint } from './revocation.ts'
import { userinfoEndpoint } from './userinfo.ts'

/**
 * The endpoints of one server, as far as it has a use for them: codes that no token issuer takes are not given out,
 * and where every client is public there is none to introspect.
 *
 * @param token the token endpoint, which stands on its own too.
 */
export function mountedEndpoints(context: EndpointContext, token: RequestHandler): readonly Endpoint[] {
  const { grantTypes, registration, device, backchannel, logout, attestation } = context
  const confidential = context.strategies.some(strategy => strategy.public !== true)
  const { strategies } = context.authentication('token')
  return [
    ...(grantTypes.includes('authorization_code')
      ? [authorizationEndpoint(context), pushedAuthorizationRequestEndpoint(context)]
      : []),
    ...(device === undefined ? [] : [deviceAuthorizationEndpoint(context, device)]),
    ...(backchannel === undefined ? [] : [backchannelAuthenticationEndpoint(context, backchannel)]),
    { member: 'token_endpoint', caller: 'client', strategies, handler: token },
    ...(confidential ? [introspectionEndpoint(context)] : []),
    revocationEndpoint(context),
    ...(attestation === undefined ? [] : [challengeEndpoint(attestation)]),
    userinfoEndpoint(context),
    ...(logout.options === undefined ? [] : [endSessionEndpoint(context, logout.options)]),
    ...(registration === undefined || registration.access === 'closed' ? [] : [registrationEndpoint(context, registration)]),
    ...(context.credentialsEndpoint ? [credentialsEndpoint(context)] : []),
    jwksEndpoint(context)
  ]
}
