/** The application's part of backchannel authentication: who is meant, how they are asked, and within which bounds. */
import type { PostJson } from '../../outbound/guarded-fetch.ts'
import type { Client } from '../../clients/client.ts'
import { ConfigurationError, eachOf, fn, integer, oneOf, required, type Checks, type Read } from '../../options.ts'
import { cibaGrantType } from '../../clients/grant-types.ts'
import { deliveryModes, type DeliveryMode } from '../../codes/backchannel-request.ts'
import type { AuthorizationDetail } from '../../tokens/grant.ts'

/**
 * The person a client means: what it sent as `login_hint` or `login_hint_token`, or the `sub` of an ID Token of this
 * server's that it sent as `id_token_hint`. A `login_hint_token` comes as it was sent: whoever signs those is known to
 * you alone. Check it; where it has expired, throw `new OAuthError('expired_login_hint_token', 400, '…')`.
 */
export type PersonHint =
  | { /** A name of the person's, as the client knows it. */ readonly login_hint: string }
  | { /** A token that names the person, of a kind the application agreed with the client. */ readonly login_hint_token: string }
  | { /** The person's own identifier at this issuer. */ readonly sub: string }

/** A request that waits for its person. */
export interface BackchannelAuthentication {
  /** Names the request in `approve()` and `deny()`. */
  readonly id: string
  /** The client that asks. */
  readonly client: Client
  /** The scope values it asks for. */
  readonly scope: readonly string[]
  /** The resources it asks for access to. */
  readonly resources: readonly string[]
  /** The details it asks for (RFC 9396), each checked by its type's check. */
  readonly authorization_details: readonly AuthorizationDetail[]
  /** Shown on the device the request came from too, so that the person can tell that it is theirs (CIBA Core §7.1). */
  readonly binding_message?: string | undefined
  /** The kinds of sign-in the client asks for, the best first. */
  readonly acr_values: readonly string[]
  /** Seconds since the epoch. */
  readonly requested_at: number
  /** Seconds since the epoch. */
  readonly expires_at: number
}

/** The options of backchannel authentication (OpenID Connect CIBA). */
export interface BackchannelAuthenticationOptions {
  /** The `sub` of the person a client means; undefined where there is none: the client is told `unknown_user_id`. */
  readonly identify: (hint: PersonHint, client: Client) => string | undefined | Promise<string | undefined>
  /**
   * Tells the person that somebody asks: a push message, an email. Called once the client has its answer; what it
   * throws goes to `onError`. Without it people find their requests on your page, through
   * `server.backchannel.pending()`.
   */
  readonly notify?: ((request: BackchannelAuthentication, sub: string) => unknown) | undefined
  /**
   * Whether the `user_code` sent by a client that registered `backchannel_user_code_parameter` is this person's;
   * undefined: none was sent. False is `invalid_user_code`, or `missing_user_code`. Wrong ones are bounded: ten within
   * ten minutes for each person and client. Without this function the server supports no user codes.
   */
  readonly checkUserCode?:
    ((user_code: string | undefined, sub: string, client: Client) => boolean | Promise<boolean>) | undefined
  /** Seconds a request waits at most; a shorter `requested_expiry` is honoured. Default 120. */
  readonly requestTtl?: number | undefined
  /** Seconds a client waits between two polls. Default 5. */
  readonly interval?: number | undefined
  /**
   * The ways clients may learn of the outcome. Default: poll, ping and push; push never under `fapi2-security`, whose
   * tokens are bound to a key.
   */
  readonly deliveryModes?: readonly DeliveryMode[] | undefined
  /**
   * Posts to a client's notification endpoint. Default: https only, to public addresses (loopback too where the issuer
   * itself is on it).
   */
  readonly postJson?: PostJson | undefined
}

const name = 'backchannelAuthentication'
const day = 86_400

export const backchannelAuthenticationChecks = {
  identify: required(fn<BackchannelAuthenticationOptions['identify']>()),
  notify: fn<NonNullable<BackchannelAuthenticationOptions['notify']>>(),
  checkUserCode: fn<NonNullable<BackchannelAuthenticationOptions['checkUserCode']>>(),
  requestTtl: integer({ min: 1, max: day, default: 120 }),
  interval: integer({ min: 1, max: 300, default: 5 }),
  deliveryModes: eachOf('modes', required(oneOf(deliveryModes))),
  postJson: fn<PostJson>()
} satisfies Checks<BackchannelAuthenticationOptions>

/** The policy by which people are asked. */
export interface BackchannelPolicy extends Read<typeof backchannelAuthenticationChecks> {
  readonly deliveryModes: readonly DeliveryMode[]
  readonly postJson: PostJson
}

/** The parts of the server that the policy depends on. */
interface BackchannelSetting {
  readonly grantTypes: readonly string[]
  /** Whether every token must be bound to a key or a certificate. */
  readonly senderConstrained: boolean
  readonly postJson: PostJson
}

/**
 * The policy where there is the grant.
 *
 * @throws ConfigurationError where there is one without the other, and for a mode that is impossible here.
 */
export function checkBackchannelAuthentication(
  options: Read<typeof backchannelAuthenticationChecks> | undefined,
  setting: BackchannelSetting
): BackchannelPolicy | undefined {
  const issued = setting.grantTypes.includes(cibaGrantType)
  if (options === undefined) {
    if (!issued) return undefined
    throw new ConfigurationError(name, 'must be an object with identify, as ciba() is among tokenIssuers')
  }
  if (!issued) throw new ConfigurationError(name, 'needs ciba() among tokenIssuers')
  return {
    ...options,
    deliveryModes: checkModes(options.deliveryModes, setting.senderConstrained),
    postJson: options.postJson ?? setting.postJson
  }
}

function checkModes(given: readonly DeliveryMode[] | undefined, senderConstrained: boolean): readonly DeliveryMode[] {
  const key = `${name}.deliveryModes`
  const possible = deliveryModes.filter(mode => mode !== 'push' || !senderConstrained)
  if (given === undefined) return possible
  if (given.length === 0) throw new ConfigurationError(key, 'must be a list with at least one mode')
  const impossible = given.findIndex(mode => !possible.includes(mode))
  if (impossible !== -1) throw new ConfigurationError(`${key}[${impossible}]`, `must be one of ${possible.join(', ')}`)
  return given
}

/** Finds the mode by which a client learns of the outcome: `poll` where it registered none. */
export function modeOf({ backchannel_token_delivery_mode }: Pick<Client, 'backchannel_token_delivery_mode'>): string {
  return backchannel_token_delivery_mode ?? 'poll'
}
