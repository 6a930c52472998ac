/**
 * What is measured. A case names how the client authenticates, what it asks for and what must come back; every target is
 * configured from what is here, so that all of them answer the same question.
 */
import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto'

/** One issuer for every target, whatever its port: an assertion made for one of them is an assertion for all. */
export const issuer = 'https://as.example.com'
export const paths = { token: '/oauth2/token', introspection: '/oauth2/introspect', revocation: '/oauth2/revoke' }
export const scope = 'api:read'
export const resource = 'https://api.example.com'
export const tokenLifetime = 3600
export const redirectUri = 'https://client.example.com/callback'
/** The PKCE verifier of every code (RFC 7636). Targets hash it anew for each. */
export const codeVerifier = 'M25iVXpKU3puUjFaYWg3T1NDTDQtcW1ROUY5YXlwalNoc0hhakxifmZHag'
export const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url')
/** Seconds: codes are made just before the window in which they are redeemed. */
export const codeLifetime = 300

export const clientId = 'bench-client'
export const clientSecret = 'Jq3vXH0n2m1uXhY9kq8cZb7sT5wR4pLd6eGfA0iB'

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} title
 * @property {'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt' | 'private_key_jwt' | 'federated_jwt' | 'spiffe_jwt' | 'attest_jwt_client_auth'} method
 * @property {'ES256' | 'RS256' | 'HS256'} [alg] of the client's assertions
 * @property {'client_credentials' | 'refresh_token' | 'authorization_code' | 'introspection'} grant
 * @property {'opaque' | 'jwt'} token
 * @property {string} [clientId] its client's id, where clients of several cases are at one server; `bench-client` by default
 */

const credentials = { grant: 'client_credentials' }
const basic = { method: 'client_secret_basic' }

/** @type {readonly Case[]} */
export const cases = [
  { name: 'basic-opaque', title: 'Basic → opaque', ...basic, ...credentials, token: 'opaque' },
  { name: 'post-opaque', title: 'post → opaque', method: 'client_secret_post', ...credentials, token: 'opaque' },
  { name: 'basic-jwt', title: 'Basic → JWT ES256', ...basic, ...credentials, token: 'jwt' },
  {
    name: 'es256-opaque',
    title: 'private_key_jwt ES256 → opaque',
    method: 'private_key_jwt',
    alg: 'ES256',
    ...credentials,
    token: 'opaque'
  },
  {
    name: 'es256-jwt',
    title: 'private_key_jwt ES256 → JWT ES256',
    method: 'private_key_jwt',
    alg: 'ES256',
    ...credentials,
    token: 'jwt'
  },
  {
    name: 'rs256-jwt',
    title: 'private_key_jwt RS256 → JWT ES256',
    method: 'private_key_jwt',
    alg: 'RS256',
    ...credentials,
    token: 'jwt'
  },
  {
    name: 'hs256-opaque',
    title: 'client_secret_jwt HS256 → opaque',
    method: 'client_secret_jwt',
    alg: 'HS256',
    ...credentials,
    token: 'opaque'
  },
  { name: 'refresh', title: 'refresh with rotation', ...basic, grant: 'refresh_token', token: 'opaque' },
  { name: 'code', title: 'code + PKCE', ...basic, grant: 'authorization_code', token: 'opaque' },
  { name: 'introspection', title: 'introspection, opaque', ...basic, grant: 'introspection', token: 'opaque' }
]

const grantTypes = {
  client_credentials: ['client_credentials'],
  introspection: ['client_credentials'],
  authorization_code: ['authorization_code'],
  refresh_token: ['authorization_code', 'refresh_token']
}

/** The id of the case's client. */
export function clientIdOf({ clientId: own = clientId }) {
  return own
}

/** Whether a request of the case carries an assertion, which can be used once. */
export function isAsserted({ method }) {
  return method.endsWith('_jwt') || method === 'attest_jwt_client_auth'
}

/** Whether what a request of the case presents has to be made before: a code, a refresh token, a token to ask about. */
export function needsPreparation({ grant }) {
  return grant !== 'client_credentials'
}

/** The case's client as registered metadata (RFC 7591), and what it signs with: a private JWK, or its secret. */
export function clientOf(bench) {
  const { method, alg, grant } = bench
  const withPerson = grantTypes[grant].includes('authorization_code')
  const common = {
    client_id: clientIdOf(bench),
    token_endpoint_auth_method: method,
    grant_types: grantTypes[grant],
    response_types: withPerson ? ['code'] : [],
    redirect_uris: withPerson ? [redirectUri] : [],
    scope: grant === 'refresh_token' ? `${scope} offline_access` : scope,
    ...(alg !== undefined && { token_endpoint_auth_signing_alg: alg })
  }
  if (method !== 'private_key_jwt') return { client: { ...common, client_secret: clientSecret }, clientKey: clientSecret }
  const clientKey = newKey(alg, 'client')
  return { client: { ...common, jwks: { keys: [publicHalf(clientKey)] } }, clientKey }
}

/** A fresh key as a private JWK; its public half is what {@link publicHalf} leaves. */
export function newKey(alg, kid) {
  // read anew from what made it: exporting that itself can wait for ever on Node 20
  const encoding = { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } }
  const { privateKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048, ...encoding })
      : generateKeyPairSync('ec', { namedCurve: 'P-256', ...encoding })
  return { ...createPrivateKey(privateKey).export({ format: 'jwk' }), kid, alg, use: 'sig' }
}

export function publicHalf(jwk) {
  return Object.fromEntries(Object.entries(jwk).filter(([member]) => !['d', 'p', 'q', 'dp', 'dq', 'qi'].includes(member)))
}
