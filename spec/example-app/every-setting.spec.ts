/** Every member of the configuration file, given what it cannot be, ends the start with one line that names its path. */
import { describe, expect, it } from '@jest/globals'
import { memoryStore } from 'clientele'
import { createApp } from '../../example-app/app.ts'
import { checkConfig } from '../../example-app/config/config.ts'
import { everyMistake } from '../../example-app/config/mistakes.ts'
import { importNothing } from '../../example-app/config/secret-hashes.ts'
import { createLog } from '../../example-app/log.ts'

const store = memoryStore()
const log = createLog('silent')
const secret = 's'.repeat(48)
const publicKey = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0'
}
const jwks = { keys: [publicKey] }
const machine = { grant_types: ['client_credentials'], response_types: [] }

/** One of each that the file can have, files aside. */
const whole = {
  issuer: 'http://localhost:4010',
  listen: { host: 'localhost', port: 4010 },
  trust_proxy: ['loopback'],
  client_certificate_header: { name: 'client-cert', format: 'rfc9440', trusted_proxies: ['127.0.0.1'] },
  mcp: { path: '/mcp', required_scopes: ['notes:read'], optional_scopes: ['notes:write'] },
  clients: [
    {
      client_id: 'web',
      client_secret: secret,
      client_secret_expires_at: 0,
      redirect_uris: ['https://c.example/cb'],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'openid',
      require_pushed_authorization_requests: false,
      id_token_signed_response_alg: 'RS256',
      post_logout_redirect_uris: ['https://c.example/out'],
      backchannel_logout_uri: 'https://c.example/logout',
      backchannel_logout_session_required: true,
      credentials: [{ type: 'method', id: 'm1', method: 'client_secret_post' }]
    },
    {
      client_id: 'keys',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks,
      dpop_bound_access_tokens: true,
      ...machine
    },
    { client_id: 'fetched', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://k.example/jwks', ...machine },
    {
      client_id: 'certified',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_ip: '10.0.0.1',
      tls_client_certificate_bound_access_tokens: true,
      ...machine
    },
    {
      client_id: 'asks',
      client_secret: secret,
      grant_types: ['urn:openid:params:grant-type:ciba'],
      response_types: [],
      backchannel_token_delivery_mode: 'poll'
    },
    {
      client_id: 'job',
      token_endpoint_auth_method: 'federated_jwt',
      federated_credentials: [{ id: 'f', issuer: 'https://w.example', subject: 'job', audience: 'us' }],
      ...machine
    },
    { client_id: 'pod', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://prod.example/a', ...machine },
    { client_id: 'wallet', token_endpoint_auth_method: 'attest_jwt_client_auth', ...machine }
  ],
  accounts: [{ sub: 'u-alice', username: 'alice', password: 'wonderland', claims: { name: 'Alice' } }],
  scopes: ['openid', 'offline_access', 'api:read'],
  resources: [
    {
      resource: 'https://api.example.com',
      scopes: ['api:read'],
      access_token_format: 'jwt',
      access_token_signing_alg: 'ES256',
      introspection_clients: ['web']
    }
  ],
  trusted_issuers: [
    { issuer: 'https://idp.example', jwks },
    { issuer: 'https://other.example', jwks_uri: 'https://other.example/jwks' }
  ],
  client_documents: { hosts: ['*'], redirect_uris: 'any' },
  secret_hashes: { $2b$: 'package.json' },
  workload_issuers: [
    { issuer: 'https://w.example', jwks, max_lifetime: 600, use: 'many' },
    { issuer: 'https://v.example', jwks_uri: 'https://v.example/jwks' }
  ],
  trust_domains: [
    { trust_domain: 'prod.example', bundle: { keys: [] } },
    { trust_domain: 'dev.example', bundle_endpoint: 'https://dev.example/bundle' }
  ],
  attesters: [{ jwks, clients: ['wallet'] }],
  policy: {
    grant_types: ['authorization_code', 'client_credentials', 'refresh_token', 'urn:openid:params:grant-type:ciba'],
    require_pkce: 'public',
    json_body: false,
    assertion_audience: 'issuer',
    registration: 'token',
    initial_access_token: 't'.repeat(40),
    registration_grant_types: ['authorization_code'],
    registration_schemes: ['cursor'],
    refresh_token_rotation: 'unbound',
    refresh_retry_window: 10,
    access_token_ttl: 3600,
    authorization_code_ttl: 60,
    refresh_token_ttl: 1_209_600,
    device_code_ttl: 600,
    ciba_request_ttl: 120,
    failure_budget: { attempts: 20, window: 60 },
    default_resource: 'inferred',
    refresh_token_expiration: false,
    dpop_nonce: 'off',
    dpop_content_digest: 'off',
    workload_grant: false,
    attestation_challenge: 'offered',
    profile: 'oauth2'
  },
  tenants: [{ path: '/acme/banking', policy: { json_body: true } }]
}

type Way = readonly (string | number)[]

/** Whose members others say: claims are anything, and what a key set has beside its keys is ignored. */
const ofOthers = /(?:jwks|bundle|claims)(?:\.|$)/
/** Client metadata may have members nobody knows; what is a list or a rule in it has its own. */
const metadata = /^clients\[\d+\](?:\.credentials\[\d+\])?$/

function* ways(value: unknown, way: Way = []): Generator<Way> {
  yield way
  if (typeof value !== 'object' || value === null || ofOthers.test(pathOf(way))) return
  for (const [name, member] of Object.entries(value)) yield* ways(member, [...way, Array.isArray(value) ? Number(name) : name])
}

const pathOf = (way: Way) =>
  way.map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${step}`)).join('')

/** The configuration with another value there. */
function changed(way: Way, change: (value: unknown) => unknown): unknown {
  // as the file would be read: nothing in it is another part of it, too
  const root = JSON.parse(JSON.stringify({ whole })) as Record<string | number, unknown>
  let holder = root
  const steps = ['whole', ...way]
  for (const step of steps.slice(0, -1)) holder = holder[step] as Record<string | number, unknown>
  const last = steps.at(-1) ?? ''
  holder[last] = change(holder[last])
  return root['whole']
}

async function linesFor(settings: unknown): Promise<readonly string[]> {
  const { errors } = await everyMistake(settings, input =>
    createApp({ config: checkConfig(input, '.'), store, log, load: importNothing })
  )
  return errors.map(({ message }) => message)
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null
const every = [...ways(whole)].filter(way => way.length > 0).map(way => [pathOf(way), way] as const)

describe('a configuration with one of everything', () => {
  it('starts', async () => {
    expect(await linesFor(whole)).toEqual([])
  })

  it.each(every)('says in one line that %s is wrong', async (path, way) => {
    const lines = await linesFor(changed(way, value => (isObject(value) ? 7 : { x: 1 })))
    expect(lines).toEqual([expect.stringMatching(/^\S+ (?:must|or) [^\n]+$/)])
    expect(lines[0]?.startsWith(path)).toBe(true)
    expect(lines[0]).not.toContain(secret)
  })

  const objects = every.filter(([path, way]) => {
    const value = way.reduce<unknown>((at, step) => (at as Record<string | number, unknown>)[step], whole)
    return isObject(value) && !Array.isArray(value) && !ofOthers.test(path) && !metadata.test(path)
  })

  it.each(objects)('says in one line that %s has a member nobody knows', async (path, way) => {
    const lines = await linesFor(changed(way, value => ({ ...(value as object), anything: 1 })))
    expect(lines).toEqual([expect.stringMatching(/^\S+ \S+/)])
    expect(lines[0]?.startsWith(`${path}.anything `)).toBe(true)
  })
})
