/**
 * Parties the server trusts: the demo's other issuer, to say who a person is; its attester, to vouch for instances of
 * clients; its platform and its trust domain, to vouch for workloads.
 */
import { createPrivateKey, randomUUID, sign, X509Certificate, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { DemoMaterial } from '../demo/material.ts'
import { ownSpiffeIds, ownSubjects } from '../demo/workloads.ts'
import { HttpError } from '../http-error.ts'

/** Its name. */
export function otherIssuer(issuer: string): string {
  return `${issuer}/playground`
}

/** An assertion about one of the demo's people (RFC 7523 §3), good for a minute. What is no name is nobody's. */
export function issuerAssertion(
  body: unknown,
  { issuer, material }: { readonly issuer: string; readonly material: DemoMaterial }
): string {
  const { sub } = (body ?? {}) as { readonly sub?: unknown }
  const { jwk } = material
  const iat = Math.floor(Date.now() / 1000)
  const name = typeof sub === 'string' ? sub.slice(0, 64) : sub
  const claims = { iss: otherIssuer(issuer), sub: name, aud: issuer, jti: randomUUID(), iat, exp: iat + 60 }
  return signed({ typ: 'JWT', alg: 'ES256', kid: jwk['kid'] }, claims, keyOf(jwk))
}

interface Voucher {
  readonly key: (material: DemoMaterial) => KeyObject
  /** The beginning of the subjects that are the demo's own clients. */
  readonly own: string
}

/** Those who vouch for a client, by the name the page has for them. */
const vouchers: Readonly<Record<string, Voucher>> = {
  attester: { key: ({ attester }) => createPrivateKey(attester.key), own: 'demo-' },
  platform: { key: ({ platform }) => keyOf(platform.jwk), own: ownSubjects },
  domain: { key: ({ spiffe }) => keyOf(spiffe.jwk), own: ownSpiffeIds }
}

/**
 * Signs whatever the page wants one of those who vouch for clients to say, but nothing about the demo's own clients.
 *
 * @throws {@link HttpError} for nobody's word, and for one about those.
 */
export function voucher(body: unknown, material: DemoMaterial): string {
  const { signer, header, claims } = (body ?? {}) as {
    readonly signer?: unknown
    readonly header?: object
    readonly claims?: { readonly sub?: unknown }
  }
  const found = typeof signer === 'string' && Object.hasOwn(vouchers, signer) ? vouchers[signer] : undefined
  if (found === undefined) throw new HttpError(400, 'Nobody of this name vouches for clients here.')
  // a list of one name is that name to whoever makes a text of it
  const named = [claims?.sub].flat(9)
  if (named.some(one => typeof one === 'string' && one.startsWith(found.own)))
    throw new HttpError(400, 'Here they vouch for the playground’s own clients alone.')
  return signed(header ?? {}, claims ?? {}, found.key(material))
}

function keyOf(jwk: JsonWebKey): KeyObject {
  return createPrivateKey({ key: jwk, format: 'jwk' })
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
