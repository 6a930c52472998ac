/** Requests, as the bytes that go over the wire. What can be made before the measured time is made before it. */
import { createHmac, createPrivateKey, randomUUID, sign } from 'node:crypto'
import {
  clientIdOf,
  clientSecret,
  codeChallenge,
  codeVerifier,
  isAsserted,
  issuer,
  paths,
  redirectUri,
  resource,
  scope
} from './cases.mjs'
import { workloadProof } from './workload-cases.mjs'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Seconds an assertion may wait for its turn. */
const assertionLifetime = 240

/**
 * Where a window's requests come from: `next(connection, answer)` is the request to send on a connection that got `answer`
 * last, and undefined when there are no more.
 *
 * @param {string[]} prepared what the target made for this window; see `needsPreparation`
 */
export function sourceOf(bench, { prepared, assertions }) {
  if (isAsserted(bench)) return inTurn(assertions)
  switch (bench.grant) {
    case 'refresh_token':
      return { next: (connection, answer) => refreshRequest(bench, answer?.refresh_token ?? prepared[connection]) }
    case 'authorization_code':
      return inTurn(prepared.map(code => codeRequest(bench, code)))
    case 'introspection':
      return inCircles(prepared.map(token => introspectionRequest(bench, token)))
    default:
      return inCircles([credentialsRequest(bench)])
  }
}

function inTurn(requests) {
  let used = 0
  return { next: () => requests[used++] }
}

function inCircles(requests) {
  let used = 0
  return { next: () => requests[used++ % requests.length] }
}

export function refreshRequest(bench, refresh_token) {
  return authenticated(bench, { grant_type: 'refresh_token', refresh_token })
}

/** The request of a browser whose person is signed in: it is sent back with a code. */
export function authorizationRequest(bench, asked = scope) {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientIdOf(bench),
    redirect_uri: redirectUri,
    scope: asked,
    code_challenge: codeChallenge,
    code_challenge_method: 'S256'
  })
  return `GET ${paths.token.replace('token', 'authorize')}?${query} HTTP/1.1\r\nHost: as.example.com\r\n\r\n`
}

export function codeRequest(bench, code, code_verifier = codeVerifier) {
  return authenticated(bench, { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier })
}

export function introspectionRequest(bench, token) {
  return authenticated(bench, { token }, paths.introspection)
}

export function revocationRequest(bench, token) {
  return authenticated(bench, { token }, paths.revocation)
}

export function credentialsRequest(bench, secret) {
  return authenticated(bench, credentialsForm(bench), paths.token, secret)
}

function credentialsForm(bench) {
  return { grant_type: 'client_credentials', scope, ...(bench.token === 'jwt' && { resource }) }
}

/** Makes requests of the case that each carry an assertion of their own. */
export function assertedRequests(bench, clientKey, count) {
  if (workloadProof(bench, clientKey, assertionLifetime) !== undefined)
    return Array.from({ length: count }, () => {
      const { form, headers } = workloadProof(bench, clientKey, assertionLifetime)
      return serialize(paths.token, { ...credentialsForm(bench), ...form }, headers)
    })
  const key = bench.method === 'private_key_jwt' ? createPrivateKey({ key: clientKey, format: 'jwk' }) : clientKey
  return Array.from({ length: count }, () =>
    serialize(paths.token, {
      ...credentialsForm(bench),
      client_assertion_type: assertionType,
      client_assertion: assertion(bench, key)
    })
  )
}

/** The request, with the secret of the case's client or another one. */
function authenticated(bench, form, path = paths.token, secret = clientSecret) {
  const client_id = clientIdOf(bench)
  if (bench.method === 'client_secret_post') return serialize(path, { ...form, client_id, client_secret: secret })
  return serialize(path, form, `Authorization: Basic ${Buffer.from(`${client_id}:${secret}`).toString('base64')}\r\n`)
}

function assertion(bench, key) {
  const { alg } = bench
  const client_id = clientIdOf(bench)
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat: now, exp: now + assertionLifetime }
  const input = `${encode({ alg, ...(alg !== 'HS256' && { kid: 'client' }) })}.${encode(claims)}`
  return `${input}.${signature(alg, key, input).toString('base64url')}`
}

function signature(alg, key, input) {
  if (alg === 'HS256') return createHmac('sha256', key).update(input).digest()
  return sign('sha256', Buffer.from(input), alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key)
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** ASCII alone, so that characters are bytes. */
function serialize(path, form, headers = '') {
  const body = new URLSearchParams(form).toString()
  return (
    `POST ${path} HTTP/1.1\r\nHost: as.example.com\r\nAccept: application/json\r\n` +
    `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`
  )
}
