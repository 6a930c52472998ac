/** Key, certificate and client CAs of the HTTPS listeners, read once and checked before anything listens. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from './config-error.ts'
import type { Settings } from './schema.ts'

export interface TlsFiles {
  /** The port of the listener that asks for a client certificate; undefined: the main one does. */
  readonly port: number | undefined
  readonly key: string
  readonly cert: string
  readonly clientCa: readonly string[]
}

/** @throws {@link ConfigError} naming the file that cannot be used. */
export function readTlsFiles(tls: NonNullable<Settings['tls']>, folder: string): TlsFiles {
  const key = readText(resolve(folder, tls.key), 'tls.key')
  const cert = readText(resolve(folder, tls.cert), 'tls.cert')
  if (!parseCertificate(cert, 'tls.cert').checkPrivateKey(readKey(key)))
    throw new ConfigError('tls.key', 'must be the private key of tls.cert')
  const clientCa = tls.client_ca.map((path, index) => {
    const name = `tls.client_ca[${index}]`
    const ca = readText(resolve(folder, path), name)
    parseCertificate(ca, name)
    return ca
  })
  return { port: tls.port, key, cert, clientCa }
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new ConfigError(name, `must be a readable file (${path} is not)`)
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new ConfigError('tls.key', 'must be a private key in PEM, without a passphrase')
  }
}

function parseCertificate(pem: string, name: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw new ConfigError(name, 'must be a certificate in PEM')
  }
}
