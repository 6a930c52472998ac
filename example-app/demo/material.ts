/** Secrets, keys and certificates of the demo: made once per checkout, never shipped. */
import { generateKeyPairSync, randomBytes, X509Certificate, type JsonWebKey } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { playedSecrets } from '../playground/clients.ts'
import { makeCertificates, type Certificates } from './certificates.ts'

export interface DemoMaterial extends Certificates {
  /** Issuer that assertions are made out to. */
  readonly issuer: string
  /** Secrets by client_id. */
  readonly secrets: Readonly<Record<string, string>>
  /** The private key of the private_key_jwt client. */
  readonly jwk: JsonWebKey
}

/** Clients of the demo that have a secret. */
export const secretClients = ['demo-basic', 'demo-post', 'demo-secret-jwt', 'demo-ciba', 'acme-banking-app', ...playedSecrets]

/** Renewed while still good for this long, in milliseconds: a demo may run for weeks. */
const leastValidity = 30 * 86_400_000

/**
 * Reads the material kept in `folder`, or makes it: `material.json`, the CA and the server's certificate, and a
 * certificate with its key for each client that has one. Readable by their owner only.
 */
export async function demoMaterial(folder: string, issuer: string): Promise<DemoMaterial> {
  const kept = await readKept(folder)
  if (kept?.issuer === issuer) return kept
  const made = makeMaterial(issuer)
  await mkdir(dirname(folder), { recursive: true })
  const fresh = await mkdtemp(`${folder}-`)
  await Promise.all(Object.entries(filesOf(made)).map(([name, text]) => writeFile(join(fresh, name), text, { mode: 0o600 })))
  await rm(folder, { recursive: true, force: true })
  await rename(fresh, folder)
  return made
}

async function readKept(folder: string): Promise<DemoMaterial | undefined> {
  try {
    const kept = JSON.parse(await readFile(join(folder, 'material.json'), 'utf8')) as DemoMaterial
    const expiry = Date.parse(new X509Certificate(kept.server.cert).validTo)
    const complete =
      typeof kept.caKey === 'string' && secretClients.every(client_id => typeof kept.secrets[client_id] === 'string')
    return complete && 'attester' in kept && expiry - Date.now() > leastValidity ? kept : undefined
  } catch {
    // absent, cut short or of another version: made anew
    return undefined
  }
}

function makeMaterial(issuer: string): DemoMaterial {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    issuer,
    secrets: Object.fromEntries(secretClients.map(client_id => [client_id, randomBytes(32).toString('base64url')])),
    jwk: { ...privateKey.export({ format: 'jwk' }), kid: 'demo-1', alg: 'ES256', use: 'sig' },
    ...makeCertificates()
  }
}

function filesOf(material: DemoMaterial): Record<string, string> {
  const { ca, server, client, selfSigned, attester } = material
  return {
    'material.json': `${JSON.stringify(material, null, 2)}\n`,
    'ca.crt': ca,
    'attester-ca.crt': attester.ca,
    'server.crt': server.cert,
    'server.key': server.key,
    'demo-tls.crt': client.cert,
    'demo-tls.key': client.key,
    'demo-self-signed-tls.crt': selfSigned.cert,
    'demo-self-signed-tls.key': selfSigned.key
  }
}
