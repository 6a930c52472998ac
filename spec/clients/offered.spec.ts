/** Clients held against the server they are configured at. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import {
  clientCredentials,
  memoryStore,
  oauthErrorHandler,
  refreshToken,
  tokenRouter,
  type ClientMetadata,
  type ServerEvent,
  type TokenRouterOptions
} from '../../lib/index.ts'
import { basic, callback, harness, issuer, specKeys } from '../support/servers/authorization-server.ts'

const good: ClientMetadata = { client_id: 'good', client_secret: 'secret of good', grant_types: ['client_credentials'] }

const options = async (change: Partial<TokenRouterOptions> = {}): Promise<TokenRouterOptions> => ({
  issuer,
  clients: [good],
  store: memoryStore(),
  keys: await specKeys(),
  ...change
})

describe('a client that is configured for what the server does not have', () => {
  it.each<[string, Partial<ClientMetadata>]>([
    ['token_endpoint_auth_method', { token_endpoint_auth_method: 'privat_key_jwt' }],
    ['grant_types[0]', { grant_types: ['client_credential'] }],
    ['grant_types[1]', { grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'] }],
    ['grant_types[1]', { grant_types: ['client_credentials', 'constructor'] }],
    ['redirect_uris', { grant_types: ['authorization_code'] }],
    ['grant_types[0]', { token_endpoint_auth_method: 'none', client_secret: undefined }],
    ['id_token_signed_response_alg', { id_token_signed_response_alg: 'RS1' }],
    ['id_token_signed_response_alg', { id_token_signed_response_alg: 'none' }],
    ['userinfo_signed_response_alg', { userinfo_signed_response_alg: 'HS256' }],
    ['credentials[0].method', { credentials: [{ type: 'method', id: 'm', method: 'api_key' }] }],
    ['dpop_bound_access_tokens', { dpop_bound_access_tokens: 'true' as never }],
    ['tls_client_certificate_bound_access_tokens', { tls_client_certificate_bound_access_tokens: 'yes' as never }]
  ])('is refused at start, by path: %s %j', async (member, change) => {
    const given = await options({ clients: [good, { ...good, client_id: 'bad', ...change }] })
    expect(() => tokenRouter(given)).toThrow(expect.objectContaining({ name: 'ConfigurationError', key: `clients[1].${member}` }))
  })

  it('is told what there is', async () => {
    const given = await options({ tokenIssuers: [clientCredentials(), refreshToken()] })
    const wrong = { ...given, clients: [{ ...good, grant_types: ['refresh_tokens'] }] }
    expect(() => tokenRouter(wrong)).toThrow('clients[0].grant_types[0] must be one of client_credentials, refresh_token')
  })

  it('is refused for the certificate methods where no connection carries one', async () => {
    const tls = { client_id: 'tls', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'a.example' }
    const metadata = { ...tls, grant_types: ['client_credentials'] }
    await expect(harness({ clients: [metadata] })).rejects.toThrow('clients[0].token_endpoint_auth_method must be one of')
    await expect(harness({ clients: [metadata], certificateMethods: true })).resolves.toBeDefined()
  })

  it('is fine without a word about grants: a client that only introspects needs none', async () => {
    const given = await options({ tokenIssuers: [clientCredentials()], clients: [{ client_id: 'api', client_secret: 's' }] })
    expect(() => tokenRouter(given)).not.toThrow()
  })
})

describe('a client that is looked up', () => {
  const rows = new Map<string, ClientMetadata>([
    ['good', good],
    ['typo', { ...good, client_id: 'typo', redirect_uri: callback }],
    ['flag', { ...good, client_id: 'flag', dpop_bound_access_tokens: 'true' as never }],
    ['grant', { ...good, client_id: 'grant', grant_types: ['client_credentials', 'password'] }],
    ['method', { ...good, client_id: 'method', token_endpoint_auth_method: 'api_key' }],
    ['loose', { ...good, client_id: 'Loose' }]
  ])

  const looking = async (onEvent?: (event: ServerEvent) => unknown) => {
    const app = express()
    app.use(
      '/oauth2',
      tokenRouter(await options({ clients: client_id => ({ ...rows.get(client_id) }) as ClientMetadata, onEvent }))
    )
    return app.use(oauthErrorHandler())
  }
  const ask = (app: express.Express, client_id: string) =>
    request(app)
      .post('/oauth2/token')
      .type('application/x-www-form-urlencoded')
      .set('Authorization', basic(client_id, 'secret of good'))
      .send('grant_type=client_credentials')

  it.each([
    ['typo', 'redirect_uri'],
    ['flag', 'dpop_bound_access_tokens'],
    ['grant', 'grant_types[1]'],
    ['method', 'token_endpoint_auth_method'],
    ['loose', 'client_id']
  ])('wrongly (%s) is an unknown client, and one event says why: %s', async (client_id, member) => {
    const events: ServerEvent[] = []
    const app = await looking(event => events.push(event))
    for (let time = 0; time < 3; time++)
      expect(await ask(app, client_id)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(events.filter(({ type }) => type === 'client.misconfigured')).toMatchObject([
      { client_id, member, reason: expect.stringContaining(`client.${member} `), issuer }
    ])
    expect((await ask(app, 'good')).status).toBe(200)
  })
})
