/** The client that asks, and the address of answers: settled before anything is sent anywhere. */
import { isPublic, type Client } from '../clients/client.ts'
import { printable } from '../printable.ts'
import { InvalidRequestError } from '../errors.ts'
import { isTooLong, type AuthorizationParameters } from './parameters.ts'
import { responseModeOf, type ResponseMode } from './response-mode.ts'

/** The address an answer, good or bad, may be sent to, and the mode it is sent in. */
export interface TrustedRedirect {
  readonly client: Client
  readonly redirect_uri: string
  readonly state?: string | undefined
  readonly response_mode: ResponseMode
}

/**
 * Until this has returned nothing may be redirected anywhere: the redirect URI is one of the client's.
 *
 * @throws InvalidRequestError for the error page.
 */
export function readRedirect(client: Client, parameters: AuthorizationParameters): TrustedRedirect {
  if (parameters.repeated.has('redirect_uri')) throw new InvalidRequestError('redirect_uri was sent more than once')
  const redirect_uri = parameters.get('redirect_uri')
  if (redirect_uri === undefined) throw new InvalidRequestError('redirect_uri is missing')
  checkRedirectUri(client, redirect_uri)
  // a state that is refused is not sent on either
  const state = parameters.repeated.has('state') || isTooLong(parameters, 'state') ? undefined : parameters.get('state')
  // an error about the response mode itself has to be sent somehow
  return { client, redirect_uri, state, response_mode: responseModeOf(redirect_uri, parameters) ?? 'query' }
}

/** @throws InvalidRequestError where it is none of the client's; its reason has all of them. */
export function checkRedirectUri(client: Client, redirect_uri: string): void {
  if (isRedirectUriOf(client, redirect_uri)) return
  throw new InvalidRequestError('this redirect_uri is not registered for the client', {
    reason: `asked for ${printable(redirect_uri)}, registered ${printable(client.redirect_uris.join(' ')) || 'none'}`
  })
}

/** Adds an answer to a redirect URI, in the query or the fragment; the registered query of the URI stays as it is. */
export function answerAddress(
  redirect_uri: string,
  answer: Readonly<Record<string, string>>,
  part: 'query' | 'fragment' = 'query'
): string {
  const members = new URLSearchParams(answer).toString()
  if (part === 'fragment') return `${redirect_uri}#${members}`
  return `${redirect_uri}${redirect_uri.includes('?') ? '&' : '?'}${members}`
}

/** {@link readRedirect}, or undefined where it throws. */
export function findRedirect(client: Client, parameters: AuthorizationParameters): TrustedRedirect | undefined {
  try {
    return readRedirect(client, parameters)
  } catch {
    return undefined
  }
}

/**
 * Whether answers to the client may go there: the redirect URI is one it registered, compared as strings (RFC 9700
 * §2.1). The port alone may be another where a public client listens on the person's own machine, because it is given
 * one only when it begins to listen (RFC 8252 §7.3).
 */
export function isRedirectUriOf(client: Client, redirect_uri: string): boolean {
  if (client.redirect_uris.includes(redirect_uri)) return true
  const portless = isPublic(client) ? withoutLoopbackPort(redirect_uri) : undefined
  return portless !== undefined && client.redirect_uris.some(registered => withoutLoopbackPort(registered) === portless)
}

const loopback = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(?::([1-9]\d{0,4}))?((?:[/?][\s\S]*)?)$/

/**
 * A loopback redirect URI but for its port; undefined for any other. Read as text: what a URL parser would repair is
 * not the same URI.
 */
function withoutLoopbackPort(uri: string): string | undefined {
  const [, host, port = '0', rest] = loopback.exec(uri) ?? []
  return host === undefined || rest === undefined || Number(port) > 65_535 ? undefined : `${host}${rest}`
}
