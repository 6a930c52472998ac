/** One journey of each kind. Jest runs this file on Express 5 and, in its own project, on Express 4. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { authorizationCode, ciba, clientCredentials as clientCredentialsGrant, deviceCode, refreshToken } from 'clientele'
import * as client from 'openid-client'
import { registering } from '../support/journeys/bound.ts'
import {
  authorityParty,
  callback,
  keyParty,
  publicParty,
  secretParty,
  selfSignedParty,
  type Party
} from '../support/journeys/clients.ts'
import { introspectAndRevoke, revokeOnly } from '../support/journeys/introspection.ts'
import { clientCredentials, codeAndRefresh, discover } from '../support/journeys/openid-client.ts'
import { alice, serverAuthority, startServer, type RunningServer } from '../support/journeys/server.ts'
import { makeWorkloads, workloadParties } from '../support/journeys/workloads.ts'
import { tlsFetch } from '../support/journeys/fetch.ts'

const secret = secretParty('client_secret_basic', 'with-secret')
const posted = secretParty('client_secret_post', 'with-posted-secret')
const hmac = secretParty('client_secret_jwt', 'with-hmac')
const key = await keyParty('with-key')
const certified = authorityParty('with-certificate')
const selfSigned = selfSignedParty('with-own-certificate')
const open: Party = publicParty('public')
const elsewhere = registering(secretParty('client_secret_post', 'whose-people-are-elsewhere'), {
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'urn:openid:params:grant-type:ciba']
})
const workloads = await makeWorkloads()
const confidential = [secret, posted, hmac, key, certified, selfSigned]

let server: RunningServer

beforeAll(async () => {
  server = await startServer({
    clients: [...confidential, open, elsewhere, ...workloads.clients],
    listeners: 'aliases',
    options: {
      workloads: workloads.workloads,
      tokenIssuers: [authorizationCode(), clientCredentialsGrant(), refreshToken(), deviceCode(), ciba()],
      deviceAuthorization: { verificationUri: 'https://as.example/device', interval: 1 },
      backchannelAuthentication: { identify: () => alice, interval: 1 }
    }
  })
})
afterAll(async () => {
  await server.close()
  workloads.end()
})

describe('on this Express', () => {
  it.each(confidential)('$method: client credentials', async party => {
    await clientCredentials(server, party, await discover(server, party))
  })

  it.each([...confidential, open])('$method: code, PKCE, ID Token, userinfo, refresh', async party => {
    await codeAndRefresh(server, party, await discover(server, party))
  })

  it.each([secret, key, certified])('$method: introspection, revocation', async party => {
    await introspectAndRevoke(server, party, await discover(server, party))
  })

  it('a workload gets a token by what its platform or trust domain signed', async () => {
    for (const { method, client_id, auth, certificate } of await workloadParties(workloads, server.issuer)) {
      const metadata = { use_mtls_endpoint_aliases: method === 'spiffe_x509' }
      const options = { [client.customFetch]: tlsFetch({ ca: serverAuthority.pem, certificate }) }
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
      const config = await client.discovery(new URL(server.issuer), client_id, metadata, auth, options)
      await client.clientCredentialsGrant(config)
      expect(server.decisions.at(-1)).toMatchObject({ outcome: 'authenticated', method, client_id })
    }
  })

  it('none: revocation', async () => {
    await revokeOnly(server, await discover(server, open))
  })

  it('a device is connected, and a person is asked elsewhere', async () => {
    const config = await discover(server, elsewhere)
    const account = { sub: alice, auth_time: Math.floor(Date.now() / 1000) }
    const codes = await client.initiateDeviceAuthorization(config, { scope: 'openid' })
    expect(await server.server.device.approve(codes.user_code, account)).toBe(true)
    expect((await client.pollDeviceAuthorizationGrant(config, codes)).claims()).toMatchObject({ sub: alice })
    const asked = await client.initiateBackchannelAuthentication(config, { scope: 'openid', login_hint: alice })
    const [request] = await server.server.backchannel.pending(account)
    expect(await server.server.backchannel.approve({} as never, request?.id ?? '', account)).toBe(true)
    expect((await client.pollBackchannelAuthenticationGrant(config, asked)).claims()).toMatchObject({ sub: alice })
  })

  it('a wrong secret is refused with a challenge', async () => {
    const config = await discover(server, secret, { auth: client.ClientSecretBasic('wrong') })
    await expect(client.clientCredentialsGrant(config)).rejects.toMatchObject({
      status: 401,
      cause: [{ scheme: 'basic', parameters: { realm: 'OAuth' } }]
    })
  })

  it('an error of the authorization request reaches the client, or the person where no client can be trusted', async () => {
    const config = await discover(server, secret)
    const request = client.buildAuthorizationUrl(config, { redirect_uri: callback, scope: 'no-such-scope', state: 's' })
    const response = await server.fetchFor()(request.href)
    const answer = new URL(response.headers.get('location') ?? '')
    await expect(client.authorizationCodeGrant(config, answer, { expectedState: 's' })).rejects.toMatchObject({
      error: 'invalid_scope'
    })
    request.searchParams.set('redirect_uri', 'https://elsewhere.example/')
    const page = await server.fetchFor()(request.href)
    expect(page.status).toBe(400)
    expect(await page.text()).toContain('invalid_request')
  })
})
