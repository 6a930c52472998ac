/** Every member a client may register, with what it must be. A member that is not here is not understood, and kept out (RFC 7591 §2). */
import { certificateSubjects } from '../../client.ts'
import { parseScope } from '../../tokens/scope.ts'
import { certificateSubject, jwks } from './keys.ts'
import { redirectUris } from './redirect-uris.ts'
import type { RegistrationRules } from './rules.ts'
import { endpoint, flag, list, oneOf, page, refuse, text, type Judge } from './values.ts'

/** The grant of CIBA, whose members are understood where it is mounted. */
export const ciba = 'urn:openid:params:grant-type:ciba'
const deliveryModes = ['poll', 'ping', 'push']

const responseAlgorithm = oneOf(({ signingAlgorithms }) => signingAlgorithms)
const requestAlgorithm = oneOf(({ requestObjectAlgorithms }) => requestObjectAlgorithms)
const withCertificates: Judge = (value, member, rules) =>
  flag(value, member, rules) === true && !rules.certificates
    ? refuse(member, 'must be false: connections to this server carry no client certificate')
    : (value as boolean)

const judges: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  // RFC 7591 §2
  ['redirect_uris', redirectUris],
  ['token_endpoint_auth_method', oneOf(({ methods }) => [...methods.keys()])],
  ['grant_types', list(oneOf(({ grantTypes }) => grantTypes))],
  ['response_types', list(oneOf(({ grantTypes }) => (grantTypes.includes('authorization_code') ? ['code'] : [])))],
  ['client_name', text],
  ['client_uri', page],
  ['logo_uri', page],
  ['tos_uri', page],
  ['policy_uri', page],
  ['contacts', list(text)],
  ['scope', scope],
  ['jwks', jwks],
  ['jwks_uri', endpoint],
  ['software_id', text],
  ['software_version', text],
  // OpenID Connect Registration §2
  ['application_type', oneOf(() => ['web', 'native'])],
  ['subject_type', oneOf(({ subjectTypes }) => subjectTypes)],
  ['sector_identifier_uri', endpoint],
  ['token_endpoint_auth_signing_alg', oneOf(({ methods }) => [...new Set([...methods.values()].flat())])],
  ['id_token_signed_response_alg', responseAlgorithm],
  ['userinfo_signed_response_alg', responseAlgorithm],
  // JARM §3, RFC 9701 §6
  ['authorization_signed_response_alg', responseAlgorithm],
  ['introspection_signed_response_alg', responseAlgorithm],
  // RFC 9101 §10.5, RFC 9126 §6, RFC 9396 §10, RFC 9449 §5.2
  ['request_object_signing_alg', requestAlgorithm],
  ['require_signed_request_object', flag],
  ['require_pushed_authorization_requests', flag],
  ['authorization_details_types', list(oneOf(({ authorizationDetailTypes }) => authorizationDetailTypes))],
  ['dpop_bound_access_tokens', flag],
  // RFC 8705 §2.1.2, §3.4, FAPI 2.0 §5.2.2
  ...certificateSubjects.map((member): [string, Judge] => [member, certificateSubject]),
  ['tls_client_certificate_bound_access_tokens', withCertificates],
  ['use_mtls_endpoint_aliases', flag]
])

/** CIBA Core §4. */
const cibaJudges: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  ['backchannel_token_delivery_mode', oneOf(() => deliveryModes)],
  ['backchannel_client_notification_endpoint', endpoint],
  ['backchannel_authentication_request_signing_alg', requestAlgorithm],
  ['backchannel_user_code_parameter', flag]
])

/** What people read may be there in any number of languages (RFC 7591 §2.2), the tag as BCP 47 writes it. */
const translated = /^(client_name|client_uri|logo_uri|tos_uri|policy_uri)#[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8})*$/

/** Judges a member of this name; undefined where this server knows none. */
export function judgeOf(member: string, { grantTypes }: RegistrationRules): Judge | undefined {
  const base = translated.exec(member)?.[1]
  return judges.get(base ?? member) ?? (grantTypes.includes(ciba) ? cibaJudges.get(member) : undefined)
}

/** The values a client may have are kept, the others left out; one that may have none of what it asks for is told so. */
function scope(value: unknown, member: string, rules: RegistrationRules): string {
  const values = typeof value === 'string' ? (value === '' ? [] : parseScope(value)) : undefined
  if (values === undefined) return refuse(member, 'must be scope values with one space between them')
  const available = values.filter(one => rules.scopes.includes(one))
  if (available.length === 0) return refuse(member, `must name one of ${rules.scopes.join(', ')}`)
  return available.join(' ')
}
