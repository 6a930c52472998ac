/** The parameters of an authorization request as they came: in a query, in a form, or as claims of a request object. */
import { InvalidRequestError, MethodNotAllowedError } from '../errors.ts'
import { readPairs, refuseForbiddenCharacter, tooManyParameters } from '../http/form.ts'
import { readParameters, type ParameterRequest } from '../http/parameters.ts'
import { queryStringOf, type TargetedRequest } from '../http/request-target.ts'
import { requestedResources, type Parameters } from '../client-request.ts'
import { longestText } from './bounds.ts'

/** Repeated ones are told apart, empty ones are absent. */
export class AuthorizationParameters {
  private readonly lists = new Map<string, string[]>()
  readonly repeated = new Set<string>()

  constructor(given: Iterable<readonly [string, string]>) {
    for (const [name, value] of given) {
      if (value === '') continue
      const earlier = this.lists.get(name)
      if (earlier === undefined) this.lists.set(name, [value])
      else {
        this.repeated.add(name)
        earlier.push(value)
      }
    }
  }

  get(name: string): string | undefined {
    return this.lists.get(name)?.[0]
  }

  /** For `resource`, the one parameter that may be sent more than once (RFC 8707 §2). */
  all(name: string): readonly string[] {
    return this.lists.get(name) ?? []
  }
}

/**
 * The parameters that mean something here: repeated ones of these are an error, unknown ones are ignored (RFC 6749
 * §3.1).
 */
export const knownParameters: ReadonlySet<string> = new Set([
  'client_id',
  'redirect_uri',
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
  'claims',
  'dpop_jkt',
  'authorization_details',
  'resource'
])

/** Those whose length is judged with what is in them. */
const structured: ReadonlySet<string> = new Set([
  'request',
  'claims',
  'authorization_details',
  'id_token_hint',
  'scope',
  'resource'
])

/** Whether a parameter is longer than any of its kind has to be. */
export function isTooLong(parameters: AuthorizationParameters, name: string): boolean {
  return !structured.has(name) && (parameters.get(name)?.length ?? 0) > longestText
}

/** @throws InvalidRequestError for a parameter that was sent twice and may be once, and for one that is too long. */
export function checkParameters(parameters: AuthorizationParameters): void {
  for (const name of knownParameters) {
    if (name !== 'resource' && parameters.repeated.has(name)) throw new InvalidRequestError(`${name} was sent more than once`)
    if (isTooLong(parameters, name)) throw new InvalidRequestError(`${name} is longer than ${longestText} characters`)
  }
}

const mostParameters = 100

/** The query of a GET, the form of a POST (RFC 6749 §3.1), read as strictly as each other. */
export async function readAuthorizationParameters(req: ParameterRequest & TargetedRequest): Promise<AuthorizationParameters> {
  if (req.method === 'POST') return parametersOfForm(await readParameters(req))
  if (req.method !== 'GET' && req.method !== 'HEAD') throw new MethodNotAllowedError(['GET', 'HEAD', 'POST'])
  return new AuthorizationParameters(pairsOfQuery(queryStringOf(req)))
}

function pairsOfQuery(query: string): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = []
  // Node hands on the bytes of a target as characters of one byte each
  readPairs(Buffer.from(query, 'latin1'), 'query', {
    add(name, value) {
      if (pairs.length === mostParameters) throw tooManyParameters(mostParameters)
      refuseForbiddenCharacter(name, value)
      pairs.push([name, value])
    }
  })
  return pairs
}

export function parametersOfForm(form: Parameters): AuthorizationParameters {
  const others = Object.entries(form).filter(([name]) => name !== 'resource')
  const resources = requestedResources(form).map((resource): [string, string] => ['resource', resource])
  return new AuthorizationParameters([...others.filter(isPresent), ...resources])
}

/** The query that asks for the same by GET: nothing but what means something here goes into a URL. */
export function queryOf(parameters: AuthorizationParameters): string {
  // only what was pushed counts then, and what contradicts it
  const names = parameters.get('request_uri') === undefined ? knownParameters : ['client_id', 'request_uri', 'request']
  const pairs = [...names].flatMap(name => parameters.all(name).map((value): [string, string] => [name, value]))
  return new URLSearchParams(pairs).toString()
}

function isPresent(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined
}
