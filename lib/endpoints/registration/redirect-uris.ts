/** Redirect URIs (RFC 7591 §5, RFC 8252 §7, RFC 9700 §4.1): where codes may be sent, and nowhere else. */
import { isNative, strangerRedirectUriProblem } from '../../clients/metadata/stranger-redirect-uri.ts'
import { refuse, type Judge } from './values.ts'

/** A list of redirect URIs; which of them suit the kind of application is {@link applicationTypeOf}'s to say. */
export const redirectUris: Judge = (value, member, { limits, schemes }) => {
  if (!Array.isArray(value)) return refuse(member, 'must be a list of strings')
  if (value.length > limits.redirectUris) return refuse(member, `must have at most ${limits.redirectUris} items`)
  value.forEach((uri: unknown, index) => {
    const problem = strangerRedirectUriProblem(uri, schemes)
    if (problem !== undefined) refuse(`${member}[${index}]`, problem)
  })
  return [...new Set(value as readonly string[])]
}

/**
 * The kind of application (OpenID Connect Registration §2): what it registered, or, where it registered nothing, what
 * its redirect URIs are.
 *
 * @throws InvalidRedirectUriError for a `web` application's redirect URI that leads to a device.
 */
export function applicationTypeOf(
  registered: string | undefined,
  uris: readonly string[],
  schemes: readonly string[]
): 'web' | 'native' {
  const native = uris.findIndex(uri => isNative(uri, schemes))
  if (registered === 'web' && native !== -1)
    return refuse(`redirect_uris[${native}]`, 'must be https: others are for application_type native')
  return registered === 'native' || native !== -1 ? 'native' : 'web'
}
