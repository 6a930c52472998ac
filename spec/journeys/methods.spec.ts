/** openid-client, unmodified, over real TLS: every method, every grant. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import {
  authorityParty,
  callback,
  confidentialParties,
  keyParty,
  publicParty,
  secretParty,
  selfSignedParty,
  type ConfidentialParty,
  type KeyParty,
  type Party
} from '../support/journeys/clients.ts'
import { clientAuth, clientCredentials, codeAndRefresh, discover, refusal, signIn } from '../support/journeys/openid-client.ts'
import { startServer, type RunningServer } from '../support/journeys/server.ts'

const confidential = await confidentialParties()
const spa = publicParty('single-page-app')
const strangeSecrets = ['100%', '%41', 'a+b', 'a:b:c', ':', 'with space', ' padded ', 'ü€𝄞', '"quoted\\"', '&=?#;/', '%2B+%20 ']
const strange = strangeSecrets.map((secret, index) => secretParty('client_secret_basic', `strange-${index}`, secret))
const signers = await Promise.all(['RS256', 'PS256', 'ES384', 'Ed25519'].map(alg => keyParty(`signs-${alg}`, alg)))

let server: RunningServer

beforeAll(async () => {
  server = await startServer({ clients: [...confidential, spa, ...strange, ...signers], listeners: 'aliases' })
})
afterAll(() => server.close())

describe('every confidential method', () => {
  it.each(confidential)('$method: client credentials', async party => {
    await clientCredentials(server, party, await discover(server, party))
    expect(server.decisions.at(-1)).toMatchObject({
      outcome: 'authenticated',
      method: party.method,
      client_id: party.client_id
    })
  })

  it.each(confidential)('$method: code, PKCE, ID Token, userinfo, refresh', async party => {
    await codeAndRefresh(server, party, await discover(server, party))
    expect(server.decisions.at(-1)).toMatchObject({
      outcome: 'authenticated',
      method: party.method,
      client_id: party.client_id
    })
  })
})

describe('a public client', () => {
  it('none: code, PKCE, ID Token, userinfo, refresh', async () => {
    await codeAndRefresh(server, spa, await discover(server, spa))
    expect(server.decisions.at(-1)).toMatchObject({ outcome: 'authenticated', method: 'none', client_id: spa.client_id })
  })

  it('gets no token of its own, and no code without PKCE', async () => {
    const config = await discover(server, spa)
    expect(await refusal(client.clientCredentialsGrant(config))).toEqual({ status: 400, error: 'unauthorized_client' })
    const request = client.buildAuthorizationUrl(config, { redirect_uri: callback, scope: 'openid', state: 's' })
    const response = await server.fetchFor()(request.href)
    const answer = new URL(response.headers.get('location') ?? '')
    await expect(client.authorizationCodeGrant(config, answer, { expectedState: 's' })).rejects.toMatchObject({
      error: 'invalid_request'
    })
  })
})

describe('discovery', () => {
  it.each(['oidc', 'oauth2'] as const)('finds every method and the other listener (%s)', async algorithm => {
    const options = { algorithm, [client.customFetch]: server.fetchFor() }
    const config = await client.discovery(new URL(server.issuer), spa.client_id, undefined, client.None(), options)
    const metadata = config.serverMetadata()
    const methods = [...confidential, spa].map(({ method }) => method)
    expect(metadata.token_endpoint_auth_methods_supported).toEqual(methods)
    expect(metadata.supportsPKCE()).toBe(true)
    expect(metadata.mtls_endpoint_aliases?.token_endpoint).toBe(`${server.mtlsOrigin}/oauth2/token`)
  })
})

describe('a wrong credential', () => {
  const impostors: Record<ConfidentialParty['method'], (client_id: string) => Party | Promise<Party>> = {
    client_secret_basic: client_id => secretParty('client_secret_basic', client_id),
    client_secret_post: client_id => secretParty('client_secret_post', client_id),
    client_secret_jwt: client_id => secretParty('client_secret_jwt', client_id),
    private_key_jwt: client_id => keyParty(client_id),
    tls_client_auth: () => authorityParty('somebody-else'),
    self_signed_tls_client_auth: client_id => selfSignedParty(client_id)
  }

  it.each(confidential)('$method: is refused, and a good one afterwards is not', async party => {
    const impostor = await impostors[party.method](party.client_id)
    const config = await discover(server, party, { auth: clientAuth(impostor), fetch: server.fetchFor(impostor) })
    const error = party.method === 'client_secret_basic' ? undefined : 'invalid_client'
    expect(await refusal(client.clientCredentialsGrant(config))).toEqual({ status: 401, error })
    expect(server.decisions.at(-1)).toMatchObject({ outcome: 'refused', client_id: party.client_id })
    await client.clientCredentialsGrant(await discover(server, party))
  })

  it.each(confidential)('$method: cannot be left out', async party => {
    const config = await discover(server, party, { auth: client.None(), fetch: server.fetchFor() })
    expect(await refusal(client.clientCredentialsGrant(config))).toEqual({ status: 401, error: 'invalid_client' })
  })

  it.each(confidential)('$method: another client of the same server is not this one', async party => {
    const config = await discover(server, party)
    const tokens = await signIn(server, config)
    const other = await discover(server, spa)
    expect(await refusal(client.refreshTokenGrant(other, tokens.refresh_token ?? ''))).toEqual({
      status: 400,
      error: 'invalid_grant'
    })
    await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
  })
})

describe('client_secret_basic', () => {
  it.each(strange)('takes the secret <$secret>', async party => {
    await client.clientCredentialsGrant(await discover(server, party))
  })
})

describe('private_key_jwt', () => {
  it.each(signers)('$client_id', async party => {
    await client.clientCredentialsGrant(await discover(server, party))
    expect(server.decisions.at(-1)).toMatchObject({ credential: `kid:${party.key.kid}` })
  })

  it.each(confidential.filter(({ method }) => method.endsWith('_jwt')))('$method: names the issuer as audience', async party => {
    const { fetch, sent } = server.recordingFor(party)
    await client.clientCredentialsGrant(await discover(server, party, { fetch }))
    const assertion = sent.at(-1)?.body.get('client_assertion') ?? ''
    expect(decodeJwt(assertion).aud).toBe(server.issuer)
  })

  it('may name the token endpoint instead only where the client is registered so', async () => {
    const strict = await keyParty('registered-today')
    const earlier = await keyParty('registered-earlier')
    const lenient: KeyParty = { ...earlier, metadata: { ...earlier.metadata, assertion_audience: 'legacy' } }
    const other = await startServer({ clients: [strict, lenient], listeners: 'https' })
    const namingTheTokenEndpoint = (party: KeyParty): Promise<client.Configuration> => {
      const modifyAssertion = (_header: unknown, payload: Record<string, unknown>): void => {
        payload['aud'] = `${other.issuer}/oauth2/token`
      }
      return discover(other, party, { auth: client.PrivateKeyJwt(party.key, { [client.modifyAssertion]: modifyAssertion }) })
    }
    const refused = { status: 401, error: 'invalid_client' }
    expect(await refusal(client.clientCredentialsGrant(await namingTheTokenEndpoint(strict)))).toEqual(refused)
    await client.clientCredentialsGrant(await namingTheTokenEndpoint(lenient))
    await other.close()
  })
})

describe('mutual TLS', () => {
  it.each(confidential.filter(party => 'certificate' in party))('$method: goes to the aliases', async party => {
    const { fetch, sent } = server.recordingFor(party)
    const config = await discover(server, party, { fetch })
    const tokens = await signIn(server, config)
    await client.fetchUserInfo(config, tokens.access_token, 'alice')
    const called = sent.map(({ url }) => url).filter(url => !/jwks|well-known/.test(url))
    expect(called).toEqual([`${server.mtlsOrigin}/oauth2/token`, `${server.mtlsOrigin}/oauth2/userinfo`])
  })
})
