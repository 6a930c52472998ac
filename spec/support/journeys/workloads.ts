/** Clients that are workloads: what the server knows of them, and how openid-client authenticates as each. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { federatedJwt, spiffeJwt } from 'clientele/client-auth'
import { kubernetes, spiffe } from 'clientele/workloads'
import type { ClientMetadata } from 'clientele'
import * as client from 'openid-client'
import { makeAuthority, type MadeCertificate } from '../certificates/certificates.ts'
import { keyUsage } from '../certificates/extensions.ts'
import { makeIssuer, signAs, type JwtParts } from '../servers/trusted-issuer.ts'
import { makeTrustDomain } from '../workloads/trust-domain.ts'

const grant_types = ['client_credentials']
const cluster = 'https://oidc.cluster.example'

export async function makeWorkloads() {
  const folder = mkdtempSync(join(tmpdir(), 'workloads-'))
  const platform = await makeIssuer(cluster)
  const domain = await makeTrustDomain()
  const signs = keyUsage('keyCertSign', 'cRLSign')
  const intermediate = makeAuthority({ subject: 'intermediate', issuer: domain.authority, extensions: [signs] })
  const x509 = domain.x509Svid('/x509/7', { issuer: intermediate })
  const clients: readonly { readonly metadata: ClientMetadata }[] = [
    {
      client_id: 'in-a-pod',
      token_endpoint_auth_method: 'federated_jwt',
      federated_credentials: [kubernetes({ issuer: cluster, namespace: 'ci', serviceAccount: 'deployer' })]
    },
    { client_id: 'with-jwt-svid', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://prod.example/jwt' },
    { client_id: 'with-x509-svid', token_endpoint_auth_method: 'spiffe_x509', spiffe_id: 'spiffe://prod.example/x509/*' }
  ].map(metadata => ({ metadata: { grant_types, ...metadata } }))
  return {
    clients,
    workloads: {
      issuers: [kubernetes.issuer(cluster, { jwks: { keys: [platform.jwk] } })],
      trustDomains: [spiffe.trustDomain(domain.name, { bundle: domain.bundle })]
    },
    domain,
    intermediate,
    /** The SVID, and the intermediate it came with. */
    x509: { ...x509, pem: x509.pem + intermediate.pem } satisfies MadeCertificate,
    leaf: x509,
    /** The platform's token for `aud`, changed as given. */
    token: (aud: string, parts: JwtParts = {}) => {
      const account = { namespace: 'ci', serviceaccount: { name: 'deployer', uid: '7' } }
      const claims = { sub: 'system:serviceaccount:ci:deployer', 'kubernetes.io': account, ...parts.claims }
      return signAs(platform, aud, Date.now() / 1000, { ...parts, claims })
    },
    /** Puts a token where the client looks for it, as the kubelet does: in one step. */
    put(name: string, token: string): string {
      const file = join(folder, name)
      writeFileSync(`${file}.next`, token)
      renameSync(`${file}.next`, file)
      return file
    },
    end: () => rmSync(folder, { recursive: true })
  }
}

type MadeWorkloads = Awaited<ReturnType<typeof makeWorkloads>>

/** One client of each method, with openid-client's own way to authenticate. */
export async function workloadParties(made: MadeWorkloads, issuer: string) {
  const token = made.put('token', await made.token(issuer))
  const svid = made.put('svid.jwt', await made.domain.jwtSvid('/jwt', issuer))
  return [
    { method: 'federated_jwt', client_id: 'in-a-pod', auth: federatedJwt({ file: token }), certificate: undefined },
    { method: 'spiffe_jwt', client_id: 'with-jwt-svid', auth: spiffeJwt({ file: svid }), certificate: undefined },
    { method: 'spiffe_x509', client_id: 'with-x509-svid', auth: client.TlsClientAuth(), certificate: made.x509 }
  ] as const
}
