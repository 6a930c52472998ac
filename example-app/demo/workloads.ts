/**
 * The demo's workloads, and those who vouch for them: a platform that signs tokens as a Kubernetes cluster does, and a
 * SPIFFE trust domain. What they publish is served beside the demo (documents.ts).
 */
import { createPrivateKey, generateKeyPairSync, X509Certificate, type JsonWebKey } from 'node:crypto'
import type { DemoMaterial } from './material.ts'

/** The trust domain's name. */
export const trustDomain = 'demo.example'

/** The SPIFFE IDs of the demo's own clients: nobody else's begin as they do. */
export const ownSpiffeIds = `spiffe://${trustDomain}/demo/`
export const spiffeIds = { jwt: `${ownSpiffeIds}jwt`, x509: `${ownSpiffeIds}x509` }

/** The namespace of the demo's own pod. */
const namespace = 'demo'

/** The beginning of the subjects in a namespace of the platform. */
function subjectsIn(name: string): string {
  return `system:serviceaccount:${name}:`
}

/** The subjects of the demo's own clients. */
export const ownSubjects = subjectsIn(namespace)

/** The claims of a platform's token that say which workload it is. */
interface PodClaims {
  readonly sub: string
  readonly 'kubernetes.io': { readonly namespace: string; readonly serviceaccount: { readonly name: string } }
}

/** The keys of those who vouch for workloads, and what they say of the demo's own. */
export interface WorkloadMaterial {
  readonly platform: {
    readonly issuer: string
    /** The private key of its tokens. */
    readonly jwk: JsonWebKey
    readonly pod: PodClaims
  }
  readonly spiffe: {
    /** The private key of JWT-SVIDs. */
    readonly jwk: JsonWebKey
    /** The SPIFFE ID of the demo's client of spiffe_jwt. */
    readonly id: string
  }
}

/** Says who a pod is, as Kubernetes does. */
export function podOf(name: string, serviceAccount: string): PodClaims {
  const claims = { namespace: name, serviceaccount: { name: serviceAccount } }
  return { sub: subjectsIn(name) + serviceAccount, 'kubernetes.io': claims }
}

/** Makes the keys of a platform and a trust domain beside `issuer`. */
export function makeWorkloads(issuer: string): WorkloadMaterial {
  return {
    platform: { issuer: `${issuer}/demo/platform`, jwk: makeSigningKey('platform-1'), pod: podOf(namespace, 'deployer') },
    spiffe: { jwk: makeSigningKey('svid-1'), id: spiffeIds.jwt }
  }
}

/** A private key of ES256, read anew from what made it: exporting that itself can wait for ever on Node 20. */
export function makeSigningKey(kid: string): JsonWebKey {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  })
  return { ...createPrivateKey(privateKey).export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
}

/** A key as others may see it. */
export function publicPart(jwk: JsonWebKey): JsonWebKey {
  const { d, ...rest } = jwk
  return d === undefined ? jwk : rest
}

/** The key of a certificate, with the certificate in it: how clients of self-signed ones register (RFC 8705 §2.2.2). */
export function certificateKey(pem: string): JsonWebKey {
  const { publicKey, raw } = new X509Certificate(pem)
  return { ...publicKey.export({ format: 'jwk' }), x5c: [raw.toString('base64')] }
}

/** The settings by which the server trusts them. Keys are found as those of any platform: at their addresses. */
export function workloadSettings({ issuer, platform }: DemoMaterial) {
  return {
    workload_issuers: [{ issuer: platform.issuer }],
    trust_domains: [{ trust_domain: trustDomain, bundle_endpoint: `${issuer}/demo/spiffe/bundle` }],
    policy: { workload_grant: true }
  }
}

/** The credential of a pod. */
export function podCredential({ platform }: DemoMaterial, { sub, 'kubernetes.io': pod }: PodClaims) {
  const claims = { 'kubernetes.io': { namespace: pod.namespace } }
  return { id: 'pod', label: `pods of ${pod.serviceaccount.name}`, issuer: platform.issuer, subject: sub, claims }
}

/** A client of each method that needs no secret, nor a key of the client's own. */
export function workloadClients(material: DemoMaterial) {
  const { platform, spiffe } = material
  return [
    {
      client_id: 'demo-federated',
      token_endpoint_auth_method: 'federated_jwt',
      grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      federated_credentials: [podCredential(material, platform.pod)]
    },
    { client_id: 'demo-spiffe-jwt', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: spiffe.id },
    { client_id: 'demo-spiffe-x509', token_endpoint_auth_method: 'spiffe_x509', spiffe_id: spiffeIds.x509 }
  ]
}

/** The bundle of the trust domain (SPIFFE Trust Domain and Bundle §4): its authority, and the key of its JWT-SVIDs. */
export function bundleOf({ spiffe, svid }: DemoMaterial): object {
  const x509 = { ...certificateKey(svid.ca), use: 'x509-svid' }
  return { keys: [x509, { ...publicPart(spiffe.jwk), use: 'jwt-svid' }], spiffe_sequence: 1, spiffe_refresh_hint: 300 }
}
