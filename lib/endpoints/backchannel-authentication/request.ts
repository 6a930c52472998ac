/** Backchannel authentication requests (CIBA Core §7.1): read and judged, before anybody is asked anything. */
import type { Client } from '../../clients/client.ts'
import { isDisplayText } from '../../clients/metadata/display-text.ts'
import { InvalidRequestError, InvalidScopeError, OAuthError, ServerError, UnauthorizedClientError } from '../../errors.ts'
import { requestedResources, type Parameters } from '../../client-request.ts'
import { requestedScope } from '../../token-issuers/token-issuer.ts'
import { countAttempt, wrongUserCodes } from '../../codes/attempts.ts'
import { cibaGrantType } from '../../clients/grant-types.ts'
import type { BackchannelRequest, DeliveryMode } from '../../codes/backchannel-request.ts'
import { recallSubject } from '../../tokens/pairwise-memory.ts'
import { readAuthorizationDetails } from '../../authorization-requests/authorization-details.ts'
import { readIdTokenHint } from '../../authorization-requests/id-token-hint.ts'
import type { EndpointContext } from '../endpoint.ts'
import { checkLength, checkSize, longestText } from '../../authorization-requests/bounds.ts'
import { modeOf, type BackchannelPolicy, type PersonHint } from './options.ts'
import { readAuthenticationParameters } from './request-object.ts'

/** A client's request, once every parameter has been judged and the person is known. */
interface JudgedRequest {
  readonly request: Omit<BackchannelRequest, 'notification' | 'auth_method'>
  /** Present where the client is pinged or pushed to. */
  readonly client_notification_token: string | undefined
}

/** @throws OAuthError of CIBA Core §13. */
export async function readBackchannelRequest(
  context: EndpointContext,
  policy: BackchannelPolicy,
  client: Client,
  sent: Parameters,
  traceId?: () => string
): Promise<JudgedRequest> {
  const { server, authorizationDetails } = context
  const delivery = readDelivery(policy, client)
  const parameters = await readAuthenticationParameters(context, client, sent, traceId)
  const scope = readScope(context, client, parameters)
  const hint = await readHint(context, client, parameters)
  const client_notification_token = delivery === 'poll' ? undefined : readNotificationToken(parameters)
  const binding_message = readBindingMessage(parameters)
  const seconds = readExpiry(policy, parameters)
  const resources = server.resources.findAll(requestedResources(parameters))
  // there is one token then, and nobody to ask for another
  if (delivery === 'push') server.resources.together(resources, server.accessTokenTtl)
  const details = await readAuthorizationDetails(authorizationDetails, client, parameters['authorization_details'])
  const sub = await identify(policy, client, hint)
  await checkUserCode(context, policy, client, sub, parameters['user_code'])
  const now = server.clock()
  const request = checkSize({
    client_id: client.client_id,
    sub,
    scope,
    resources,
    authorization_details: details,
    binding_message,
    acr_values: (checkLength('acr_values', parameters['acr_values']) ?? '').split(' ').filter(value => value !== ''),
    requested_at: now,
    expires_at: now + seconds * 1000,
    interval: policy.interval,
    delivery
  })
  return { request, client_notification_token }
}

function readDelivery({ deliveryModes }: BackchannelPolicy, client: Client): DeliveryMode {
  if (!client.grant_types.includes(cibaGrantType))
    throw new UnauthorizedClientError('this client may not use backchannel authentication', {
      reason: 'not among its grant_types'
    })
  const mode = deliveryModes.find(offered => offered === modeOf(client))
  if (mode === undefined)
    throw new UnauthorizedClientError('the delivery mode this client registered is not offered', {
      reason: `it is ${modeOf(client)}`
    })
  return mode
}

function readScope({ server }: EndpointContext, client: Client, parameters: Parameters): readonly string[] {
  if (parameters['scope'] === undefined) throw new InvalidRequestError('scope is missing')
  const scope = requestedScope({ client, parameters }, server)
  if (!scope.includes('openid'))
    throw new InvalidScopeError('scope must contain openid', { reason: `scope is ${scope.join(' ') || 'empty'}` })
  return scope
}

const longestToken = 16_384

/** CIBA Core §7.1: exactly one of the three. */
async function readHint({ server }: EndpointContext, client: Client, parameters: Parameters): Promise<PersonHint> {
  const { login_hint, login_hint_token, id_token_hint } = parameters
  const hints = [login_hint, login_hint_token, id_token_hint].filter(hint => hint !== undefined)
  if (hints.length !== 1)
    throw new InvalidRequestError('exactly one of login_hint, login_hint_token and id_token_hint must be sent')
  if (login_hint !== undefined) return { login_hint: bounded('login_hint', login_hint, longestText) }
  if (login_hint_token !== undefined) return { login_hint_token: bounded('login_hint_token', login_hint_token, longestToken) }
  const sub = readIdTokenHint(server, client, id_token_hint) ?? ''
  if (client.subject_type !== 'pairwise') return { sub }
  const person = await recallSubject(server, sub)
  // an identifier made for a client is no name the application knows anybody by
  if (person === undefined) throw unknownPerson()
  return { sub: person }
}

function bounded(name: string, value: string, longest: number): string {
  if (value.length > longest) throw new InvalidRequestError(`${name} is longer than ${longest} characters`)
  return value
}

/** A bearer token (RFC 6750 §2.1) of at most 1024 characters. */
function readNotificationToken(parameters: Parameters): string {
  const { client_notification_token: token } = parameters
  if (token === undefined) throw new InvalidRequestError('client_notification_token is missing')
  if (token.length > 1024 || !/^[\w.~+/-]+=*$/.test(token))
    throw new InvalidRequestError('client_notification_token must be a bearer token of at most 1024 characters')
  return token
}

const longestBindingMessage = 128

function readBindingMessage(parameters: Parameters): string | undefined {
  const { binding_message } = parameters
  if (binding_message !== undefined && !isDisplayText(binding_message, longestBindingMessage))
    throw new OAuthError(
      'invalid_binding_message',
      400,
      `binding_message must be at most ${longestBindingMessage} characters that can be printed`
    )
  return binding_message
}

function readExpiry({ requestTtl }: BackchannelPolicy, parameters: Parameters): number {
  const { requested_expiry } = parameters
  if (requested_expiry === undefined) return requestTtl
  if (!/^[1-9]\d{0,14}$/.test(requested_expiry))
    throw new InvalidRequestError('requested_expiry must be a positive number of seconds')
  return Math.min(Number(requested_expiry), requestTtl)
}

async function identify(policy: BackchannelPolicy, client: Client, hint: PersonHint): Promise<string> {
  const sub: unknown = await policy.identify(hint, client)
  // databases say null where there is no row
  if (sub === undefined || sub === null) throw unknownPerson()
  if (typeof sub !== 'string' || sub === '') throw new ServerError({ reason: 'identify() must answer with a sub, or undefined' })
  return sub
}

function unknownPerson(): OAuthError {
  return new OAuthError('unknown_user_id', 400, 'there is no such person here')
}

async function checkUserCode(
  { server }: EndpointContext,
  policy: BackchannelPolicy,
  client: Client,
  sub: string,
  user_code: string | undefined
): Promise<void> {
  if (policy.checkUserCode === undefined || client.backchannel_user_code_parameter !== true) return
  const guesser = JSON.stringify([client.client_id, sub])
  const attempt =
    user_code === undefined ? undefined : await countAttempt(server, 'backchannel_user_code', guesser, wrongUserCodes)
  const spent = user_code !== undefined && attempt === undefined
  // beyond the bound the right code is as wrong as any other
  const right: unknown = spent ? false : await policy.checkUserCode(user_code, sub, client)
  // whatever else a check answers is not a yes
  if (right === true) {
    await attempt?.refund()
    return
  }
  if (user_code === undefined) throw new OAuthError('missing_user_code', 400, 'user_code is missing')
  const reason = spent ? 'too many wrong ones within ten minutes; it was not looked at' : 'it is wrong'
  throw new OAuthError('invalid_user_code', 400, 'this user_code is not valid', { reason })
}
