/**
 * Every check that is made of a client's authentication, by the name it has in decisions. docs/errors has a page for
 * each.
 */

const sections = {
  request: 'RFC 6749 §2.3',
  one_mechanism: 'RFC 6749 §2.3',
  one_client_id: 'RFC 6749 §2.3',
  supported_method: 'RFC 6749 §3.2.1',
  failure_budget: 'OAuth 2.1 §2.4.1',
  client: 'RFC 6749 §5.2',
  client_document_url: 'Client ID Metadata Document §3',
  client_document_limit: 'Client ID Metadata Document §6',
  client_document: 'Client ID Metadata Document §4',
  registered_method: 'RFC 7591 §2',
  encoding: 'RFC 6749 §2.3.1',
  secret: 'RFC 6749 §2.3.1',
  secret_expiry: 'RFC 7591 §3.2.1',
  assertion_format: 'RFC 7523 §3',
  header: 'RFC 7515 §4.1.11',
  algorithm: 'RFC 8725 §3.1',
  key: 'FAPI 2.0 §5.4.2',
  signature: 'RFC 7523 §3',
  type: 'rfc7523bis §3.2',
  issuer_and_subject: 'RFC 7523 §3',
  audience: 'rfc7523bis §4',
  expiry: 'RFC 7523 §3',
  not_before: 'FAPI 2.0 §5.3.2.1',
  issued_at: 'FAPI 2.0 §5.3.2.1',
  lifetime: 'RFC 7523 §3',
  jti: 'OpenID Connect Core §9',
  replay: 'OpenID Connect Core §9',
  assertion_type: 'draft-ietf-oauth-spiffe-client-auth §3.1',
  federated_issuer: 'RFC 7523 §3',
  federated_subject: 'RFC 7523 §3',
  federated_claims: 'RFC 7523 §3',
  spiffe_id: 'draft-ietf-oauth-spiffe-client-auth §3.1',
  trust_domain: 'draft-ietf-oauth-spiffe-client-auth §5',
  attestation_header: 'attestation draft-12 §7.1',
  attestation_type: 'attestation draft-12 §4',
  attester: 'attestation draft-12 §10.8',
  attestation_signature: 'attestation draft-12 §7.1',
  attestation_subject: 'attestation draft-12 §7.1',
  attestation_confirmation: 'attestation draft-12 §7.1',
  attestation_freshness: 'attestation draft-12 §7.1',
  pop_header: 'attestation draft-12 §7.2',
  pop_signature: 'attestation draft-12 §7.2',
  pop_audience: 'attestation draft-12 §7.2',
  pop_freshness: 'attestation draft-12 §7.2',
  attestation_challenge: 'attestation draft-12 §6.1',
  dpop_proof: 'attestation draft-12 §7.3',
  certificate: 'RFC 8705 §2',
  certificate_chain: 'RFC 8705 §2.1',
  certificate_validity: 'RFC 5280 §4.1.2.5',
  certificate_subject: 'RFC 8705 §2.1.2',
  certificate_key: 'RFC 8705 §2.2',
  certificate_usage: 'X.509-SVID §4'
} as const

/** A check of the library's own, by its name in decisions. */
export type CheckName = keyof typeof sections

/** The section that asks for each check; where several do, the one that most often is not met. */
export const checkSections: Readonly<Record<CheckName, string>> = sections

/** A check's name where a method of the application's own may have others. */
export type OpenCheckName = CheckName | (string & {})

/** The names, in the order in which a request can meet them. */
export const checkNames = Object.keys(checkSections) as readonly CheckName[]

/** Whether a check is one of the library's own, which have a section and a page. */
export function isCheckName(name: string): name is CheckName {
  return Object.hasOwn(checkSections, name)
}
