/** Refusals of a client for other reasons than its proof, in words that say what was there. */
import { DocumentPostponedError } from '../clients/documents/postponed.ts'
import { isPublic, type Client, type WhyUnknown } from '../clients/client.ts'
import { credentialSet, mayUseMethod } from '../clients/credentials.ts'
import type { CheckDetail, Decision } from '../decisions/decision.ts'
import type { DecisionBuilder } from '../decisions/builder.ts'
import { InvalidClientError, OAuthError } from '../errors.ts'
import type { ClientRequest } from '../client-request.ts'
import type { ClientAuthenticationStrategy } from './strategy.ts'

/** Fails a client that is not there, or that may not use the method now. */
export function failBeforeProof(
  decision: DecisionBuilder,
  strategy: Pick<ClientAuthenticationStrategy, 'name' | 'certificate' | 'public'>,
  request: ClientRequest,
  client: Client | undefined,
  {
    now,
    why,
    unknown = { section: 'RFC 6749 §5.2', fix: 'Register this client_id, or correct it in the client.' }
  }: { readonly now: number; readonly why?: WhyUnknown | undefined; readonly unknown?: CheckDetail | undefined }
): void {
  if (client === undefined && why !== undefined) {
    failForDocument(decision, why)
    return
  }
  if (client === undefined) {
    decision.fail('client', unknown)
    return
  }
  decision.pass('client')
  const { methods } = credentialSet(client)
  const allowed = methods.filter(credential => mayUseMethod(client, credential.method, now)).map(credential => credential.method)
  decision.fail('registered_method', {
    section: 'RFC 7591 §2',
    expected: [...new Set(allowed)].join(', ') || 'none: its methods have ended',
    received: carried(strategy, request),
    fix: fixForMethod(strategy, client)
  })
}

function failForDocument(decision: DecisionBuilder, { check, reason }: WhyUnknown): void {
  const fix = `Correct the client_id or the metadata document at it: ${reason}.`
  if (check === 'client_document') decision.fail('client_document', { section: 'Client ID Metadata Document §4', fix })
  else if (check === 'client_document_url')
    decision.fail('client_document_url', { section: 'Client ID Metadata Document §3', fix })
  else decision.fail('client_document_limit', postponed(reason))
}

function postponed(reason: string): CheckDetail {
  const fix = `Let the client come again when Retry-After says, or raise clientDocuments.limits: ${reason}.`
  return { section: 'Client ID Metadata Document §6', fix }
}

/** The record of a client that is to come again, later or with something else; undefined where the error is a fault. */
export function recordOfLater(error: unknown, decision: DecisionBuilder): Decision | undefined {
  if (error instanceof DocumentPostponedError)
    decision.refuseAs('client_document_limit', postponed(error.reason ?? error.message), error)
  return error instanceof OAuthError ? error.decision : undefined
}

/**
 * Says what the request carries, in the words of whoever reads the log: a certificate method that was chosen for want
 * of another had no certificate.
 */
function carried(
  { name, certificate }: Pick<ClientAuthenticationStrategy, 'name' | 'certificate'>,
  request: ClientRequest
): string {
  return certificate === true && !carriesCertificate(request) ? 'a client_id alone, without a certificate' : name
}

function carriesCertificate(request: ClientRequest): boolean {
  try {
    return request.certificate() !== undefined
  } catch {
    return true
  }
}

function fixForMethod(
  { name, public: provesNothing }: Pick<ClientAuthenticationStrategy, 'name' | 'public'>,
  client: Client
): string {
  const { methods } = credentialSet(client)
  if (methods.some(credential => credential.method === name))
    return 'The client may use this method at another time only: let it use the one it may use now, or change the dates of this one.'
  if (isPublic(client))
    return 'The client is public: let it send its client_id alone, or register it for the method whose credential it sends.'
  if (provesNothing === true)
    return 'The client sent its client_id and nothing that proves it: let it use the method it is registered for, or change its token_endpoint_auth_method.'
  return 'Let the client use the method it is registered for, change its token_endpoint_auth_method, or allow it this method too.'
}

/** A method may throw a refusal of its own making, which has no record: then its check has the method's name. */
export function refuseUntold(decision: DecisionBuilder, method: string, { reason }: InvalidClientError): InvalidClientError {
  return decision.refuse(method, reason === undefined ? {} : { fix: reason })
}

/** The refusal with the `WWW-Authenticate` of a method that uses the Authorization header. */
export function withChallenge(error: InvalidClientError, challenge: string | undefined): InvalidClientError {
  if (challenge === undefined || 'WWW-Authenticate' in error.headers) return error
  const { decision } = error
  return new InvalidClientError({
    ...(error.reason !== undefined && { reason: error.reason }),
    ...(decision !== undefined && { decision }),
    headers: { ...error.headers, 'WWW-Authenticate': challenge }
  })
}
