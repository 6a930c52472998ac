import { describe, expect, it } from '@jest/globals'
import { toClient } from '../../lib/clients/client.ts'

const endpoint = 'https://billing.example/ciba'
const registering = (members: Record<string, unknown>) => () =>
  toClient({ client_id: 'billing', client_secret: 's', ...members }, 'clients[3]')

describe('what a client registers for backchannel authentication', () => {
  it.each([
    [{}],
    [{ backchannel_token_delivery_mode: 'poll' }],
    [{ backchannel_token_delivery_mode: 'ping', backchannel_client_notification_endpoint: endpoint }],
    [{ backchannel_token_delivery_mode: 'push', backchannel_client_notification_endpoint: `${endpoint}?tenant=7` }],
    [{ backchannel_token_delivery_mode: 'ping', backchannel_client_notification_endpoint: 'http://localhost:8080/ciba' }],
    [{ backchannel_token_delivery_mode: 'poll', dpop_bound_access_tokens: true }],
    [{ backchannel_user_code_parameter: true, backchannel_authentication_request_signing_alg: 'PS256' }]
  ])('%j is taken', members => {
    expect(registering(members)()).toMatchObject(members)
  })

  it.each([
    [{ backchannel_token_delivery_mode: 'pigeon' }, 'backchannel_token_delivery_mode must be one of poll, ping, push'],
    [{ backchannel_token_delivery_mode: 7 }, 'backchannel_token_delivery_mode must be'],
    [{ backchannel_token_delivery_mode: 'ping' }, 'backchannel_client_notification_endpoint must be given'],
    [{ backchannel_token_delivery_mode: 'push' }, 'backchannel_client_notification_endpoint must be given'],
    ...['/ciba', 'http://billing.example/ciba', 'ftp://billing.example', `${endpoint}#x`, 'https://me:pw@billing.example', 7].map(
      wrong =>
        [
          { backchannel_client_notification_endpoint: wrong },
          'backchannel_client_notification_endpoint must be an https URL'
        ] as const
    ),
    [{ backchannel_user_code_parameter: 'yes' }, 'backchannel_user_code_parameter must be true or false'],
    [{ backchannel_authentication_request_signing_alg: '' }, 'backchannel_authentication_request_signing_alg must be'],
    ...(['dpop_bound_access_tokens', 'tls_client_certificate_bound_access_tokens'] as const).map(
      bound =>
        [
          { backchannel_token_delivery_mode: 'push', backchannel_client_notification_endpoint: endpoint, [bound]: true },
          'backchannel_token_delivery_mode must be poll or ping'
        ] as const
    )
  ])('%j is refused', (members, message) => {
    expect(registering(members)).toThrow(`clients[3].${message}`)
  })
})
