/** The device authorization endpoint (RFC 8628 §3.1), and what the page its person goes to needs. */
import type { Request, Response } from 'express'
import { isPublic, type Client } from '../../clients/client.ts'
import { OAuthError, UnauthorizedClientError } from '../../errors.ts'
import { readClientRequest } from '../../http/client-request.ts'
import { sendTokenResponse } from '../../http/responses.ts'
import { requestedResources } from '../../client-request.ts'
import { requestedScope } from '../../token-issuers/token-issuer.ts'
import { countAttempt, wrongUserCodes } from '../../codes/attempts.ts'
import { findDeviceRequest, keepDeviceRequest, normaliseUserCode } from '../../codes/device-code.ts'
import type { DevicePolicy } from './options.ts'
import type { AuthorizationDetail } from '../../tokens/grant.ts'
import { decideRequest, type FoundRequest, type PersonDecision } from '../../codes/polled-request.ts'
import { readAuthorizationDetails } from '../../authorization-requests/authorization-details.ts'
import type { Account } from '../../authorization-requests/account.ts'
import { findClient } from '../../clients/find-client.ts'
import { deviceCodeGrantType } from '../../clients/grant-types.ts'
import { clientHandlerOf, type Endpoint, type EndpointContext } from '../endpoint.ts'
import { checkSize } from '../../authorization-requests/bounds.ts'

/** A device's request, for the page where its person decides. */
export interface DeviceAuthorization {
  /** As it is shown on the device, `BCDF-GHJK`: let the person compare. */
  readonly user_code: string
  /** The client the device runs. */
  readonly client: Client
  /** The scope values it asks for. */
  readonly scope: readonly string[]
  /** The resources it asks for access to. */
  readonly resources: readonly string[]
  /** The details it asks for (RFC 9396), each checked by its type's check. */
  readonly authorization_details: readonly AuthorizationDetail[]
}

/**
 * Functions that the page at `verificationUri` calls, once the person has signed in.
 *
 * User codes are short, so guessing is bounded: whoever enters ten wrong ones within ten minutes is refused for the
 * rest of them, by a rejection with an {@link OAuthError} of status 429 and `Retry-After`. Bound it per network too, as
 * you bound passwords.
 */
export interface DeviceVerification {
  /**
   * Finds what the device with this user code asks for, the code in any spelling; undefined when there is none, or it
   * is expired or decided. Show it, and ask: a code that arrived in a link or a message may be someone else's device
   * (RFC 8628 §5.4).
   */
  find(user_code: string, account: Pick<Account, 'sub'>): Promise<DeviceAuthorization | undefined>
  /**
   * The person agreed: the device's next poll gets their tokens. True for exactly one decision; false where the code is
   * not (or no longer) to be decided. Where the account names a session (`sid`), the device's grant belongs to it, and
   * rejects with {@link OAuthError} `login_required` where it has ended meanwhile.
   */
  approve(user_code: string, account: Account): Promise<boolean>
  /** The person refused: the device's next poll is `access_denied`. True for exactly one decision. */
  deny(user_code: string, account: Pick<Account, 'sub'>): Promise<boolean>
}

/** Answers POST with a device code and a user code. Clients authenticate as at the token endpoint, public ones too. */
export function deviceAuthorizationEndpoint(context: EndpointContext, policy: DevicePolicy): Endpoint {
  const { strategies, authenticate } = context.authentication('device_authorization')
  const handler = clientHandlerOf(authenticate, (client, req, res) => authorizeDevice(context, policy, client, req, res))
  return { member: 'device_authorization_endpoint', caller: 'client', strategies, handler }
}

async function authorizeDevice(
  { server, authorizationDetails, anonymousBudget }: EndpointContext,
  { verificationUri, codeTtl, interval }: DevicePolicy,
  client: Client,
  req: Request,
  res: Response
): Promise<void> {
  const { parameters, authentication } = await readClientRequest(req)
  if (!client.grant_types.includes(deviceCodeGrantType))
    throw new UnauthorizedClientError('this client may not use device codes', { reason: 'not among its grant_types' })
  const scope = requestedScope({ client, parameters }, server)
  const resources = server.resources.findAll(requestedResources(parameters))
  const details = await readAuthorizationDetails(authorizationDetails, client, parameters['authorization_details'])
  const request = checkSize({
    client_id: client.client_id,
    scope,
    resources,
    authorization_details: details,
    instance_jkt: authentication?.instance,
    expires_at: server.clock() + codeTtl * 1000,
    interval
  })
  if (isPublic(client)) anonymousBudget.spend(req, request)
  const { device_code, user_code } = await keepDeviceRequest(server, request)
  sendTokenResponse(res, {
    device_code,
    user_code,
    verification_uri: verificationUri,
    verification_uri_complete: `${verificationUri}?user_code=${user_code}`,
    expires_in: codeTtl,
    interval
  })
}

/** The functions for the person's page. */
export function deviceVerification(context: EndpointContext): DeviceVerification {
  const { server } = context
  const decide = async (user_code: string, sub: string, decision: PersonDecision): Promise<boolean> => {
    const found = await enter(context, user_code, sub)
    return found !== undefined && decideRequest(server, found, decision)
  }
  return {
    async find(user_code, { sub }) {
      const found = await enter(context, user_code, sub)
      const client = found && (await findClient(context.clients, found.request.client_id))
      if (found === undefined || client === undefined) return undefined
      const { scope, authorization_details = [] } = found.request
      const resources = server.resources.meant(found.request)
      return { user_code: normaliseUserCode(user_code) ?? '', client, scope, resources, authorization_details }
    },
    approve: (user_code, { sub, auth_time, acr, amr, sid }) =>
      decide(user_code, sub, { decision: 'allow', approval: { sub, auth_time, acr, amr, sid } }),
    deny: (user_code, { sub }) => decide(user_code, sub, { decision: 'deny' })
  }
}

/** The request of a user code, each wrong one counted. @throws OAuthError where the person entered too many. */
async function enter({ server }: EndpointContext, user_code: string, sub: string): Promise<FoundRequest | undefined> {
  const attempt = await countAttempt(server, 'user_code', sub, wrongUserCodes)
  if (attempt === undefined) {
    throw new OAuthError('temporarily_unavailable', 429, 'too many wrong codes were entered', {
      reason: 'a person entered more wrong user codes than are tolerated (RFC 8628 §5.1)',
      headers: { 'Retry-After': String(wrongUserCodes.window) }
    })
  }
  const found = await findDeviceRequest(server, user_code)
  if (found !== undefined) await attempt.refund()
  return found
}
