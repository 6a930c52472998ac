/** The demo's other issuer, which the server trusts to say who a person is. */
import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import type { DemoMaterial } from '../demo/material.ts'

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
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ typ: 'JWT', alg: 'ES256', kid: jwk['kid'] })}.${part(claims)}`
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
