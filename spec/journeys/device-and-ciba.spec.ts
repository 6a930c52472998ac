/** Devices and people who are asked elsewhere, with openid-client and oauth4webapi as their users write them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { authorizationCode, ciba, deviceCode, refreshToken } from 'clientele'
import { keyParty, publicParty, secretParty, type Party } from '../support/journeys/clients.ts'
import { discover } from '../support/journeys/openid-client.ts'
import { alice, startServer, type RunningServer } from '../support/journeys/server.ts'

const grant_types = [
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:openid:params:grant-type:ciba'
]
const withGrants = <P extends Party>(party: P, allowed: readonly string[] = grant_types): P => ({
  ...party,
  metadata: { ...party.metadata, grant_types: allowed }
})
const account = () => ({ sub: alice, auth_time: Math.floor(Date.now() / 1000) - 5 })
const scope = 'openid profile offline_access'

const television = withGrants(secretParty('client_secret_basic', 'television'))
const kiosk = withGrants(await keyParty('kiosk'))
const console = withGrants(publicParty('console'), grant_types.slice(0, -1))
const parties: readonly Party[] = [television, kiosk, console]
const confidential: readonly Party[] = [television, kiosk]

let server: RunningServer

beforeAll(async () => {
  server = await startServer({
    clients: parties,
    listeners: 'https',
    options: {
      tokenIssuers: [authorizationCode(), refreshToken(), deviceCode(), ciba()],
      deviceAuthorization: { verificationUri: 'https://as.example/device', interval: 1 },
      backchannelAuthentication: {
        identify: hint => ('login_hint' in hint && hint.login_hint === 'alice' ? alice : undefined),
        interval: 1
      }
    }
  })
})
afterAll(() => server.close())

const byName = (list: readonly Party[]): [string, Party][] => list.map(party => [party.method, party])

describe('a device', () => {
  it.each(byName(parties))(
    'of a %s client gets tokens once its person has agreed, and refreshes them',
    async (_method, party) => {
      const config = await discover(server, party)
      const asked = await client.initiateDeviceAuthorization(config, { scope })
      expect(asked.verification_uri_complete).toContain(encodeURIComponent(asked.user_code))
      const polling = client.pollDeviceAuthorizationGrant(config, asked)
      expect(await server.server.device.find(asked.user_code.toLowerCase().replace('-', ' '), { sub: alice })).toMatchObject({
        client: { client_id: party.client_id }
      })
      expect(await server.server.device.approve(asked.user_code, account())).toBe(true)
      const tokens = await polling
      expect(tokens.claims()).toMatchObject({ sub: alice, aud: party.client_id })
      expect(await client.fetchUserInfo(config, tokens.access_token, alice)).toMatchObject({ sub: alice, name: 'Alice' })
      const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
      expect(refreshed.claims()).toMatchObject({ sub: alice })
    }
  )

  it('hears that its person refused', async () => {
    const config = await discover(server, television)
    const asked = await client.initiateDeviceAuthorization(config, { scope })
    expect(await server.server.device.deny(asked.user_code, { sub: alice })).toBe(true)
    await expect(client.pollDeviceAuthorizationGrant(config, asked)).rejects.toMatchObject({ error: 'access_denied' })
  })
})

describe('a person who is asked elsewhere', () => {
  it.each(byName(confidential))('gives a %s client tokens by agreeing', async (_method, party) => {
    const config = await discover(server, party)
    const asked = await client.initiateBackchannelAuthentication(config, { scope, login_hint: 'alice', binding_message: 'W4SCT' })
    const polling = client.pollBackchannelAuthenticationGrant(config, asked)
    const pending = await server.server.backchannel.pending({ sub: alice })
    const request = pending.find(({ client: { client_id } }) => client_id === party.client_id)
    expect(request).toMatchObject({ binding_message: 'W4SCT', scope: scope.split(' ') })
    expect(await server.server.backchannel.approve({} as never, request?.id ?? '', account())).toBe(true)
    const tokens = await polling
    expect(tokens.claims()).toMatchObject({ sub: alice, aud: party.client_id })
    expect(await client.fetchUserInfo(config, tokens.access_token, alice)).toMatchObject({ sub: alice, name: 'Alice' })
  })

  it('refuses, and the client hears it', async () => {
    const config = await discover(server, television)
    const asked = await client.initiateBackchannelAuthentication(config, { scope, login_hint: 'alice' })
    const [request] = await server.server.backchannel.pending({ sub: alice })
    expect(await server.server.backchannel.deny({} as never, request?.id ?? '', { sub: alice })).toBe(true)
    await expect(client.pollBackchannelAuthenticationGrant(config, asked)).rejects.toMatchObject({ error: 'access_denied' })
  })

  it('is unknown to the server where the hint names nobody', async () => {
    const config = await discover(server, television)
    const asked = client.initiateBackchannelAuthentication(config, { scope, login_hint: 'nobody' })
    await expect(asked).rejects.toMatchObject({ error: 'unknown_user_id' })
  })
})

describe('oauth4webapi', () => {
  const discovered = async (party: Party) => {
    const options = { [oauth.customFetch]: server.fetchFor(party) }
    const issuer = new URL(server.issuer)
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options))
    const app: oauth.Client = { client_id: party.client_id }
    return { as, app, options }
  }

  it('takes a device through the whole grant', async () => {
    const { as, app, options } = await discovered(console)
    const asking = await oauth.deviceAuthorizationRequest(as, app, oauth.None(), { scope }, options)
    const asked = await oauth.processDeviceAuthorizationResponse(as, app, asking)
    const poll = async () => {
      const polled = await oauth.deviceCodeGrantRequest(as, app, oauth.None(), asked.device_code, options)
      return oauth.processDeviceCodeResponse(as, app, polled)
    }
    await expect(poll()).rejects.toMatchObject({ error: 'authorization_pending' })
    await expect(poll()).rejects.toMatchObject({ error: 'slow_down' })
    expect(await server.server.device.approve(asked.user_code, account())).toBe(true)
    expect(oauth.getValidatedIdTokenClaims(await poll())).toMatchObject({ sub: alice })
    await expect(poll()).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('takes a person who is asked elsewhere through the whole grant', async () => {
    const { as, app, options } = await discovered(television)
    const auth = oauth.ClientSecretBasic(television.secret)
    const form = { scope, login_hint: 'alice', binding_message: 'by hand', requested_expiry: '30' }
    const asking = await oauth.backchannelAuthenticationRequest(as, app, auth, form, options)
    const asked = await oauth.processBackchannelAuthenticationResponse(as, app, asking)
    expect(asked.expires_in).toBe(30)
    const poll = async () => {
      const polled = await oauth.backchannelAuthenticationGrantRequest(as, app, auth, asked.auth_req_id, options)
      return oauth.processBackchannelAuthenticationGrantResponse(as, app, polled)
    }
    await expect(poll()).rejects.toMatchObject({ error: 'authorization_pending' })
    const pending = await server.server.backchannel.pending({ sub: alice })
    const request = pending.find(({ binding_message }) => binding_message === 'by hand')
    expect(await server.server.backchannel.approve({} as never, request?.id ?? '', account())).toBe(true)
    expect(oauth.getValidatedIdTokenClaims(await poll())).toMatchObject({ sub: alice, aud: app.client_id })
    await expect(poll()).rejects.toMatchObject({ error: 'invalid_grant' })
  })
})
