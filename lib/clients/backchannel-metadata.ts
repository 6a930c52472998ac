/** Rules of the members clients register for backchannel authentication (OpenID Connect CIBA §4). */
import type { MetadataRule } from './metadata/metadata.ts'

/** Requires an address of the client where the server pings it or pushes to it. */
export const notificationEndpointIsNeeded: MetadataRule = (metadata, fail) => {
  const { backchannel_token_delivery_mode: mode, backchannel_client_notification_endpoint: endpoint } = metadata
  if ((mode === 'ping' || mode === 'push') && endpoint === undefined)
    fail('backchannel_client_notification_endpoint', `must be given for the delivery mode ${mode}`)
}

/** Nobody proves anything where tokens are pushed to. */
export const pushedTokensAreUnbound: MetadataRule = (metadata, fail) => {
  const bound = metadata.dpop_bound_access_tokens === true || metadata.tls_client_certificate_bound_access_tokens === true
  if (metadata.backchannel_token_delivery_mode === 'push' && bound)
    fail(
      'backchannel_token_delivery_mode',
      'must be poll or ping: tokens that are pushed cannot be bound to a key or certificate'
    )
}
