import { describe, expect, it } from '@jest/globals'
import { ciba, ConfigurationError, type AuthorizationServerOptions } from '../../../lib/index.ts'
import { harness } from '../../support/servers/authorization-server.ts'
import { askers, backchannelServer, pinged } from '../../support/servers/backchannel.ts'

const identify = () => undefined
const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }

describe('the options', () => {
  it.each([
    [undefined, 'backchannelAuthentication must be an object with identify'],
    [null, 'backchannelAuthentication must be an object with identify'],
    [identify, 'backchannelAuthentication must be an object with identify'],
    [{}, 'backchannelAuthentication.identify must be a function'],
    [{ identify: 'alice' }, 'backchannelAuthentication.identify must be a function'],
    [{ identify, notify: true }, 'backchannelAuthentication.notify must be a function'],
    [{ identify, checkUserCode: '1234' }, 'backchannelAuthentication.checkUserCode must be a function'],
    [{ identify, postJson: 'https://x' }, 'backchannelAuthentication.postJson must be a function'],
    [{ identify, identity: identify }, 'did you mean identify?'],
    [{ identify, requestTtl: 0 }, 'backchannelAuthentication.requestTtl must be a whole number from 1 to 86400'],
    [{ identify, interval: 301 }, 'backchannelAuthentication.interval must be a whole number from 1 to 300'],
    [{ identify, deliveryModes: [] }, 'backchannelAuthentication.deliveryModes must be a list with at least one mode'],
    [{ identify, deliveryModes: 'poll' }, 'backchannelAuthentication.deliveryModes must be a list'],
    [
      { identify, deliveryModes: ['poll', 'pigeon'] },
      'backchannelAuthentication.deliveryModes[1] must be one of "poll", "ping", "push"'
    ]
  ])('%j are refused at construction', async (backchannelAuthentication, message) => {
    const made = harness({ tokenIssuers: [ciba()], backchannelAuthentication } as Partial<AuthorizationServerOptions>)
    await expect(made).rejects.toThrow(ConfigurationError)
    await expect(made).rejects.toThrow(message)
  })

  it('are refused where no token issuer takes the ids', async () => {
    await expect(harness({ backchannelAuthentication: { identify } })).rejects.toThrow(
      'backchannelAuthentication needs ciba() among tokenIssuers'
    )
  })

  it.each([
    ['a mode that is not offered', pinged(), /^clients\[\d\]\.backchannel_token_delivery_mode must be one of poll$/],
    [
      'an algorithm that is not accepted',
      { client_id: 'hmac', jwks: { keys: [key] }, backchannel_authentication_request_signing_alg: 'HS256' },
      /^clients\[\d\]\.backchannel_authentication_request_signing_alg must be one of .*PS256/
    ]
  ])('are held against the clients of a list: %s', async (_name, client, message) => {
    await expect(backchannelServer({ deliveryModes: ['poll'] }, { clients: askers(client) })).rejects.toThrow(message)
  })

  it('leave push out where every token is bound to a key, and refuse it when it is asked for', async () => {
    const fapi: Partial<AuthorizationServerOptions> = { profile: 'fapi2-security', clients: [] }
    await expect(backchannelServer({ deliveryModes: ['push'] }, fapi)).rejects.toThrow(
      'backchannelAuthentication.deliveryModes[0] must be one of poll, ping'
    )
    await expect(backchannelServer({}, fapi)).resolves.toBeDefined()
  })
})
