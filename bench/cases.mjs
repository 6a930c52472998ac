/**
 * What is measured. A case names the client, the parameters it sends and what must come back; every target is configured
 * from the constants here, so that all of them answer the same question.
 */
import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'

export const tokenPath = '/oauth2/token'
export const scope = 'api:read'
export const resource = 'https://api.example.com'
export const tokenLifetime = 3600
export const basicClient = { client_id: 'bench-basic', client_secret: 'Jq3vXH0n2m1uXhY9kq8cZb7sT5wR4pLd6eGfA0iB' }
export const assertionClient = { client_id: 'bench-assertion' }

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** @type {readonly { name: string, title: string, method: 'basic' | 'private_key_jwt', token: 'opaque' | 'jwt' }[]} */
export const cases = [
  { name: 'basic-opaque', title: 'client_secret_basic → opaque', method: 'basic', token: 'opaque' },
  { name: 'basic-jwt', title: 'client_secret_basic → JWT ES256', method: 'basic', token: 'jwt' },
  { name: 'assertion-jwt', title: 'private_key_jwt ES256 → JWT ES256', method: 'private_key_jwt', token: 'jwt' }
]

/** A fresh P-256 key as a private JWK; its public half is what {@link publicHalf} leaves. */
export function es256Key(kid) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
}

export function publicHalf(jwk) {
  return { ...jwk, d: undefined }
}

/**
 * Requests ready to be written to a socket, `count` of them. Requests that may be sent any number of times are one object
 * repeated; assertions are signed here, each with a jti of its own, so that no signing falls into the measured time.
 */
export function requestsFor(bench, { issuer, clientKey, count }) {
  const form = { grant_type: 'client_credentials', scope, ...(bench.token === 'jwt' && { resource }) }
  if (bench.method === 'basic') {
    const { client_id, client_secret } = basicClient
    const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
    return Array(count).fill(serialize(issuer, form, [`Authorization: ${authorization}`]))
  }
  const key = createPrivateKey({ key: clientKey, format: 'jwk' })
  return Array.from({ length: count }, () =>
    serialize(issuer, { ...form, client_assertion_type: assertionType, client_assertion: assertion(issuer, key, clientKey.kid) })
  )
}

function assertion(issuer, key, kid) {
  const { client_id } = assertionClient
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 120 }
  const input = `${encode({ alg: 'ES256', kid })}.${encode(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function serialize(issuer, form, headers = []) {
  const body = new URLSearchParams(form).toString()
  const head = [
    `POST ${tokenPath} HTTP/1.1`,
    `Host: ${new URL(issuer).host}`,
    'Accept: application/json',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}
