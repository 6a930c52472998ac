/** The built-in demo, as its issuer is given it. */
import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import type { Config } from '../config/config.ts'
import { commandsOf, type DemoCommand } from './commands.ts'
import type { DemoMaterial } from './material.ts'

export interface Demo {
  readonly material: DemoMaterial
  readonly commands: readonly DemoCommand[]
  /** Authorities of servers that documents of clients are fetched from: the demo's own beside those of Node, PEM. */
  readonly authorities: readonly string[]
  /**
   * Whether there is a playground. It shows everybody why clients are refused, and signs certificates for them, and so
   * is nowhere people rely on.
   */
  readonly playground: boolean
}

/** Undefined where the configuration is no demo's. */
export function demoOf(config: Config): Demo | undefined {
  const { demo: material } = config
  if (material === undefined) return undefined
  const { NODE_ENV, NODE_EXTRA_CA_CERTS: extra = '' } = process.env
  const authorities = [...rootCertificates, ...extraAuthorities(extra), material.ca]
  return { material, commands: commandsOf(config), authorities, playground: NODE_ENV !== 'production' }
}

/** Those that Node trusts by its environment; none where it cannot read them, of which it warns itself. */
function extraAuthorities(file: string): readonly string[] {
  try {
    const pem = file === '' ? '' : readFileSync(file, 'utf8')
    return pem.includes('-----BEGIN CERTIFICATE-----') ? [pem] : []
  } catch {
    return []
  }
}
