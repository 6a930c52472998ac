/**
 * From what a client sent to what is registered (RFC 7591 §2, §3.2.1): every member judged, defaults put in, and the
 * whole free of contradictions.
 */
import type { Client } from '../../clients/client.ts'
import { checkMethodNeeds, defaultMethod, methodAccepts, methodFacts } from '../../clients/methods.ts'
import { metadataRules } from '../../clients/metadata/rules.ts'
import type { ReadMetadata } from '../../clients/metadata/metadata.ts'
import { checkPublicGrants } from '../../clients/offered.ts'
import { checkClientProfile } from '../../profiles.ts'
import type { Json } from '../../stores/store.ts'
import { cibaGrantType } from '../../clients/grant-types.ts'
import { canSign, hasCertificate } from './keys.ts'
import { judgeOf } from './members.ts'
import { applicationTypeOf } from './redirect-uris.ts'
import type { RegistrationRules } from './rules.ts'
import { refuse } from './values.ts'
import type { JsonObject } from '../../json.ts'

/** The members that are registered, without `client_id` and secrets. */
export type RegisteredMembers = Omit<Client, 'client_id'> & Readonly<Record<string, unknown>>

/**
 * Reads client metadata. Members nobody here understands are left out, and so are those that are `null` or an empty
 * string.
 *
 * @throws InvalidClientMetadataError or InvalidRedirectUriError; the description begins with the member that is wrong.
 */
export function readMetadata(sent: JsonObject, rules: RegistrationRules): RegisteredMembers {
  const judged: Record<string, Json> = {}
  for (const [member, value] of Object.entries(sent)) {
    const judge = value === null || value === '' ? undefined : judgeOf(member, rules)
    if (judge !== undefined) judged[member] = judge(value, member, rules)
  }
  const registered = withDefaults(judged, rules)
  const metadata: ReadMetadata = { ...registered, client_id: '' }
  checkGrants(registered, rules)
  checkMethod(registered, rules)
  checkKeys(registered, rules)
  for (const rule of metadataRules) rule(metadata, refuse)
  // secrets are made here, and there is nothing beside what is registered
  checkMethodNeeds(metadata, refuse, true, [])
  const [problem] = checkClientProfile(metadata, rules.profile)
  if (problem !== undefined) refuse(problem.key, `${problem.mustBe} (${problem.section})`)
  return registered
}

/**
 * RFC 7591 §2 and OpenID Connect Registration §2: what is registered is all there, so that the client can read what it
 * got.
 */
function withDefaults(judged: Readonly<Record<string, Json>>, rules: RegistrationRules): RegisteredMembers {
  const given = judged as Partial<ReadMetadata>
  const methods = [...rules.methods.keys()]
  const grant_types = given.grant_types ?? [defaultOf('grant_types', 'authorization_code', rules.grantTypes)]
  const method = given.token_endpoint_auth_method ?? defaultOf('token_endpoint_auth_method', defaultMethod, methods)
  const redirect_uris = given.redirect_uris ?? []
  return {
    ...(rules.scopes.length > 0 && { scope: rules.scopes.join(' ') }),
    ...(grant_types.includes(cibaGrantType) && { backchannel_token_delivery_mode: 'poll' }),
    ...given,
    response_types: given.response_types ?? (grant_types.includes('authorization_code') ? ['code'] : []),
    token_endpoint_auth_method: method,
    grant_types,
    redirect_uris,
    application_type: applicationTypeOf(given.application_type, redirect_uris, rules.schemes)
  }
}

/** The default of the specification, where this server has it; otherwise the client has to choose. */
function defaultOf(member: string, value: string, allowed: readonly string[]): string {
  return allowed.includes(value) ? value : refuse(member, `must be given, and be one of ${allowed.join(', ')}`)
}

/** RFC 7591 §2.1: grants and response types that belong together, for a client that can use them. */
function checkGrants(registered: RegisteredMembers, rules: RegistrationRules): void {
  const { grant_types, response_types } = registered
  if (grant_types.length === 0) refuse('grant_types', 'must name at least one grant')
  const codes = grant_types.includes('authorization_code')
  if (codes !== response_types.includes('code'))
    refuse(
      'response_types',
      codes ? 'must be code, for the grant authorization_code' : 'must be empty without the grant authorization_code'
    )
  checkPublicGrants(registered, rules.confidentialGrantTypes, refuse)
}

/** A method that needs what was not registered would never work: better told now than at the first token request. */
function checkMethod(registered: RegisteredMembers, rules: RegistrationRules): void {
  const { token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: alg } = registered
  const algorithms = rules.methods.get(method) ?? []
  if (alg !== undefined && algorithms.length > 0 && !algorithms.includes(alg))
    refuse('token_endpoint_auth_signing_alg', `must be one of ${algorithms.join(', ')} for ${method}`)
  const certified = methodFacts.get(method)?.certifiedKeys === true
  if (certified && !hasCertificate(registered))
    refuse('jwks', `or jwks_uri must be given for ${method}, with the certificate as x5c of its key`)
  if (!certified && methodAccepts(method, 'key') && !canSign(registered, alg === undefined ? algorithms : [alg]))
    refuse('jwks', `or jwks_uri must be given for ${method}, with a key for ${alg ?? algorithms.join(', ')}`)
}

function checkKeys(registered: RegisteredMembers, rules: RegistrationRules): void {
  const signed = registered.require_signed_request_object === true || registered.request_object_signing_alg !== undefined
  const wanted = registered.request_object_signing_alg
  const algorithms = wanted === undefined ? rules.requestObjectAlgorithms : [wanted]
  if (signed && !canSign(registered, algorithms))
    refuse('jwks', 'or jwks_uri must be given, with a key that signs request objects')
}
