/** What clients register for backchannel authentication (OpenID Connect CIBA §4). */
import { isLoopbackHost } from './options.ts'

/** The members CIBA adds to client metadata. */
export interface BackchannelMetadata {
  /** How this client learns of the outcome. Default `poll`. */
  readonly backchannel_token_delivery_mode?: string | undefined
  /** Where it is pinged or pushed to. */
  readonly backchannel_client_notification_endpoint?: string | undefined
  /** The one algorithm of this client's signed authentication requests; present: it signs them, always. */
  readonly backchannel_authentication_request_signing_alg?: string | undefined
  /** True: this client sends the person's `user_code`, where the server asks for one. */
  readonly backchannel_user_code_parameter?: boolean | undefined
  readonly dpop_bound_access_tokens?: boolean | undefined
  readonly tls_client_certificate_bound_access_tokens?: boolean | undefined
}

const modes = ['poll', 'ping', 'push']

/** Calls `fail` with the member that is wrong, and what it must be. */
export function checkBackchannelMetadata(metadata: BackchannelMetadata, fail: (member: string, mustBe: string) => never): void {
  const { backchannel_token_delivery_mode: mode, backchannel_client_notification_endpoint: endpoint } = metadata
  if (mode !== undefined && !modes.includes(mode)) fail('backchannel_token_delivery_mode', 'must be "poll", "ping" or "push"')
  if ((endpoint !== undefined || mode === 'ping' || mode === 'push') && !isNotificationEndpoint(endpoint))
    fail(
      'backchannel_client_notification_endpoint',
      'must be an https URL (http only on a loopback host), and is needed for ping and push'
    )
  if (!['undefined', 'boolean'].includes(typeof metadata.backchannel_user_code_parameter))
    fail('backchannel_user_code_parameter', 'must be true or false')
  const bound = metadata.dpop_bound_access_tokens === true || metadata.tls_client_certificate_bound_access_tokens === true
  if (mode === 'push' && bound)
    fail(
      'backchannel_token_delivery_mode',
      'must be "poll" or "ping": tokens that are pushed cannot be bound to a key or certificate'
    )
}

function isNotificationEndpoint(uri: unknown): boolean {
  if (typeof uri !== 'string' || !URL.canParse(uri) || uri.includes('#')) return false
  const { protocol, hostname, username, password } = new URL(uri)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname))
}
