/** Redirect URIs (RFC 7591 §5, RFC 8252 §7, RFC 9700 §4.1): where codes may be sent, and nowhere else. */
import { redirectUriProblem, schemeOf } from '../../clients/metadata/uri.ts'
import { isLoopbackHost } from '../../options.ts'
import { refuse, type Judge } from './values.ts'

const dotSegment = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i

/** A list of redirect URIs; which of them suit the kind of application is {@link applicationTypeOf}'s to say. */
export const redirectUris: Judge = (value, member, { limits, schemes }) => {
  if (!Array.isArray(value)) return refuse(member, 'must be a list of strings')
  if (value.length > limits.redirectUris) return refuse(member, `must have at most ${limits.redirectUris} items`)
  value.forEach((uri: unknown, index) => {
    const problem = problemOf(uri, schemes)
    if (problem !== undefined) refuse(`${member}[${index}]`, problem)
  })
  return [...new Set(value as readonly string[])]
}

/** What is wrong with a redirect URI of a client that registers itself, as the end of a sentence. */
function problemOf(uri: unknown, schemes: readonly string[]): string | undefined {
  const problem = redirectUriProblem(uri)
  if (problem !== undefined || typeof uri !== 'string') return problem
  if (uri.includes('*')) return 'must have no wildcard: it is compared as it is'
  const url = new URL(uri)
  if (url.username !== '' || url.password !== '' || authorityOf(uri).includes('@')) return 'must have no user info'
  if (dotSegment.test(uri)) return 'must have no dot segments'
  if (url.protocol === 'https:' || isNative(uri, schemes)) return undefined
  if (url.protocol === 'http:') return 'must be https (http only on localhost, 127.0.0.1 or [::1])'
  return 'must be https, http on a loopback host, or of a private-use scheme such as com.example.app:/callback'
}

function authorityOf(uri: string): string {
  return /^[^:]*:\/\/([^/?]*)/.exec(uri)?.[1] ?? ''
}

/**
 * Of a program on the person's own device: loopback (RFC 8252 §7.3), a scheme of a name its maker controls, written backwards (§7.1), or one that was
 * let in.
 */
function isNative(uri: string, schemes: readonly string[]): boolean {
  const scheme = schemeOf(uri)
  return (scheme === 'http' && isLoopbackHost(new URL(uri).hostname)) || scheme.includes('.') || schemes.includes(scheme)
}

/**
 * The kind of application (OpenID Connect Registration §2): what it registered, or, where it registered nothing, what its redirect URIs are.
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
