/** The parameters of an authorization request as they came: in a query, in a form, or as claims of a request object. */
import type { Request } from 'express'
import { InvalidRequestError, MethodNotAllowedError } from '../../errors.ts'
import { readParameters } from '../../http/parameters.ts'
import { queryOf } from '../../http/request-target.ts'
import type { Parameters } from '../../request.ts'

/** Repeated ones are told apart, empty ones are absent. */
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

/** The parameters that mean something here: repeated ones of these are an error, unknown ones are ignored (RFC 6749 §3.1). */
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

/** @throws InvalidRequestError for a parameter that was sent twice and may be once. */
export function refuseRepeated(parameters: AuthorizationParameters): void {
  for (const name of parameters.repeated) {
    if (name !== 'resource' && knownParameters.has(name)) throw new InvalidRequestError(`${name} was sent more than once`)
  }
}

/** The query of a GET, the form of a POST (RFC 6749 §3.1). */
export async function readAuthorizationParameters(req: Request): Promise<AuthorizationParameters> {
  if (req.method === 'POST') return parametersOfForm(await readParameters(req))
  if (req.method !== 'GET') throw new MethodNotAllowedError(['GET', 'POST'])
  return new AuthorizationParameters(new URLSearchParams(queryOf(req)))
}

export function parametersOfForm(form: Parameters): AuthorizationParameters {
  return new AuthorizationParameters(Object.entries(form).filter(isPresent))
}

function isPresent(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined
}
