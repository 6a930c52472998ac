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

const publicKey = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0'
}
const signing = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicKey] } }
const macing = { token_endpoint_auth_method: 'client_secret_jwt', client_secret: 's'.repeat(64) }
const certified = { token_endpoint_auth_method: 'tls_client_auth' }

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
    ['tls_client_certificate_bound_access_tokens', { tls_client_certificate_bound_access_tokens: 'yes' as never }],
    ['token_endpoint_auth_signing_alg', { ...signing, token_endpoint_auth_signing_alg: 'none' }],
    ['token_endpoint_auth_signing_alg', { ...signing, token_endpoint_auth_signing_alg: 'ES-256' }],
    ['token_endpoint_auth_signing_alg', { ...signing, token_endpoint_auth_signing_alg: 'HS256' }],
    ['token_endpoint_auth_signing_alg', { ...macing, token_endpoint_auth_signing_alg: 'RS256' }],
    ['jwks.keys[1]', { ...signing, jwks: { keys: [publicKey, { ...publicKey, d: 'AQ' }] } }],
    ['jwks.keys[0]', { jwks: { keys: [{ kty: 'oct', k: 'AQ' }] } }],
    ['tls_client_auth_subject_dn', { ...certified, tls_client_auth_subject_dn: 'nobody' }],
    ['tls_client_auth_subject_dn', { ...certified, tls_client_auth_subject_dn: '/C=DE/CN=a' }],
    ['tls_client_auth_san_ip', { ...certified, tls_client_auth_san_ip: '10.0.0' }],
    ['tls_client_auth_san_email', { ...certified, tls_client_auth_san_email: 'somebody' }],
    [
      'credentials',
      {
        ...certified,
        tls_client_auth_san_dns: 'a.example',
        credentials: [{ type: 'certificate', id: 'b', tls_client_auth_san_ip: 'b' }]
      }
    ]
  ])('is refused at start, by path: %s %j', async (member, change) => {
    const given = await options({ clients: [good, { ...good, client_id: 'bad', ...change }] })
    expect(() => tokenRouter(given)).toThrow(expect.objectContaining({ name: 'ConfigurationError', key: `clients[1].${member}` }))
  })

  it('is told what there is', async () => {
    const given = await options({ tokenIssuers: [clientCredentials(), refreshToken()] })
    const wrong = { ...given, clients: [{ ...good, grant_types: ['refresh_tokens'] }] }
    expect(() => tokenRouter(wrong)).toThrow('clients[0].grant_types[0] must be one of client_credentials, refresh_token')
  })

  it('may register one algorithm for all that either of its methods takes, and keys that are none', async () => {
    const second = { type: 'method', id: 'm', method: 'client_secret_jwt' } as const
    const both = { ...signing, client_secret: macing.client_secret, credentials: [second] }
    for (const token_endpoint_auth_signing_alg of ['ES256', 'HS512', 'Ed25519', 'EdDSA']) {
      const client = { ...good, ...both, token_endpoint_auth_signing_alg }
      const given = await options({
        clients: [client, { ...good, client_id: 'bare', jwks: { keys: [null as never, {}] } }]
      })
      expect(() => tokenRouter(given)).not.toThrow()
    }
    const given = await options({ clients: [{ ...good, ...both, token_endpoint_auth_signing_alg: 'none' }] })
    expect(() => tokenRouter(given)).toThrow(/HS256, .* for private_key_jwt and client_secret_jwt$/)
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
    ['key', { ...good, client_id: 'key', jwks: { keys: [{ ...publicKey, d: 'AQ' }] } }],
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
    ['key', 'jwks.keys[0]'],
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
