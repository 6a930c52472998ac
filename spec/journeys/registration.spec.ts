/** Clients that register themselves, with openid-client and oauth4webapi: every method, then a token with it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair } from 'jose'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { startServer, type RunningServer } from '../support/journeys/server.ts'

const initialAccessToken = 'let-me-in-with-this'
const machine = { grant_types: ['client_credentials'], response_types: [], scope: 'api:read' }

let server: RunningServer

beforeAll(async () => {
  server = await startServer({
    clients: [],
    listeners: 'https',
    options: { registration: { access: 'token', initialAccessTokens: [initialAccessToken] } }
  })
})
afterAll(() => server.close())

const register = (metadata: object, auth?: client.ClientAuth, token = initialAccessToken) =>
  client.dynamicClientRegistration(new URL(server.issuer), { ...machine, ...metadata }, auth, {
    initialAccessToken: token,
    [client.customFetch]: server.fetchFor()
  })

describe('a client that registers with openid-client', () => {
  it.each(['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const)(
    'for %s gets a secret, and a token with it',
    async token_endpoint_auth_method => {
      const config = await register({ token_endpoint_auth_method })
      const { client_id, client_secret = '' } = config.clientMetadata()
      expect(client_secret.length).toBeGreaterThanOrEqual(27)
      const auth = {
        client_secret_basic: client.ClientSecretBasic,
        client_secret_post: client.ClientSecretPost,
        client_secret_jwt: client.ClientSecretJwt
      }[token_endpoint_auth_method](client_secret)
      const own = new client.Configuration(config.serverMetadata(), client_id, { client_secret }, auth)
      own[client.customFetch] = server.fetchFor()
      expect(await client.clientCredentialsGrant(own, { scope: 'api:read' })).toMatchObject({ scope: 'api:read' })
    }
  )

  it('for private_key_jwt brings its key, and gets a token with it', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256' }] }
    const auth = client.PrivateKeyJwt({ key: privateKey, kid: '1' })
    const config = await register({ token_endpoint_auth_method: 'private_key_jwt', jwks }, auth)
    expect(config.clientMetadata().client_secret).toBeUndefined()
    expect(await client.clientCredentialsGrant(config, { scope: 'api:read' })).toMatchObject({ scope: 'api:read' })
  })

  it.each([
    ['a method that needs a key, without one', { token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata'],
    ['a redirect URI with a fragment', { redirect_uris: ['https://a.example/#x'] }, 'invalid_redirect_uri']
  ])('is told what is wrong with %s', async (_name, metadata, error) => {
    await expect(register(metadata)).rejects.toMatchObject({ error })
  })

  it('gets nowhere without the initial access token', async () => {
    await expect(register({}, undefined, 'another')).rejects.toMatchObject({ status: 401 })
  })
})

describe('a client that registers with oauth4webapi', () => {
  it('reads, changes and ends its registration', async () => {
    const options = { [oauth.customFetch]: server.fetchFor() }
    const issuer = new URL(server.issuer)
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options))
    const answer = await oauth.dynamicClientRegistrationRequest(as, machine, { ...options, initialAccessToken })
    const registered = await oauth.processDynamicClientRegistrationResponse(answer)
    const { registration_client_uri, registration_access_token, client_secret = '' } = registered as Record<string, string>
    const manage = (method: string, body?: object) =>
      server.fetchFor()(registration_client_uri ?? '', {
        method,
        headers: { Authorization: `Bearer ${registration_access_token}`, 'Content-Type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) })
      })
    expect(await (await manage('GET')).json()).toMatchObject({ client_id: registered.client_id, scope: 'api:read' })
    const grant = await oauth.clientCredentialsGrantRequest(
      as,
      registered,
      oauth.ClientSecretBasic(client_secret),
      { scope: 'api:read' },
      options
    )
    expect(grant.status).toBe(200)
    expect((await manage('DELETE')).status).toBe(204)
    expect((await manage('GET')).status).toBe(401)
    const { access_token } = (await grant.json()) as { access_token: string }
    expect(await server.server.verifyAccessToken(access_token)).toBeUndefined()
  })
})
