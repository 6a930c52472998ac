/** A token endpoint, and for each check a request that fails at it. */
import express, { type Express } from 'express'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import request, { type Response } from 'supertest'
import {
  generateKeys,
  memoryStore,
  tokenRouter,
  type CheckName,
  type ClientMetadata,
  type Decision,
  type PresentedCertificate,
  type TokenRouterOptions
} from '../../../lib/index.ts'
import { makeAuthority, makeCertificate } from '../certificates/certificates.ts'
import { keyUsage } from '../certificates/extensions.ts'
import { documentServer } from '../servers/document-server.ts'
import { attested, combined, makeInstance, makeSigner, type Headers, type Parts } from '../clients/attestation.ts'

export const issuer = 'https://as.example.com'
/** Seconds since the epoch: 2026-11-25T10:00:00Z. */
export const now = 1_795_600_800
const at = (seconds: number): Date => new Date((now + seconds) * 1000)

const validity = { notBefore: at(-3600), notAfter: at(3600) }
const billing = makeCertificate({ subject: [['O', 'Example'], ['CN', 'billing']], ...validity }) // prettier-ignore
const expired = makeCertificate({ subject: 'billing', notBefore: at(-7200), notAfter: at(-3600) })
const other = makeCertificate({ subject: 'other', ...validity })

const spire = makeAuthority({ subject: 'SPIRE', ...validity })
const svids = { issuer: spire, ...validity, sans: { uri: ['spiffe://prod.example/billing'] } }
const authoritys = makeCertificate({ ...svids, subject: 'svid', ca: true, extensions: [keyUsage('digitalSignature')] })
const platform = { issuer: 'https://platform.example', sub: 'repo:acme/app:ref:refs/heads/main', repository_id: '456789' }
const { publicKey, privateKey } = await generateKeyPair('ES256')
const platformKey = { ...(await exportJWK(publicKey)), kid: 'p' }
const workloads: TokenRouterOptions['workloads'] = {
  issuers: [{ issuer: platform.issuer, jwks: { keys: [platformKey] } }],
  trustDomains: [
    {
      trustDomain: 'prod.example',
      bundle: {
        keys: [
          { ...platformKey, use: 'jwt-svid' },
          { kty: 'EC', use: 'x509-svid', x5c: [spire.der.toString('base64')] }
        ]
      }
    }
  ]
}

/** A token of the platform, or an SVID: what has a `spiffe` subject. */
async function tokenOf(claims: object): Promise<string> {
  const { issuer: iss, ...rest } = platform
  const right = { iss, aud: issuer, iat: now, exp: now + 60, ...rest, ...claims }
  return new SignJWT(right).setProtectedHeader({ alg: 'ES256', kid: 'p' }).sign(privateKey)
}
const attester = await makeSigner()
const wallet = await makeInstance()
const stranger = await makeInstance()

const registered = { grant_types: ['client_credentials'], response_types: [] }

const secretClients: readonly ClientMetadata[] = [
  { client_id: 'reports', client_secret: 'aZ3kT9wQm4vR7yN2pL6sX8cF', ...registered },
  { client_id: 'old', client_secret: 'aZ3kT9wQm4vR7yN2pL6sX8cF', client_secret_expires_at: now - 60, ...registered },
  { client_id: 'sums', client_secret: 'aZ3kT9wQ+m4vR7yN2pL6sX8c', ...registered },
  {
    client_id: 'gateway',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=billing,O=Example',
    ...registered
  },
  {
    client_id: 'device',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ ...billing.jwk, x5c: [billing.der.toString('base64')] }] },
    ...registered
  },
  {
    client_id: 'deployer',
    token_endpoint_auth_method: 'federated_jwt',
    federated_credentials: [
      { issuer: platform.issuer, subject: 'repo:acme/app:*', claims: { repository_id: platform.repository_id } }
    ],
    ...registered
  },
  { client_id: 'mesh', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://prod.example/billing', ...registered },
  { client_id: 'dev', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://dev.example/billing', ...registered },
  { client_id: 'mtls', token_endpoint_auth_method: 'spiffe_x509', spiffe_id: 'spiffe://prod.example/billing', ...registered },
  { client_id: 'wallet', token_endpoint_auth_method: 'attest_jwt_client_auth', ...registered },
  { client_id: 'combined', token_endpoint_auth_method: 'attest_jwt_client_auth_dpop', ...registered }
]

export interface Endpoint {
  readonly app: Express
  readonly decisions: Decision[]
  /** Sends form parameters, and headers. */
  readonly post: (form: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>) => Promise<Response>
  /** Sends a client assertion of `billing`, with these claims and header members in place of the right ones. */
  readonly assert: (claims?: object, header?: object, key?: CryptoKey) => Promise<Response>
  /** Sends an attestation and a proof of `wallet`, with these parts in place of the right ones. */
  readonly attest: (attestation?: Parts, proof?: Parts) => Promise<Response>
  /** What the connection's certificate is from now on. */
  readonly present: (certificate: PresentedCertificate | undefined) => void
}

export async function endpoint(options: Partial<TokenRouterOptions> = {}): Promise<Endpoint> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: '2026-11' }
  const decisions: Decision[] = []
  let presented: PresentedCertificate | undefined
  let sent = 0
  const app = express()
  const router = tokenRouter({
    issuer,
    clients: [
      ...secretClients,
      {
        client_id: 'billing',
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [jwk] },
        ...registered
      }
    ],
    store: memoryStore({ clock: () => now * 1000 }),
    keys: await keys,
    clock: () => now * 1000,
    certificateSource: () => presented,
    attestation: { attesters: [{ jwks: { keys: [attester.jwk] } }] },
    clientDocuments: { hosts: ['documents.example', '127.0.0.1'] },
    guessProtection: { attempts: 2 },
    workloads,
    basicEncoding: 'enforce',
    onDecision: decision => void decisions.push(decision),
    onError: () => undefined,
    ...options
  })
  app.use('/oauth2', router)
  const post: Endpoint['post'] = (form, headers = {}) =>
    request(app)
      .post('/oauth2/token')
      .type('form')
      .set(headers)
      .send({ grant_type: 'client_credentials', ...form })
  return {
    app,
    decisions,
    post,
    assert: async (claims = {}, header = {}, key = privateKey) => {
      const right = { iss: 'billing', sub: 'billing', aud: issuer, jti: `jti-${(sent += 1)}`, iat: now, exp: now + 60 }
      const signed = new SignJWT({ ...right, ...claims }).setProtectedHeader({ alg: 'ES256', kid: '2026-11', ...header })
      const client_assertion = await signed.sign(key)
      return post({ client_assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' })
    },
    attest: async (attestation = {}, proof = {}) =>
      post({}, await attested(attester, wallet, { aud: issuer, now, attestation, proof })),
    present: certificate => void (presented = certificate)
  }
}

const keys = generateKeys(['ES256'])

const basic = (credentials: string) => ({ Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` })
const right = basic('reports:aZ3kT9wQm4vR7yN2pL6sX8cF')
const wrong = basic('reports:guess')

function presenting(client_id: string, certificate: PresentedCertificate | undefined) {
  return ({ present, post }: Endpoint): Promise<Response> => {
    present(certificate)
    return post({ client_id })
  }
}

const bearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

function assertingAs(client_id: string, claims: object, type = bearer) {
  return async ({ post }: Endpoint): Promise<Response> =>
    post({ client_id, client_assertion: await tokenOf(claims), client_assertion_type: type })
}

const documents = await documentServer()

/** Options that an endpoint needs for a check, beside those that all have. */
export const needed: Readonly<Partial<Record<CheckName, Partial<TokenRouterOptions>>>> = {
  // only a document that was had counts, and none on this machine is but where the issuer is on it too
  client_document_limit: {
    issuer: 'http://localhost:3000',
    clientDocuments: { hosts: ['localhost'], ca: documents.ca, limits: { newPerHost: 1 } }
  }
}

const asSvid = (client_id: string, sub: string) =>
  assertingAs(client_id, { sub, iss: undefined }, 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe')

/** In combined mode, with the nonce of an answer before. */
async function combine({ post }: Endpoint, by = wallet): Promise<Response> {
  const request = { htu: `${issuer}/oauth2/token`, now }
  const instance = { ...wallet, client_id: 'combined' }
  const send = async (nonce?: string): Promise<Headers> => combined(attester, instance, { ...request, nonce, by })
  const { headers } = await post({}, await send())
  return post({}, await send(String(headers['dpop-nonce'])))
}

/** Each sends what fails at the check, and gives the last answer. */
export const refusals: Readonly<Record<CheckName, (to: Endpoint) => Promise<Response>>> = {
  client_document_url: ({ post }) => post({ client_id: 'https://documents.example/' }),
  client_document_limit: async ({ post }) => {
    await post({ client_id: documents.put('client') })
    return post({ client_id: documents.put('another') })
  },
  client_document: ({ post }) => post({ client_id: 'https://127.0.0.1/client.json' }),
  request: ({ post }) => post({}, { Authorization: 'Basic reports:aZ3kT9wQm4vR7yN2pL6sX8cF' }),
  one_mechanism: ({ post }) => post({ client_id: 'reports', client_secret: 'aZ3kT9wQm4vR7yN2pL6sX8cF' }, right),
  one_client_id: ({ post }) => post({ client_id: 'old' }, right),
  supported_method: ({ post }) => post({}),
  failure_budget: async ({ post }) => {
    for (let attempt = 0; attempt < 2; attempt++) await post({}, wrong)
    return post({}, right)
  },
  client: ({ post }) => post({}, basic('reprots:aZ3kT9wQm4vR7yN2pL6sX8cF')),
  registered_method: ({ post }) => post({ client_id: 'reports', client_secret: 'aZ3kT9wQm4vR7yN2pL6sX8cF' }),
  encoding: ({ post }) => post({}, basic('sums:aZ3kT9wQ+m4vR7yN2pL6sX8c')),
  secret: ({ post }) => post({}, wrong),
  secret_expiry: ({ post }) => post({}, basic('old:aZ3kT9wQm4vR7yN2pL6sX8cF')),
  assertion_format: ({ post }) =>
    post({
      client_assertion: 'eyJhbGciOiJFUzI1NiJ9.e30',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    }),
  header: ({ assert }) => assert({}, { crit: ['b64'], b64: true }),
  algorithm: async ({ assert }) => assert({}, { alg: 'ES384' }, (await generateKeyPair('ES384')).privateKey),
  key: ({ assert }) => assert({}, { kid: '2026-12' }),
  signature: async ({ assert }) => assert({}, {}, (await generateKeyPair('ES256')).privateKey),
  type: ({ assert }) => assert({}, { typ: 'at+jwt' }),
  issuer_and_subject: ({ assert }) => assert({ iss: 'https://billing.example.com' }),
  audience: ({ assert }) => assert({ aud: `${issuer}/oauth2/token` }),
  expiry: ({ assert }) => assert({ iat: now - 300, exp: now - 240 }),
  not_before: ({ assert }) => assert({ nbf: now + 120 }),
  issued_at: ({ assert }) => assert({ iat: now + 120, exp: now + 180 }),
  lifetime: ({ assert }) => assert({ exp: now + 86_400 }),
  jti: ({ assert }) => assert({ jti: undefined }),
  replay: async ({ assert }) => {
    await assert({ jti: 'the same' })
    return assert({ jti: 'the same' })
  },
  assertion_type: assertingAs('mesh', { sub: 'spiffe://prod.example/billing', iss: undefined }),
  federated_issuer: assertingAs('deployer', { iss: `${platform.issuer}/` }),
  federated_subject: assertingAs('deployer', { sub: 'repo:acme/app-evil:ref:refs/heads/main' }),
  federated_claims: assertingAs('deployer', { repository_id: '99' }),
  spiffe_id: asSvid('mesh', 'spiffe://prod.example/billing2'),
  trust_domain: asSvid('dev', 'spiffe://dev.example/billing'),
  attestation_header: ({ post }) => post({}, { 'OAuth-Client-Attestation': 'eyJhbGciOiJFUzI1NiJ9.e30' }),
  attestation_type: ({ attest }) => attest({ header: { typ: 'JWT' } }),
  attester: ({ attest }) => attest({ header: { kid: 'attester-2' } }),
  attestation_signature: ({ attest }) => attest({ key: stranger.privateKey }),
  attestation_subject: async ({ post }) =>
    post({ client_id: 'combined' }, await attested(attester, wallet, { aud: issuer, now })),
  attestation_confirmation: ({ attest }) => attest({ claims: { cnf: { jwk: { ...wallet.jwk, d: 'secret' } } } }),
  attestation_freshness: ({ attest }) => attest({ claims: { iat: now - 7200, exp: now - 3600 } }),
  pop_header: ({ attest }) => attest({}, { header: { typ: 'JWT' } }),
  pop_signature: ({ attest }) => attest({}, { key: stranger.privateKey }),
  pop_audience: ({ attest }) => attest({}, { claims: { aud: `${issuer}/oauth2/token` } }),
  pop_freshness: ({ attest }) => attest({}, { claims: { iat: now - 600 } }),
  attestation_challenge: ({ attest }) => attest({}, { claims: { challenge: 'AYjcyMzY3ZDhiNmJkNTZ' } }),
  dpop_proof: to => combine(to, stranger),
  certificate: presenting('gateway', undefined),
  certificate_chain: presenting('gateway', { der: billing.der, verified: false, reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }),
  certificate_validity: presenting('gateway', { der: expired.der, verified: true }),
  certificate_subject: presenting('gateway', { der: other.der, verified: true }),
  certificate_key: presenting('device', { der: other.der, verified: true }),
  certificate_usage: presenting('mtls', { der: authoritys.der, verified: true })
}
