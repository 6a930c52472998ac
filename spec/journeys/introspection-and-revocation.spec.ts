/** Introspection and revocation over real HTTP and TLS, by unmodified openid-client and oauth4webapi: every method, and APIs that ask. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { registering } from '../support/journeys/bound.ts'
import { api, confidentialParties, keyParty, publicParty, secretParty, type Party } from '../support/journeys/clients.ts'
import { introspectAndRevoke, revokeOnly } from '../support/journeys/introspection.ts'
import { discover as discoverPlain } from '../support/journeys/oauth4webapi.ts'
import { discover, refusal, signIn } from '../support/journeys/openid-client.ts'
import { alice, startServer, type RunningServer } from '../support/journeys/server.ts'

const confidential = await confidentialParties()
const spa = publicParty('single-page-app')
const backend = secretParty('client_secret_basic', 'api-backend')
const signed = registering(await keyParty('api-that-keeps-evidence'), { introspection_signed_response_alg: 'ES256' })
const stranger = secretParty('client_secret_basic', 'another-api')
const all = [...confidential, spa, backend, signed, stranger]
const resources = [
  { resource: api, scopes: ['api:read', 'api:write'], introspectionClients: [backend.client_id, signed.client_id] },
  { resource: 'https://files.example', accessTokenFormat: 'opaque' as const, introspectionClients: [stranger.client_id] }
]
const options = { resources }

let server: RunningServer

beforeAll(async () => {
  server = await startServer({ clients: all, listeners: 'aliases', options })
})
afterAll(() => server.close())

/** A token of the public client's for the API, which it may not introspect itself. */
const tokenFor = async (resource: string): Promise<string> =>
  (await signIn(server, await discover(server, spa), { parameters: { resource } })).access_token

describe('openid-client', () => {
  it.each(confidential)('$method: looks at its tokens and ends them', async party => {
    await introspectAndRevoke(server, party, await discover(server, party))
    expect(server.decisions.at(-1)).toMatchObject({
      endpoint: 'revocation',
      outcome: 'authenticated',
      method: party.method,
      client_id: party.client_id
    })
  })

  it('none: ends its tokens, and is not told about them', async () => {
    await revokeOnly(server, await discover(server, spa))
  })

  it.each(confidential.filter(party => 'certificate' in party))('$method: goes to the aliases', async party => {
    const { fetch, sent } = server.recordingFor(party)
    const config = await discover(server, party, { fetch })
    await client.tokenIntrospection(config, 'unknown')
    await client.tokenRevocation(config, 'unknown')
    expect(sent.map(({ url }) => url).filter(url => url.includes('/oauth2/'))).toEqual([
      `${server.mtlsOrigin}/oauth2/introspect`,
      `${server.mtlsOrigin}/oauth2/revoke`
    ])
  })

  it('an API asks with a client of its own, and is told about tokens for it alone', async () => {
    const access_token = await tokenFor(api)
    const asked = async (party: Party, token: string) => client.tokenIntrospection(await discover(server, party), token)
    expect(await asked(backend, access_token)).toMatchObject({
      active: true,
      sub: alice,
      client_id: spa.client_id,
      aud: api,
      scope: 'openid profile offline_access api:read'
    })
    expect(await asked(stranger, access_token)).toEqual({ active: false })
    expect(await asked(backend, await tokenFor('https://files.example'))).toEqual({ active: false })
    await client.tokenRevocation(await discover(server, spa), access_token)
    expect(await asked(backend, access_token)).toEqual({ active: false })
  })

  it('an API gets a signed answer where it registered an algorithm, its signature verified', async () => {
    const { fetch, sent } = server.recordingFor(signed)
    const config = await discover(server, signed, { fetch })
    expect(await client.tokenIntrospection(config, await tokenFor(api))).toMatchObject({ active: true, sub: alice, aud: api })
    expect(sent.find(({ url }) => url.endsWith('/introspect'))?.answer).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  it('one client’s token is not ended by another', async () => {
    const access_token = await tokenFor(api)
    await client.tokenRevocation(await discover(server, backend), access_token)
    const config = await discover(server, backend)
    expect(await client.tokenIntrospection(config, access_token)).toMatchObject({ active: true })
  })

  it('a wrong secret is refused at both', async () => {
    const config = await discover(server, backend, { auth: client.ClientSecretPost('wrong') })
    for (const refused of [client.tokenIntrospection(config, 'unknown'), client.tokenRevocation(config, 'unknown')])
      expect(await refusal(refused)).toEqual({ status: 401, error: 'invalid_client' })
  })
})

describe.each(['http', 'https'] as const)('oauth4webapi over %s', listeners => {
  // a server without certificates does not start with clients that are proved by one
  const here = (list: readonly Party[]) => (listeners === 'http' ? list.filter(party => !('certificate' in party)) : list)
  const parties = here(confidential)
  let other: RunningServer
  beforeAll(async () => {
    other = await startServer({ clients: here(all), listeners, path: '/acme/banking', options })
  })
  afterAll(() => other.close())

  it.each(parties)('$method: plain and signed answers, revocation', async party => {
    const { as, client: self, auth, options: call } = await discoverPlain(other, party, 'oauth2')
    const granted = await oauth.clientCredentialsGrantRequest(as, self, auth, { scope: 'api:read', resource: api }, call)
    const { access_token } = await oauth.processClientCredentialsResponse(as, self, granted)
    const introspected = async (requestJwtResponse: boolean) => {
      const response = await oauth.introspectionRequest(as, self, auth, access_token, { ...call, requestJwtResponse })
      const type = requestJwtResponse ? 'application/token-introspection+jwt' : 'application/json'
      expect(response.headers.get('content-type')).toBe(type)
      const said = await oauth.processIntrospectionResponse(as, self, response)
      if (requestJwtResponse) await oauth.validateApplicationLevelSignature(as, response, call)
      return said
    }
    const active = { active: true, client_id: party.client_id, sub: party.client_id, aud: api, scope: 'api:read' }
    for (const asJwt of [false, true]) expect(await introspected(asJwt)).toMatchObject(active)
    const revoked = await oauth.revocationRequest(as, self, auth, access_token, call)
    await oauth.processRevocationResponse(revoked)
    for (const asJwt of [false, true]) expect(await introspected(asJwt)).toEqual({ active: false })
  })

  it('the metadata says who may come', async () => {
    const { as } = await discoverPlain(other, spa, 'oidc')
    const methods = parties.map(({ method }) => method)
    expect(as).toMatchObject({
      introspection_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_methods_supported: [...methods, 'none'],
      introspection_signing_alg_values_supported: ['RS256', 'ES256']
    })
  })
})
