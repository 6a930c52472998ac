/** Attesters of client instances: the certificates their settings name, read once and before anything listens. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from './config-error.ts'
import type { IssuerSettings, Settings } from './schema.ts'
import { changeInAll } from './tenants.ts'

/**
 * The settings with what is in the files in the place of their paths, of tenants too. @throws {@link ConfigError}
 * naming the file that cannot be read.
 */
export function withTrustAnchors(settings: Settings, folder: string): Settings {
  return changeInAll(settings, (own, prefix) => ({ attesters: readAttesters(own, prefix, folder) }))
}

function readAttesters({ attesters }: IssuerSettings, prefix: string, folder: string): IssuerSettings['attesters'] {
  return attesters.map((attester, index) => ({
    ...attester,
    trust_anchors: attester.trust_anchors?.map((path, position) => {
      try {
        return readFileSync(resolve(folder, path), 'utf8')
      } catch {
        const name = `${prefix}attesters[${index}].trust_anchors[${position}]`
        throw new ConfigError(name, `must be a readable file (${path} is not)`)
      }
    })
  }))
}

/** The library's options. */
export function attestationOptions({ attesters, policy }: IssuerSettings) {
  if (attesters.length === 0) return {}
  const known = attesters.map(({ jwks, trust_anchors: trustAnchors, clients }) => ({ jwks, trustAnchors, clients }))
  return { attestation: { attesters: known, challenge: policy.attestation_challenge } }
}
