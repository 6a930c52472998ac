/** From what a client sent to what is registered (RFC 7591 §2, §3.2.1): every member judged, defaults put in, and the whole free of contradictions. */
import { certificateSubjects, secretMethods, type Client, type ClientMetadata } from '../../client.ts'
import { InvalidRedirectUriError } from '../../errors.ts'
import type { JsonDocument } from '../../http/json-document.ts'
import { checkClientProfile } from '../../profiles.ts'
import type { Json } from '../../stores/store.ts'
import { canSign, hasCertificate } from './keys.ts'
import { ciba, judgeOf } from './members.ts'
import { applicationTypeOf } from './redirect-uris.ts'
import type { RegistrationRules } from './rules.ts'
import { refuse } from './values.ts'

/** What is registered, without `client_id` and secrets. */
export type RegisteredMembers = Omit<Client, 'client_id'> & Readonly<Record<string, unknown>>

/**
 * Reads client metadata. Members nobody here understands are left out.
 *
 * @throws InvalidClientMetadataError or InvalidRedirectUriError; the description begins with the member that is wrong.
 */
export function readMetadata(sent: JsonDocument, rules: RegistrationRules): RegisteredMembers {
  const judged: Record<string, Json> = {}
  for (const [member, value] of Object.entries(sent)) {
    const judge = judgeOf(member, rules)
    if (judge !== undefined) judged[member] = judge(value, member, rules)
  }
  const registered = withDefaults(judged, rules)
  checkGrants(registered, rules)
  checkMethod(registered, rules)
  checkKeys(registered, rules)
  checkBackchannel(registered)
  const [problem] = checkClientProfile({ ...registered, client_id: '' }, rules.profile)
  if (problem !== undefined) refuse(problem.key, `${problem.mustBe} (${problem.section})`)
  return registered
}

/** RFC 7591 §2 and OpenID Connect Registration §2: what is registered is all there, so that the client can read what it got. */
function withDefaults(judged: Readonly<Record<string, Json>>, rules: RegistrationRules): RegisteredMembers {
  const given = judged as Partial<ClientMetadata>
  const methods = [...rules.methods.keys()]
  const grant_types = given.grant_types ?? [defaultOf('grant_types', 'authorization_code', rules.grantTypes)]
  const method = given.token_endpoint_auth_method ?? defaultOf('token_endpoint_auth_method', 'client_secret_basic', methods)
  const redirect_uris = given.redirect_uris ?? []
  return {
    ...(rules.scopes.length > 0 && { scope: rules.scopes.join(' ') }),
    ...(grant_types.includes(ciba) && { backchannel_token_delivery_mode: 'poll' }),
    ...given,
    response_types: given.response_types ?? (grant_types.includes('authorization_code') ? ['code'] : []),
    token_endpoint_auth_method: method,
    grant_types,
    redirect_uris,
    application_type: applicationTypeOf(given['application_type'] as string | undefined, redirect_uris)
  }
}

/** The default of the specification, where this server has it; otherwise the client has to choose. */
function defaultOf(member: string, value: string, allowed: readonly string[]): string {
  return allowed.includes(value) ? value : refuse(member, `must be given, and be one of ${allowed.join(', ')}`)
}

/** RFC 7591 §2.1: grants and response types that belong together, for a client that can use them. */
function checkGrants(registered: RegisteredMembers, rules: RegistrationRules): void {
  const { grant_types, response_types, redirect_uris, token_endpoint_auth_method } = registered
  if (grant_types.length === 0) refuse('grant_types', 'must name at least one grant')
  const codes = grant_types.includes('authorization_code')
  if (codes !== response_types.includes('code'))
    refuse(
      'response_types',
      codes ? 'must be code, for the grant authorization_code' : 'must be empty without the grant authorization_code'
    )
  if (codes && redirect_uris.length === 0)
    throw new InvalidRedirectUriError('redirect_uris must name at least one URI, for the grant authorization_code')
  const beyond = token_endpoint_auth_method === 'none' ? rules.confidentialGrantTypes : []
  const position = grant_types.findIndex(grant_type => beyond.includes(grant_type))
  if (position !== -1)
    refuse(`grant_types[${position}]`, 'is for clients that authenticate: token_endpoint_auth_method must not be none')
}

/** A method that needs what was not registered would never work: better told now than at the first token request. */
function checkMethod(registered: RegisteredMembers, rules: RegistrationRules): void {
  const { token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: alg } = registered
  const algorithms = rules.methods.get(method) ?? []
  if (alg !== undefined && algorithms.length > 0 && !algorithms.includes(alg))
    refuse('token_endpoint_auth_signing_alg', `must be one of ${algorithms.join(', ')} for ${method}`)
  if (method === 'private_key_jwt' && !canSign(registered, alg === undefined ? algorithms : [alg]))
    refuse('jwks', `or jwks_uri must be given for private_key_jwt, with a key for ${alg ?? algorithms.join(', ')}`)
  if (method === 'self_signed_tls_client_auth' && !hasCertificate(registered))
    refuse('jwks', 'or jwks_uri must be given for self_signed_tls_client_auth, with the certificate as x5c of its key')
  const subjects = certificateSubjects.filter(member => registered[member] !== undefined)
  if (subjects.length > 1 || (method === 'tls_client_auth' && subjects.length === 0))
    refuse(
      subjects[1] ?? 'tls_client_auth_subject_dn',
      `must be the only one: tls_client_auth needs exactly one of ${certificateSubjects.join(', ')}`
    )
}

function checkKeys(registered: RegisteredMembers, rules: RegistrationRules): void {
  if (registered.jwks !== undefined && registered.jwks_uri !== undefined)
    refuse('jwks_uri', 'must not be given together with jwks')
  const signed = registered.require_signed_request_object === true || registered.request_object_signing_alg !== undefined
  const wanted = registered.request_object_signing_alg
  const algorithms = wanted === undefined ? rules.requestObjectAlgorithms : [wanted]
  if (signed && !canSign(registered, algorithms))
    refuse('jwks', 'or jwks_uri must be given, with a key that signs request objects')
}

/** CIBA Core §4: where the server tells the client, it has to know where. */
function checkBackchannel(registered: RegisteredMembers): void {
  const mode = registered['backchannel_token_delivery_mode']
  if ((mode === 'ping' || mode === 'push') && registered['backchannel_client_notification_endpoint'] === undefined)
    refuse('backchannel_client_notification_endpoint', `must be given for the delivery mode ${mode}`)
}

/** Whether a method's secret is one this server generates. */
export function needsSecret({ token_endpoint_auth_method }: Pick<RegisteredMembers, 'token_endpoint_auth_method'>): boolean {
  return secretMethods.includes(token_endpoint_auth_method)
}
