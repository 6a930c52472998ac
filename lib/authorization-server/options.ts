/** The options of a whole authorization server. */
import { endpointAuthMethodsChecks, type EndpointAuthMethods } from '../authentication/per-endpoint.ts'
import { credentialsChecks, type CredentialsOptions } from '../credentials/server-credentials.ts'
import { anonymousBudgetCheck } from '../authorization-requests/anonymous-budget.ts'
import type { AuthorizationDetailTypes } from '../authorization-requests/authorization-details.ts'
import type { Interaction } from '../endpoints/authorization/interaction.ts'
import {
  backchannelAuthenticationChecks,
  type BackchannelAuthenticationOptions
} from '../endpoints/backchannel-authentication/options.ts'
import { deviceAuthorizationChecks, type DeviceAuthorizationOptions } from '../endpoints/device-authorization/options.ts'
import { logoutChecks, type LogoutOptions } from '../endpoints/end-session/options.ts'
import { registrationChecks, type RegistrationOptions } from '../endpoints/registration/options.ts'
import { originList } from '../http/cross-origin.ts'
import { ConfigurationError, flag, fn, listOf, nested, oneOf, readBy, textLike, type Checks, type Read } from '../options.ts'
import { tokenRouterChecks, type TokenRouterOptions } from '../token-endpoint/options.ts'
import { isJsonObject } from '../json.ts'

/** The options of `authorizationServer()`. */
export interface AuthorizationServerOptions extends Omit<TokenRouterOptions, 'tokenEndpoints'> {
  /**
   * The application's own login and consent; see {@link Interaction}. Needed with `authorizationCode()`, `logout` and
   * scope values about people. Default: none, and then clients act for themselves alone: there is no authorization
   * endpoint, and `tokenIssuers` is `[clientCredentials()]` where it is not given.
   */
  readonly interaction?: Interaction | undefined
  /** `public` (default): public clients must use PKCE. `always`: every client must. */
  readonly requirePkce?: 'public' | 'always' | undefined
  /**
   * Whether the built-in strategies include the certificate methods. Default: true with `mtlsOrigin` or
   * `certificateSource`, and false otherwise; say true where the one listener there is asks for certificates itself.
   */
  readonly certificateMethods?: boolean | undefined
  /**
   * True: authorization requests must be pushed (RFC 9126). A client's own `require_pushed_authorization_requests` does
   * it for that client.
   */
  readonly requirePushedAuthorizationRequests?: boolean | undefined
  /**
   * True: authorization requests must be signed request objects (RFC 9101). `require_signed_request_object` does it for
   * one client.
   */
  readonly requireSignedRequestObject?: boolean | undefined
  /** The kinds of sign-in there are (`acr` of an account), for metadata. */
  readonly acrValues?: readonly string[] | undefined
  /** The types of `authorization_details` clients may ask for (RFC 9396), each with its check. Default none. */
  readonly authorizationDetails?: AuthorizationDetailTypes | undefined
  /** Authorization of devices (RFC 8628). Given with `deviceCode()` among `tokenIssuers`, and only then. */
  readonly deviceAuthorization?: DeviceAuthorizationOptions | undefined
  /**
   * Requests to people on devices of their own (OpenID Connect CIBA). Given with `ciba()` among `tokenIssuers`, and
   * only then.
   */
  readonly backchannelAuthentication?: BackchannelAuthenticationOptions | undefined
  /** The origin of a second listener that asks for client certificates, such as `https://as.example.com:8443`. */
  readonly mtlsOrigin?: string | undefined
  /**
   * Which methods authenticate clients at which endpoint, where it is not every mounted one: `{ introspection:
   * ['private_key_jwt'] }`. Public clients (`none`) never authenticate for introspection or backchannel authentication.
   */
  readonly endpointAuthMethods?: EndpointAuthMethods | undefined
  /** Changes of clients' credentials while the server runs; see {@link AuthorizationServer.credentials}. */
  readonly credentials?: CredentialsOptions | undefined
  /**
   * Bytes that callers nobody knows may have stored, for each network (an IPv6 network is its /64) in ten minutes:
   * authorization requests of people who have not signed in, and pushed and device requests of public clients. Beyond
   * it the answer is `temporarily_unavailable`. Counted in each process. Default 8388608, some ten thousand sign-ins;
   * false: no bound. Behind a proxy it needs Express's `trust proxy`.
   */
  readonly anonymousBudget?: number | false | undefined
  /**
   * Signing people out when a client asks for it (OpenID Connect RP-Initiated Logout), and telling their other clients
   * (Back-Channel Logout): needs the `sid` of `interaction.account`. Default: there is no such endpoint;
   * `server.logout.everywhere()` is there all the same.
   */
  readonly logout?: LogoutOptions | undefined
  /**
   * The origins whose scripts may call the token, revocation and registration endpoints, such as
   * `https://app.example.com`. Default: any; no cookie counts there either way. Metadata and keys are readable from
   * everywhere.
   */
  readonly allowedOrigins?: readonly string[] | undefined
  /** Lets clients register themselves (RFC 7591) and manage what they registered (RFC 7592). Default: they cannot. */
  readonly registration?: RegistrationOptions | undefined
}

/** The requirement on an `interaction`, in the words of error messages. */
export const interactionTakes = 'an object with the functions account, consented and prompt'

// where its token endpoint is, a whole server knows itself
const { tokenEndpoints, ...tokenChecks } = tokenRouterChecks

export const authorizationServerChecks = {
  ...tokenChecks,
  interaction: readBy(interactionTakes, readInteraction),
  requirePkce: oneOf(['public', 'always'], 'public'),
  // where it is left out the listeners decide
  certificateMethods: flag(),
  requirePushedAuthorizationRequests: flag(false),
  requireSignedRequestObject: flag(false),
  acrValues: listOf('strings without spaces', (value): value is string => typeof value === 'string' && /^\S+$/.test(value), []),
  authorizationDetails: readBy('an object with a check for each type', readDetailTypes),
  deviceAuthorization: nested(deviceAuthorizationChecks),
  backchannelAuthentication: nested(backchannelAuthenticationChecks),
  mtlsOrigin: textLike(
    'an https origin without a path, such as https://as.example.com:8443',
    value => URL.canParse(value) && new URL(value).origin === value && value.startsWith('https:')
  ),
  endpointAuthMethods: nested(endpointAuthMethodsChecks, {}),
  credentials: nested(credentialsChecks, {}),
  anonymousBudget: anonymousBudgetCheck,
  logout: nested(logoutChecks),
  allowedOrigins: originList,
  registration: nested(registrationChecks)
} satisfies Checks<AuthorizationServerOptions>

/** Every option of an authorization server, read. */
export type ReadAuthorizationServer = Read<typeof authorizationServerChecks>

function readInteraction(value: unknown, key: string): Interaction | undefined {
  if (value === undefined) return undefined
  const given = value as Partial<Interaction> | null | undefined
  for (const name of ['account', 'consented', 'prompt'] as const) {
    if (typeof given?.[name] !== 'function') throw new ConfigurationError(`${key}.${name}`, 'must be a function')
  }
  return given as Interaction
}

function readDetailTypes(types: unknown, key: string): AuthorizationDetailTypes {
  if (types === undefined) return {}
  if (!isJsonObject(types)) throw new ConfigurationError(key, 'must be an object with a check for each type')
  for (const [type, check] of Object.entries(types)) {
    // an undefined check is a type that is left out of a list somebody put together
    detailCheck.read(check, `${key}.${type}`)
  }
  return types as AuthorizationDetailTypes
}

const detailCheck = fn()
