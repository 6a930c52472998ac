/**
 * Authorization requests (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1): read, judged, and only then shown to anyone.
 */
import { isPublic, type Client } from '../clients/client.ts'
import { clientOrigin } from '../clients/client-origin.ts'
import { InvalidRequestError, OAuthError } from '../errors.ts'
import type { AuthorizationDetail, RequestedClaims } from '../tokens/grant.ts'
import { isCodeChallenge } from '../codes/pkce.ts'
import { malformedScope, parseScope, scopeBeyond, unavailableScope } from '../tokens/scope.ts'
import { allowedScope, registeredScope } from '../tokens/allowed.ts'
import { subjectFor } from '../tokens/subject.ts'
import { claimsWithinReach } from '../tokens/claims.ts'
import { checkSize } from './bounds.ts'
import { responseAlgorithm } from '../tokens/signed-response.ts'
import { readAuthorizationDetails } from './authorization-details.ts'
import { readClaimsParameter, type ClaimsParameter } from './claims-parameter.ts'
import { readIdTokenHint } from './id-token-hint.ts'
import { checkParameters, type AuthorizationParameters } from './parameters.ts'
import type { RequestPolicy } from './policy.ts'
import type { TrustedRedirect } from './redirect.ts'
import { isSigned, responseModeOf, type ResponseMode } from './response-mode.ts'

/** A client's request, once every parameter has been judged. */
export interface AuthorizationRequest {
  readonly client_id: string
  readonly redirect_uri: string
  readonly response_mode: ResponseMode
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  readonly state?: string | undefined
  readonly nonce?: string | undefined
  readonly code_challenge?: string | undefined
  /** The thumbprint of the DPoP key the code is to be bound to (RFC 9449 §10). */
  readonly dpop_jkt?: string | undefined
  /** The attested instance of the client that pushed it, by its key's thumbprint. */
  readonly instance_jkt?: string | undefined
  readonly prompt: readonly string[]
  /** Seconds. */
  readonly max_age?: number | undefined
  readonly display?: string | undefined
  readonly login_hint?: string | undefined
  readonly ui_locales?: string | undefined
  readonly claims_locales?: string | undefined
  readonly acr_values: readonly string[]
  /** The answer must have one of `acr_values` (OpenID Connect Core §5.5.1.1). */
  readonly essentialAcr: boolean
  /** The person the answer must be about, by what the client calls them, where it named one. */
  readonly sub?: string | undefined
  readonly claims?: RequestedClaims | undefined
  readonly authorization_details?: readonly AuthorizationDetail[] | undefined
}

/** Judges everything but the redirect. @throws OAuthError to be sent to the redirect URI. */
export async function readAuthorizationRequest(
  policy: RequestPolicy,
  redirect: TrustedRedirect,
  parameters: AuthorizationParameters
): Promise<AuthorizationRequest> {
  const { client, redirect_uri, state } = redirect
  checkParameters(parameters)
  const response_mode = readResponse(policy, redirect, parameters)
  if (!mayUseCodes(client)) throw new OAuthError('unauthorized_client', 400, 'this client may not ask for codes')
  return checkSize({
    client_id: client.client_id,
    redirect_uri,
    response_mode,
    scope: readScope(policy, client, parameters),
    resources: policy.server.resources.findAll(parameters.all('resource')),
    state,
    nonce: parameters.get('nonce'),
    code_challenge: readCodeChallenge(policy, client, parameters),
    dpop_jkt: checkDpopKey(parameters.get('dpop_jkt')),
    prompt: readPrompt(parameters),
    max_age: readMaxAge(client, parameters),
    display: readDisplay(parameters),
    login_hint: parameters.get('login_hint'),
    ui_locales: parameters.get('ui_locales'),
    claims_locales: parameters.get('claims_locales'),
    ...readPerson(policy, client, parameters),
    authorization_details: await readAuthorizationDetails(
      policy.authorizationDetails,
      client,
      parameters.get('authorization_details')
    )
  })
}

function readResponse(
  policy: RequestPolicy,
  { client, redirect_uri }: TrustedRedirect,
  parameters: AuthorizationParameters
): ResponseMode {
  const response_type = parameters.get('response_type')
  if (response_type === undefined) throw new InvalidRequestError('response_type is missing')
  if (response_type !== 'code') throw new OAuthError('unsupported_response_type', 400, 'only response_type code is supported')
  const response_mode = responseModeOf(redirect_uri, parameters)
  if (response_mode === undefined) throw new InvalidRequestError('this response_mode is not supported')
  // found out before anybody signs in
  if (isSigned(response_mode)) responseAlgorithm(policy.server, client.authorization_signed_response_alg)
  return response_mode
}

function readScope(policy: RequestPolicy, client: Client, parameters: AuthorizationParameters): readonly string[] {
  const { server } = policy
  const within = (values: readonly string[]) => server.scopes.filter(value => values.includes(value))
  const asked = parameters.get('scope')
  const allowed = within(allowedScope(server, client))
  if (asked === undefined) {
    const expected = server.resources.defaultScope(parameters.all('resource'))
    if (expected !== undefined) return allowed.filter(value => expected.includes(value))
    return client.scope === undefined ? [] : within(registeredScope(server, client))
  }
  const scope = parseScope(asked)
  if (scope === undefined) throw malformedScope(asked)
  const beyond = scopeBeyond(scope, allowed)
  if (beyond.length > 0) throw unavailableScope(beyond, allowed)
  return scope
}

/**
 * S256 or nothing: a missing method means `plain` (RFC 7636 §4.3), which protects from nobody who can read the request.
 */
function readCodeChallenge(policy: RequestPolicy, client: Client, parameters: AuthorizationParameters): string | undefined {
  const code_challenge = parameters.get('code_challenge')
  const method = parameters.get('code_challenge_method')
  if (code_challenge === undefined) {
    if (method !== undefined) throw new InvalidRequestError('code_challenge is missing')
  } else if (method !== 'S256') throw new InvalidRequestError('code_challenge_method must be S256')
  return checkCodeChallenge(policy, client, code_challenge)
}

/** An S256 code challenge, or none where the client need not have one. @throws InvalidRequestError */
export function checkCodeChallenge(
  { requirePkce }: Pick<RequestPolicy, 'requirePkce'>,
  client: Client,
  code_challenge: string | undefined
): string | undefined {
  // whoever can show a document is a client: that proves as little as being public
  const isNeeded = isPublic(client) || clientOrigin(client) === 'document' || requirePkce === 'always'
  if (code_challenge === undefined && isNeeded) throw new InvalidRequestError('code_challenge is missing: PKCE is required')
  if (code_challenge !== undefined && !isCodeChallenge(code_challenge))
    throw new InvalidRequestError('code_challenge must be 43 characters of base64url')
  return code_challenge
}

/** A thumbprint of a DPoP key, or none (RFC 9449 §10). @throws InvalidRequestError */
export function checkDpopKey(dpop_jkt: string | undefined): string | undefined {
  if (dpop_jkt !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(dpop_jkt))
    throw new InvalidRequestError('dpop_jkt must be 43 characters of base64url')
  return dpop_jkt
}

const prompts = ['none', 'login', 'consent', 'select_account']

/** OpenID Connect Core §3.1.2.1: `none` stands alone; values nobody knows are ignored. */
function readPrompt(parameters: AuthorizationParameters): readonly string[] {
  const prompt = (parameters.get('prompt') ?? '').split(' ').filter(value => prompts.includes(value))
  if (prompt.includes('none') && prompt.length > 1) throw new InvalidRequestError('prompt none cannot be combined')
  return prompt
}

function readMaxAge(client: Client, parameters: AuthorizationParameters): number | undefined {
  const max_age = parameters.get('max_age')
  if (max_age === undefined) return client.default_max_age
  if (!/^\d{1,10}$/.test(max_age)) throw new InvalidRequestError('max_age must be a number of seconds')
  return Number(max_age)
}

function readDisplay(parameters: AuthorizationParameters): string | undefined {
  return ['page', 'popup', 'touch', 'wap'].find(value => value === parameters.get('display'))
}

/** Reads what the client wants to hear about the person, and about whom. */
function readPerson(
  policy: RequestPolicy,
  client: Client,
  parameters: AuthorizationParameters
): Pick<AuthorizationRequest, 'claims' | 'sub' | 'acr_values' | 'essentialAcr'> {
  // that this server can call people what the client expects is found out before anybody signs in
  subjectFor(policy.server, client, '')
  const asked = readClaimsParameter(parameters.get('claims'), claimsWithinReach(policy.server.scopes, client))
  const hinted = readIdTokenHint(policy.server, client, parameters.get('id_token_hint'))
  if (asked.sub !== undefined && hinted !== undefined && asked.sub !== hinted)
    throw new InvalidRequestError('claims and id_token_hint name two different people')
  return {
    claims: asked.claims,
    sub: hinted ?? asked.sub,
    acr_values: readAcrValues(client, parameters, asked),
    essentialAcr: asked.essentialAcr
  }
}

/** Those that must be, else those of the parameter, of the claims, or the client's usual ones. */
function readAcrValues(client: Client, parameters: AuthorizationParameters, asked: ClaimsParameter): readonly string[] {
  if (asked.essentialAcr) return asked.acr_values
  const wished = (parameters.get('acr_values') ?? '').split(' ').filter(value => value !== '')
  return [wished, asked.acr_values].find(({ length }) => length > 0) ?? client.default_acr_values ?? []
}

/** Whether a client may use the authorization endpoint for a code. */
export function mayUseCodes(client: Client): boolean {
  return client.grant_types.includes('authorization_code') && client.response_types.includes('code')
}
