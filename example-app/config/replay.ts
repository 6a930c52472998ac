/** A configuration file as what kept authentications are judged by. */
import { tlsCertificate } from 'clientele'
import type { ReplayedOptions } from 'clientele/replay'
import { optionsOfSettings } from './server-options.ts'
import { loadConfig } from './config.ts'
import { settingsAt } from './tenants.ts'

/**
 * The options that the file at `path` stands for, or a tenant in it.
 *
 * @throws ConfigError where the file is none a server would start with, or has no such tenant.
 */
export function replayedConfiguration(path: string, tenant: string | undefined): ReplayedOptions {
  const { settings, tls } = loadConfig(path)
  const own = settingsAt(settings, tenant)
  const ca = tls?.clientCa ?? []
  return {
    ...optionsOfSettings(own, settings.issuer + (tenant ?? ''), tenant === undefined ? settings.mcp : undefined),
    certificateMethods: settings.tls !== undefined || settings.client_certificate_header !== undefined,
    ...(settings.tls?.port !== undefined && { mtlsOrigin: mtlsOrigin(settings.issuer, settings.tls.port) }),
    ...(ca.length > 0 && { certificateSource: tlsCertificate({ ca }) })
  }
}

function mtlsOrigin(issuer: string, port: number): string {
  return `https://${new URL(issuer).hostname}:${port}`
}
