/** What a client needs for the method it is registered for. */
import { certificateSubjects, type CredentialOfClient } from './client-credential-set.ts'
import type { ClientMetadata } from './client.ts'

/** The methods that need a `client_secret`. */
export const secretMethods: readonly string[] = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt']

/**
 * @param fail throws for a member.
 * @param hasSecrets whether it has secrets that its metadata does not show.
 * @param added its `credentials`.
 */
export function checkMethod(
  metadata: ClientMetadata,
  fail: (member: string, mustBe: string) => never,
  hasSecrets: boolean,
  added: readonly CredentialOfClient[]
): void {
  const method = metadata.token_endpoint_auth_method ?? 'client_secret_basic'
  const has = (...types: CredentialOfClient['type'][]): boolean => added.some(({ type }) => types.includes(type))
  const hasKeys = metadata.jwks !== undefined || metadata.jwks_uri !== undefined || has('key')
  if (secretMethods.includes(method) && metadata.client_secret === undefined && !hasSecrets && !has('secret'))
    fail('client_secret', `must be given for ${method}`)
  if (method === 'private_key_jwt' && !hasKeys) fail('jwks', `or jwks_uri must be given for ${method}`)
  if (method === 'self_signed_tls_client_auth' && !hasKeys && !has('certificate'))
    fail('jwks', `or jwks_uri must be given for ${method}`)
  if (method === 'tls_client_auth') {
    const subjects = certificateSubjects.filter(member => metadata[member] !== undefined)
    if (subjects.length > 1 || (subjects.length === 0 && !has('subject')))
      fail(
        subjects[1] ?? 'tls_client_auth_subject_dn',
        `must be the only one: tls_client_auth needs exactly one of ${certificateSubjects.join(', ')}`
      )
  }
  if (method === 'none' && added.length > 0)
    fail('credentials', 'must not be given for a client of the method none: it proves nothing')
  const dial: unknown = metadata.assertion_audience
  if (dial !== undefined && !['issuer', 'report', 'legacy'].includes(dial as string))
    fail('assertion_audience', 'must be "issuer", "report" or "legacy"')
}
