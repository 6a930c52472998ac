/** The ways an answer travels (OAuth Multiple Response Types §2, Form Post Response Mode, JARM §2.3). */
import type { AuthorizationParameters } from './parameters.ts'

/**
 * Every mode, as metadata lists them. Those with `jwt` sign the answer; `jwt` alone is what the response type's default
 * is.
 */
export const responseModes = ['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'] as const
export type ResponseMode = (typeof responseModes)[number]

/** The carrier of the answer's parameters: the query or the fragment of the redirect URI, or a form. */
type Carrier = 'query' | 'fragment' | 'form_post'

/**
 * The mode a request asks for; undefined for one that does not exist, was asked for twice, or cannot reach the redirect
 * URI.
 */
export function responseModeOf(redirect_uri: string, parameters: AuthorizationParameters): ResponseMode | undefined {
  if (parameters.repeated.has('response_mode')) return undefined
  const asked = parameters.get('response_mode') ?? 'query'
  const mode = responseModes.find(candidate => candidate === asked)
  // a form can only be posted to a web address
  if (mode !== undefined && carrierOf(mode) === 'form_post' && !/^https?:\/\//i.test(redirect_uri)) return undefined
  return mode
}

export function isSigned(mode: ResponseMode): boolean {
  return mode.endsWith('jwt')
}

export function carrierOf(mode: ResponseMode): Carrier {
  switch (mode) {
    case 'fragment':
    case 'fragment.jwt':
      return 'fragment'
    case 'form_post':
    case 'form_post.jwt':
      return 'form_post'
    default:
      return 'query'
  }
}
