/** Keys that are made in this page and, but for those of certificates, cannot leave it. */
import { base64url, der, derSignature, pem, sha256, utf8 } from './bytes.js'

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' }
const sign = { name: 'ECDSA', hash: 'SHA-256' }

/** A key pair, with its public half as a JWK and its thumbprint (RFC 7638). */
export async function makeKey({ extractable = false } = {}) {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ecdsa, extractable, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  const thumbprint = await sha256(JSON.stringify({ crv, kty, x, y }))
  return { privateKey, publicKey, jwk: { kty, crv, x, y }, kid: thumbprint.slice(0, 12), thumbprint, alg: 'ES256' }
}

/** A secret, as the key of an HMAC. */
export async function secretKey(secret) {
  const key = await crypto.subtle.importKey('raw', utf8(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return { privateKey: key, alg: 'HS256' }
}

/** Signs a JWT. The header says what it says: an `alg` that was broken on purpose is kept. */
export async function signJwt(header, claims, key) {
  const input = `${base64url(utf8(JSON.stringify(header)))}.${base64url(utf8(JSON.stringify(claims)))}`
  const algorithm = key.alg === 'HS256' ? 'HMAC' : sign
  return `${input}.${base64url(await crypto.subtle.sign(algorithm, key.privateKey, utf8(input)))}`
}

/** A certificate request for a name (RFC 2986), signed by the key it is for. */
export async function certificateRequest(name, key) {
  const subject = der(0x30, der(0x31, der(0x30, der(0x06, [0x55, 0x04, 0x03]), der(0x0c, utf8(name)))))
  const spki = new Uint8Array(await crypto.subtle.exportKey('spki', key.publicKey))
  const info = der(0x30, der(0x02, [0]), subject, spki, der(0xa0))
  const algorithm = der(0x30, der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]))
  const signature = derSignature(await crypto.subtle.sign(sign, key.privateKey, info))
  return pem('CERTIFICATE REQUEST', der(0x30, info, algorithm, der(0x03, [0], signature)))
}

/** The key of a certificate, for the server that plays the TLS client. */
export async function exportedKey(key) {
  return pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', key.privateKey))
}
