/** Methods without secrets under the FAPI 2.0 Security Profile: whoever signed the proof, every token is bound to a key or a certificate. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import { decodeJwt } from 'jose'
import request, { type Response } from 'supertest'
import {
  clientCredentials,
  ConfigurationError,
  jwtBearer,
  memoryStore,
  tokenRouter,
  type ClientMetadata
} from '../../lib/index.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'
import { serverKeys } from '../support/keys/made-keys.ts'
import { actions, bearer, bundle, issuer, jwtSpiffe, signers, x509Svid } from '../support/servers/workloads.ts'
import { postOver, tlsClient } from '../strategies/tls-requests.ts'

const now = Math.floor(Date.now() / 1000)
const { actionsToken, svid } = signers(() => now)
const keys = await serverKeys(['ES256', 'PS256'])
const dpop = await makeDpopKey()
const resource = 'https://api.example.com'
const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const federated_credentials = [{ issuer: actions.issuer, claims: { repository_id: '456789' } }]
const spiffe_id = 'spiffe://prod.example/billing'
const common = { grant_types: ['client_credentials', grant_type], response_types: [] }
const bound = { ...common, dpop_bound_access_tokens: true }
const clients: ClientMetadata[] = [
  { client_id: 'job', token_endpoint_auth_method: 'federated_jwt', federated_credentials, ...bound },
  { client_id: 'mesh', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id, ...bound },
  {
    client_id: 'mtls',
    token_endpoint_auth_method: 'spiffe_x509',
    spiffe_id,
    ...common,
    tls_client_certificate_bound_access_tokens: true
  }
]

/** Answers wherever it is asked. */
const appWith = (given: readonly ClientMetadata[] = clients) => {
  const router = tokenRouter({
    ...{ issuer, clients: given, keys, store: memoryStore(), profile: 'fapi2-security', certificateMethods: true },
    resources: [{ resource, accessTokenFormat: 'jwt' }],
    workloads: {
      // it signs RS256, as GitHub does: the profile's algorithms are those of clients and of this server
      issuers: [{ issuer: actions.issuer, jwks: { keys: [actions.jwk] }, replay: 'once' }],
      trustDomains: [{ trustDomain: 'prod.example', bundle }]
    },
    tokenIssuers: [clientCredentials(), jwtBearer({ workloads: true })],
    onError: () => undefined
  })
  const app = express().use((req, _res, next) => {
    req.url = '/oauth2/token'
    next()
  })
  return app.use('/oauth2', router)
}
const app = appWith()

const send = async (form: Readonly<Record<string, string>>, proof?: string): Promise<Response> => {
  const sent = request(app).post('/oauth2/token').type('form')
  if (proof !== undefined) void sent.set('DPoP', proof)
  return sent.send({ grant_type: 'client_credentials', resource, ...form })
}
const proof = () => prove(dpop, 'POST', `${issuer}/oauth2/token`, Date.now())
const confirmation = ({ body }: Response) => decodeJwt((body as { access_token: string }).access_token)['cnf']

describe('under fapi2-security', () => {
  it.each(clients.map(client => [client.client_id, client] as const))('%s may not be a client of unbound tokens', (_, client) => {
    const unbound = { ...client, dpop_bound_access_tokens: false, tls_client_certificate_bound_access_tokens: false }
    expect(() => appWith([unbound])).toThrow(ConfigurationError)
    expect(() => appWith([unbound])).toThrow(/^clients\[0\]\.dpop_bound_access_tokens or .* \(FAPI 2\.0 §5\.3\.2\.1 \(4\)\)/)
  })

  it.each<[string, () => Promise<Readonly<Record<string, string>>>]>([
    ['federated_jwt', async () => ({ client_assertion_type: bearer, client_assertion: await actionsToken() })],
    [
      'federated_jwt with its audience as a list',
      async () => ({ client_assertion_type: bearer, client_assertion: await actionsToken({ claims: { aud: [issuer] } }) })
    ],
    ['spiffe_jwt', async () => ({ client_assertion_type: jwtSpiffe, client_assertion: await svid() })],
    ['the grant without a client', async () => ({ grant_type, assertion: await actionsToken() })]
  ])('%s gets a token that is bound to the key of its proof, and none without', async (_, form) => {
    const without = await send(await form())
    expect([without.status, (without.body as { error: string }).error]).toEqual([400, 'invalid_dpop_proof'])
    const given = await send(await form(), await proof())
    expect([given.status, (given.body as { token_type: string }).token_type]).toEqual([200, 'DPoP'])
    expect(confirmation(given)).toEqual({ jkt: dpop.jkt })
  })

  it('a platform’s token that is good once is not used up by a request without a proof of the key', async () => {
    const assertion = await actionsToken()
    expect((await send({ grant_type, assertion })).status).toBe(400)
    expect((await send({ grant_type, assertion }, await proof())).status).toBe(200)
    expect((await send({ grant_type, assertion }, await proof())).body).toMatchObject({ error: 'invalid_grant' })
  })

  it('spiffe_x509 gets a token that is bound to its SVID', async () => {
    const certificate = x509Svid()
    const form = { grant_type: 'client_credentials', client_id: 'mtls', resource }
    const given = await postOver(app, tlsClient(certificate), form)
    expect(given.status).toBe(200)
    expect(confirmation(given)).toEqual({ 'x5t#S256': certificate.thumbprint })
  })
})
