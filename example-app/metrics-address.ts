/** Where the figures are served: what METRICS says. The SDK that counts is loaded only where it says something. */
import { ConfigError } from './config/config-error.ts'

export interface MetricsAddress {
  readonly host: string
  readonly port: number
}

/** A port on loopback, or host and port. @throws {@link ConfigError} naming METRICS. */
export function readMetricsAddress(given = ''): MetricsAddress | undefined {
  if (given === '') return undefined
  const [, host = '127.0.0.1', port = ''] = /^(?:(\[[0-9a-f:]+\]|[\w.-]+):)?(\d{1,5})$/i.exec(given) ?? []
  if (port === '' || Number(port) < 1 || Number(port) > 65_535)
    throw new ConfigError('METRICS', 'must be a port, or a host and a port such as 0.0.0.0:9464')
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}
