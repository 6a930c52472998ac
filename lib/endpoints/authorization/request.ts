/** Authorization requests (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1): read, judged, and only then shown to anyone. */
import { isPublic, type Client } from '../../client.ts'
import { InvalidRequestError, InvalidScopeError, InvalidTargetError, OAuthError } from '../../errors.ts'
import { isCodeChallenge } from '../../tokens/pkce.ts'
import { parseScope, scopeBeyond } from '../../tokens/scope.ts'
import { findClient, mayUseCodes, type EndpointContext } from '../endpoint.ts'

/** What a client asked for, once every parameter has been judged. */
export interface AuthorizationRequest {
  readonly client_id: string
  readonly redirect_uri: string
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  readonly state?: string | undefined
  readonly nonce?: string | undefined
  readonly code_challenge?: string | undefined
  readonly prompt: readonly string[]
  /** Seconds. */
  readonly max_age?: number | undefined
  readonly login_hint?: string | undefined
  readonly ui_locales?: string | undefined
}

/** Where an answer, good or bad, may be sent. */
export interface TrustedRedirect {
  readonly client: Client
  readonly redirect_uri: string
  readonly state: string | undefined
}

/** The parameters of an authorization request as they came: repeated ones are told apart, empty ones are absent. */
export class AuthorizationParameters {
  private readonly values = new Map<string, string>()
  private readonly lists = new Map<string, readonly string[]>()
  readonly repeated = new Set<string>()

  constructor(given: Iterable<readonly [string, string]>) {
    for (const [name, value] of given) {
      if (value === '') continue
      const earlier = this.lists.get(name) ?? []
      if (earlier.length > 0) this.repeated.add(name)
      else this.values.set(name, value)
      this.lists.set(name, [...earlier, value])
    }
  }

  get(name: string): string | undefined {
    return this.values.get(name)
  }

  /** For `resource`, the one parameter that may be sent more than once (RFC 8707 §2). */
  all(name: string): readonly string[] {
    return this.lists.get(name) ?? []
  }
}

/**
 * Who asks, and where answers go. Until this has returned nothing may be redirected anywhere: the redirect URI is one the client
 * registered, compared as strings (RFC 9700 §2.1).
 *
 * @throws InvalidRequestError for the error page.
 */
export async function readRedirect(context: EndpointContext, parameters: AuthorizationParameters): Promise<TrustedRedirect> {
  for (const name of ['client_id', 'redirect_uri']) {
    if (parameters.repeated.has(name)) throw new InvalidRequestError(`${name} was sent more than once`)
  }
  const client_id = parameters.get('client_id')
  if (client_id === undefined) throw new InvalidRequestError('client_id is missing')
  const client = await findClient(context, client_id)
  if (client === undefined) throw new InvalidRequestError('this client is not known here')
  const redirect_uri = parameters.get('redirect_uri')
  if (redirect_uri === undefined) throw new InvalidRequestError('redirect_uri is missing')
  if (!client.redirect_uris.includes(redirect_uri))
    throw new InvalidRequestError('this redirect_uri is not registered for the client')
  return { client, redirect_uri, state: parameters.repeated.has('state') ? undefined : parameters.get('state') }
}

/** Judges the rest. @throws OAuthError to be sent to the redirect URI. */
export function readAuthorizationRequest(
  context: EndpointContext,
  redirect: TrustedRedirect,
  parameters: AuthorizationParameters
): AuthorizationRequest {
  const { client, redirect_uri, state } = redirect
  for (const name of parameters.repeated) {
    if (name !== 'resource' && known.has(name)) throw new InvalidRequestError(`${name} was sent more than once`)
  }
  checkResponse(parameters)
  if (!mayUseCodes(client)) throw new OAuthError('unauthorized_client', 400, 'this client may not ask for codes')
  const scope = readScope(context, client, parameters)
  const max_age = readMaxAge(parameters)
  return {
    client_id: client.client_id,
    redirect_uri,
    scope,
    resources: readResources(context, parameters),
    state,
    nonce: parameters.get('nonce'),
    code_challenge: readCodeChallenge(context, client, parameters),
    prompt: readPrompt(parameters),
    max_age,
    login_hint: parameters.get('login_hint'),
    ui_locales: parameters.get('ui_locales')
  }
}

/** The parameters that mean something here: repeated ones of these are an error, unknown ones are ignored (RFC 6749 §3.1). */
const known = new Set([
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'prompt',
  'max_age',
  'login_hint',
  'ui_locales',
  'request',
  'request_uri',
  'display',
  'claims_locales',
  'id_token_hint',
  'acr_values',
  'claims'
])

function checkResponse(parameters: AuthorizationParameters): void {
  if (parameters.get('request') !== undefined)
    throw new OAuthError('request_not_supported', 400, 'request objects are not supported')
  if (parameters.get('request_uri') !== undefined)
    throw new OAuthError('request_uri_not_supported', 400, 'request_uri is not supported')
  const response_type = parameters.get('response_type')
  if (response_type === undefined) throw new InvalidRequestError('response_type is missing')
  if (response_type !== 'code') throw new OAuthError('unsupported_response_type', 400, 'only response_type code is supported')
  const response_mode = parameters.get('response_mode') ?? 'query'
  if (response_mode !== 'query') throw new InvalidRequestError('only response_mode query is supported')
}

function readScope(context: EndpointContext, client: Client, parameters: AuthorizationParameters): readonly string[] {
  const registered = client.scope === undefined ? undefined : (parseScope(client.scope) ?? [])
  const allowed =
    registered === undefined ? context.server.scopes : context.server.scopes.filter(value => registered.includes(value))
  const asked = parameters.get('scope')
  if (asked === undefined) return registered === undefined ? [] : allowed
  const scope = parseScope(asked)
  if (scope === undefined) throw new InvalidScopeError('scope is malformed')
  if (scopeBeyond(scope, allowed).length > 0) throw new InvalidScopeError('this scope is not available to the client')
  return scope
}

function readResources(context: EndpointContext, parameters: AuthorizationParameters): readonly string[] {
  const resources = [...new Set(parameters.all('resource'))]
  if (resources.length > 20) throw new InvalidTargetError('too many resources')
  for (const resource of resources) context.server.resources.find(resource)
  return resources
}

/** S256 or nothing: a missing method means `plain` (RFC 7636 §4.3), which protects from nobody who can read the request. */
function readCodeChallenge(context: EndpointContext, client: Client, parameters: AuthorizationParameters): string | undefined {
  const code_challenge = parameters.get('code_challenge')
  const method = parameters.get('code_challenge_method')
  if (code_challenge === undefined) {
    if (method !== undefined) throw new InvalidRequestError('code_challenge is missing')
    if (isPublic(client) || context.requirePkce === 'always')
      throw new InvalidRequestError('code_challenge is missing: PKCE is required')
    return undefined
  }
  if (method !== 'S256') throw new InvalidRequestError('code_challenge_method must be S256')
  if (!isCodeChallenge(code_challenge)) throw new InvalidRequestError('code_challenge must be 43 characters of base64url')
  return code_challenge
}

const prompts = ['none', 'login', 'consent', 'select_account']

/** OpenID Connect Core §3.1.2.1: `none` stands alone; values nobody knows are ignored. */
function readPrompt(parameters: AuthorizationParameters): readonly string[] {
  const prompt = (parameters.get('prompt') ?? '').split(' ').filter(value => prompts.includes(value))
  if (prompt.includes('none') && prompt.length > 1) throw new InvalidRequestError('prompt none cannot be combined')
  return prompt
}

function readMaxAge(parameters: AuthorizationParameters): number | undefined {
  const max_age = parameters.get('max_age')
  if (max_age === undefined) return undefined
  if (!/^\d{1,10}$/.test(max_age)) throw new InvalidRequestError('max_age must be a number of seconds')
  return Number(max_age)
}
