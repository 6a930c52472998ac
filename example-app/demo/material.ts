/** Secrets, keys and certificates of the demo: made once per checkout, never shipped. */
import { randomBytes, X509Certificate, type JsonWebKey } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { playedSecrets } from '../playground/clients.ts'
import { makeCertificates, type Certificates } from './certificates.ts'
import { makeSigningKey, makeWorkloads, spiffeIds, trustDomain, type WorkloadMaterial } from './workloads.ts'

/** The material, as it is kept. */
interface KeptMaterial extends Certificates, WorkloadMaterial {
  /** Issuer that assertions are made out to. */
  readonly issuer: string
  /** Secrets by client_id. */
  readonly secrets: Readonly<Record<string, string>>
  /** The private key of the private_key_jwt client. */
  readonly jwk: JsonWebKey
}

export interface DemoMaterial extends KeptMaterial {
  /** The folder it is kept in. */
  readonly folder: string
}

/** Clients of the demo that have a secret. */
const secretClients = ['demo-basic', 'demo-post', 'demo-secret-jwt', 'demo-ciba', 'acme-banking-app', ...playedSecrets]

/** Renewed while still good for this long, in milliseconds: a demo may run for weeks. */
const leastValidity = 30 * 86_400_000

/**
 * Reads the material kept in `folder`, or makes it: `material.json`, the CA and the server's certificate, and a
 * certificate with its key for each client that has one. Readable by their owner only.
 */
export async function demoMaterial(folder: string, issuer: string): Promise<DemoMaterial> {
  const kept = await readKept(folder)
  if (kept?.issuer === issuer) return { ...kept, folder }
  const made = makeMaterial(issuer)
  await mkdir(dirname(folder), { recursive: true })
  const fresh = await mkdtemp(`${folder}-`)
  await Promise.all(Object.entries(filesOf(made)).map(([name, text]) => writeFile(join(fresh, name), text, { mode: 0o600 })))
  await rm(folder, { recursive: true, force: true })
  await rename(fresh, folder)
  return { ...made, folder }
}

async function readKept(folder: string): Promise<KeptMaterial | undefined> {
  try {
    const kept = JSON.parse(await readFile(join(folder, 'material.json'), 'utf8')) as KeptMaterial
    const expiry = Date.parse(new X509Certificate(kept.server.cert).validTo)
    const complete =
      typeof kept.caKey === 'string' && secretClients.every(client_id => typeof kept.secrets[client_id] === 'string')
    return complete && 'attester' in kept && 'svid' in kept && expiry - Date.now() > leastValidity ? kept : undefined
  } catch {
    // absent, cut short or of another version: made anew
    return undefined
  }
}

function makeMaterial(issuer: string): KeptMaterial {
  return {
    issuer,
    secrets: Object.fromEntries(secretClients.map(client_id => [client_id, randomBytes(32).toString('base64url')])),
    jwk: makeSigningKey('demo-1'),
    ...makeWorkloads(issuer),
    ...makeCertificates({ trustDomain, id: spiffeIds.x509 })
  }
}

function filesOf(material: KeptMaterial): Record<string, string> {
  const { ca, server, client, selfSigned, attester, svid } = material
  return {
    'material.json': `${JSON.stringify(material, null, 2)}\n`,
    'ca.crt': ca,
    'attester-ca.crt': attester.ca,
    'server.crt': server.cert,
    'server.key': server.key,
    'demo-tls.crt': client.cert,
    'demo-tls.key': client.key,
    'demo-self-signed-tls.crt': selfSigned.cert,
    'demo-self-signed-tls.key': selfSigned.key,
    'demo-spiffe-x509.crt': svid.cert,
    'demo-spiffe-x509.key': svid.key
  }
}
