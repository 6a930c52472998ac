/**
 * Parties the server trusts: the demo's other issuer, to say who a person is, and its attester, to vouch for instances
 * of clients.
 */
import { createPrivateKey, randomUUID, sign, X509Certificate, type KeyObject } from 'node:crypto'
import type { DemoMaterial } from '../demo/material.ts'
import { HttpError } from '../http-error.ts'

/** Its name. */
export function otherIssuer(issuer: string): string {
  return `${issuer}/playground`
}

/** An assertion about one of the demo's people (RFC 7523 §3), good for a minute. */
export function issuerAssertion(
  body: unknown,
  { issuer, material }: { readonly issuer: string; readonly material: DemoMaterial }
): string {
  const { sub } = (body ?? {}) as { readonly sub?: unknown }
  const { jwk } = material
  const iat = Math.floor(Date.now() / 1000)
  const claims = { iss: otherIssuer(issuer), sub: String(sub).slice(0, 64), aud: issuer, jti: randomUUID(), iat, exp: iat + 60 }
  return signed({ typ: 'JWT', alg: 'ES256', kid: jwk['kid'] }, claims, createPrivateKey({ key: jwk, format: 'jwk' }))
}

/** Signs whatever the page wants the attester to say of an instance, but nothing for a client named `demo-…`. */
export function attestation(body: unknown, { attester }: DemoMaterial): string {
  const { header, claims } = (body ?? {}) as { readonly header?: object; readonly claims?: { readonly sub?: unknown } }
  if (String(claims?.sub).startsWith('demo-')) throw new HttpError(400, 'The attester vouches for the playground’s clients here.')
  return signed(header ?? {}, claims ?? {}, createPrivateKey(attester.key))
}

/** The attester's certificate, as it stands in the header of what it says. */
export function attesterCertificate({ attester }: DemoMaterial): string {
  return new X509Certificate(attester.cert).raw.toString('base64')
}

function signed(header: object, claims: object, key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part(header)}.${part(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
