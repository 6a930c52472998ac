/** Redirect URIs (RFC 7591 §5, RFC 8252 §7, RFC 9700 §4.1): where codes may be sent, and nowhere else. */
import { InvalidRedirectUriError } from '../../errors.ts'
import { isLoopbackHost } from '../../options.ts'
import type { Judge } from './values.ts'

const longest = 2000
/** What a URI is written with (RFC 3986 §2), without the wildcard that no comparison here knows. */
const uriCharacters = /^[A-Za-z0-9\-._~:/?[\]@!$&'()+,;=%]+$/
const dotSegment = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i

/** A list of redirect URIs; which of them suit the kind of application is {@link applicationTypeOf}'s to say. */
export const redirectUris: Judge = (value, member, { limits }) => {
  if (!Array.isArray(value)) throw new InvalidRedirectUriError(`${member} must be a list of strings`)
  if (value.length > limits.redirectUris)
    throw new InvalidRedirectUriError(`${member} must have at most ${limits.redirectUris} items`)
  return [
    ...new Set(
      value.map((uri: unknown, index) => {
        const problem = problemOf(uri)
        if (problem !== undefined) throw new InvalidRedirectUriError(`${member}[${index}] ${problem}`)
        return uri as string
      })
    )
  ]
}

/** What is wrong with a redirect URI of any client, as the end of a sentence. */
function problemOf(uri: unknown): string | undefined {
  if (typeof uri !== 'string') return 'must be a string'
  if (uri.length > longest) return `must be at most ${longest} characters long`
  if (uri.includes('#')) return 'must have no fragment'
  if (uri.includes('*')) return 'must have no wildcard: it is compared as it is'
  const url = uriCharacters.test(uri) && URL.canParse(uri) ? new URL(uri) : undefined
  if (url === undefined) return 'must be an absolute URI'
  if (url.username !== '' || url.password !== '' || authorityOf(uri).includes('@')) return 'must have no user info'
  if (dotSegment.test(uri)) return 'must have no dot segments'
  if (url.protocol === 'https:' || isNative(url)) return undefined
  if (url.protocol === 'http:') return 'must be https (http only on localhost, 127.0.0.1 or [::1])'
  return 'must be https, http on a loopback host, or of a private-use scheme such as com.example.app:/callback'
}

function authorityOf(uri: string): string {
  return /^[^:]*:\/\/([^/?]*)/.exec(uri)?.[1] ?? ''
}

/** Of a program on the person's own device: loopback (RFC 8252 §7.3), or a scheme of a name its maker controls, written backwards (§7.1). */
function isNative(url: URL): boolean {
  return (url.protocol === 'http:' && isLoopbackHost(url.hostname)) || url.protocol.includes('.')
}

/**
 * The kind of application (OpenID Connect Registration §2): what it registered, or, where it registered nothing, what its redirect URIs are.
 *
 * @throws InvalidRedirectUriError for a `web` application's redirect URI that leads to a device.
 */
export function applicationTypeOf(registered: string | undefined, uris: readonly string[]): 'web' | 'native' {
  const native = uris.findIndex(uri => isNative(new URL(uri)))
  if (registered === 'web' && native !== -1) {
    throw new InvalidRedirectUriError(`redirect_uris[${native}] must be https: others are for application_type native`)
  }
  return registered === 'native' || native !== -1 ? 'native' : 'web'
}
