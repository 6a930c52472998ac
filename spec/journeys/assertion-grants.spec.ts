/** The assertion grants with unmodified clients: another domain's word for an access token here, and an access token handed on from API to API. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  authorizationCode,
  clientCredentials,
  jwtBearer,
  refreshToken,
  tokenExchange,
  type AuthorizationServerOptions,
  type ExchangeRequest
} from 'clientele'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { certificateBound, registering } from '../support/journeys/bound.ts'
import { api, authorityParty, keyParty, publicParty, secretParty, type Party } from '../support/journeys/clients.ts'
import * as byOauth4webapi from '../support/journeys/oauth4webapi.ts'
import { callApi, discover, readAsApi, refusal, signIn, whoami } from '../support/journeys/openid-client.ts'
import { alice, startServer, type RunningServer } from '../support/journeys/server.ts'
import { makeIssuer, signAs } from '../support/servers/trusted-issuer.ts'
import { serveKeys, type KeyServer } from '../strategies/key-server.ts'

const bearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const tokenType = (name: string) => `urn:ietf:params:oauth:token-type:${name}`
const backend = 'https://backend.example'

const grant_types = ['client_credentials', bearerGrant, exchangeGrant]
const withGrants = <P extends Party>(party: P): P => registering(party, { grant_types })
const agent = withGrants(await keyParty('agent'))
const gateway = withGrants(secretParty('client_secret_basic', 'gateway'))
const vault = certificateBound(withGrants(authorityParty('vault')))
const app = publicParty('app')
const confidential = [agent, gateway, vault]
const parties = [...confidential, app]
const idp = await makeIssuer('https://idp.example', 'PS256')

/** The gateway may go on to the backend for whoever called it, and every client may narrow what it was given. */
function policy({ client, subject, resource }: ExchangeRequest) {
  if (subject.type === 'access_token' && subject.client_id === client.client_id) return { allow: 'impersonation' } as const
  return client.client_id === 'gateway' && resource === backend ? ({ allow: 'delegation' } as const) : undefined
}

let keys: KeyServer
let server: RunningServer

function options(): Partial<AuthorizationServerOptions> {
  const trustedIssuers = [{ issuer: idp.issuer, jwks_uri: keys.url }]
  const subject = ({ claims }: { readonly claims: Readonly<Record<string, unknown>> }) =>
    claims['email'] === 'alice@example.com' ? alice : undefined
  const assertionGrants = [jwtBearer({ trustedIssuers, subject }), tokenExchange({ trustedIssuers, subject, policy })]
  return {
    tokenIssuers: [authorizationCode(), clientCredentials(), refreshToken(), ...assertionGrants],
    resources: [
      { resource: api, scopes: ['api:read', 'api:write'] },
      { resource: backend, scopes: ['ledger:read'], accessTokenTtl: 60 }
    ],
    refreshRetryWindow: 0
  }
}

beforeAll(async () => {
  keys = await serveKeys([idp.jwk])
  server = await startServer({ clients: parties, listeners: 'aliases', options: options() })
})
afterAll(async () => {
  await server.close()
  await keys.close()
})

describe('an assertion', () => {
  const assertion = (claims = {}, header = {}) =>
    signAs(idp, server.issuer, Date.now() / 1000, { header, claims: { email: 'alice@example.com', ...claims } })

  it.each(confidential)('buys a token for the API, once: $method', async party => {
    const config = await discover(server, party)
    expect(config.serverMetadata().grant_types_supported).toEqual(expect.arrayContaining([bearerGrant, exchangeGrant]))
    const parameters = { assertion: await assertion(), scope: 'api:read', resource: api }
    const tokens = await client.genericGrantRequest(config, bearerGrant, parameters)
    expect(tokens).toEqual({ access_token: expect.any(String), token_type: 'bearer', expires_in: 3600, scope: 'api:read' })
    const claims = await readAsApi(server, config.serverMetadata().jwks_uri, tokens.access_token)
    expect(claims).toMatchObject({ sub: alice, client_id: party.client_id, scope: 'api:read' })
    const again = client.genericGrantRequest(config, bearerGrant, parameters)
    expect(await refusal(again)).toEqual({ status: 400, error: 'invalid_grant' })
  })

  it('that is an ID-JAG bound to a key is good with its proof alone, and the token is bound too', async () => {
    const config = await discover(server, agent)
    const pair = await client.randomDPoPKeyPair('ES256', { extractable: true })
    const DPoP = client.getDPoPHandle(config, pair)
    const jkt = await calculateJwkThumbprint(await exportJWK(pair.publicKey))
    const claims = { client_id: agent.client_id, scope: 'api:read', resource: api, cnf: { jkt } }
    const parameters = { assertion: await assertion(claims, { typ: 'oauth-id-jag+jwt' }) }
    const invalidGrant = { status: 400, error: 'invalid_grant' }
    expect(await refusal(client.genericGrantRequest(config, bearerGrant, parameters))).toEqual(invalidGrant)
    const other = await discover(server, gateway)
    expect(await refusal(client.genericGrantRequest(other, bearerGrant, parameters, { DPoP }))).toEqual(invalidGrant)
    const tokens = await client.genericGrantRequest(config, bearerGrant, parameters, { DPoP })
    expect(tokens).toMatchObject({ token_type: 'dpop', scope: 'api:read', resource: api })
    expect(await callApi(config, whoami(server), tokens.access_token, DPoP)).toMatchObject({ sub: alice, client_id: 'agent' })
  })
})

describe('an exchange', () => {
  it('takes a person’s token from the gateway on to the backend, and ends there with the sign-in', async () => {
    const appConfig = await discover(server, app)
    const person = await signIn(server, appConfig, { parameters: { scope: 'openid offline_access api:read ledger:read' } })
    const config = await discover(server, gateway)
    const subject = { subject_token: person.access_token, subject_token_type: tokenType('access_token') }
    const parameters = { ...subject, requested_token_type: tokenType('jwt'), resource: backend }
    const tokens = await client.genericGrantRequest(config, exchangeGrant, parameters)
    expect(tokens).toMatchObject({ issued_token_type: tokenType('jwt'), scope: 'openid ledger:read', expires_in: 60 })
    expect(tokens).not.toHaveProperty('refresh_token')
    expect(tokens).not.toHaveProperty('id_token')
    expect(await server.server.verifyAccessToken(tokens.access_token)).toMatchObject({
      sub: alice,
      client_id: 'gateway',
      aud: backend,
      act: { sub: 'gateway' }
    })
    // to another API, to the agent, and past the first grant: none of it
    expect(await refusal(client.genericGrantRequest(config, exchangeGrant, subject))).toEqual({
      status: 400,
      error: 'invalid_request'
    })
    const agentConfig = await discover(server, agent)
    expect(await refusal(client.genericGrantRequest(agentConfig, exchangeGrant, parameters))).toMatchObject({ status: 400 })
    await client.refreshTokenGrant(appConfig, person.refresh_token ?? '')
    expect(await refusal(client.refreshTokenGrant(appConfig, person.refresh_token ?? ''))).toMatchObject({ status: 400 })
    expect(await server.server.verifyAccessToken(tokens.access_token)).toBeUndefined()
    expect(await refusal(client.genericGrantRequest(config, exchangeGrant, parameters))).toMatchObject({ status: 400 })
  })

  it.each(confidential)('narrows a token of the client’s own, by oauth4webapi: $method', async party => {
    const { as, client, auth, options } = await byOauth4webapi.discover(server, party, 'oauth2')
    const first = await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: 'api:read api:write' }, options)
    const { access_token } = await oauth.processClientCredentialsResponse(as, client, first)
    const parameters = {
      subject_token: access_token,
      subject_token_type: tokenType('access_token'),
      scope: 'api:read',
      audience: api
    }
    const response = await oauth.genericTokenEndpointRequest(as, client, auth, exchangeGrant, parameters, options)
    const tokens = await oauth.processGenericTokenEndpointResponse(as, client, response)
    expect(tokens).toMatchObject({ issued_token_type: tokenType('access_token'), scope: 'api:read' })
    const exchanged = await server.server.verifyAccessToken(tokens.access_token)
    expect(exchanged).toMatchObject({ sub: party.client_id, aud: api, scope: ['api:read'] })
    const before = await server.server.verifyAccessToken(access_token)
    expect(exchanged?.cnf).toEqual(before?.cnf)
    expect(exchanged?.cnf !== undefined).toBe(party === vault)
    const unknown = { ...parameters, audience: 'https://evil.example' }
    const refused = await oauth.genericTokenEndpointRequest(as, client, auth, exchangeGrant, unknown, options)
    await expect(oauth.processGenericTokenEndpointResponse(as, client, refused)).rejects.toMatchObject({
      error: 'invalid_target'
    })
  })
})
