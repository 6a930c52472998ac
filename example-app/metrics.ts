/**
 * Figures of OpenTelemetry for Prometheus, on a listener of its own: whoever may ask for a token may not for that
 * reason read them.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { metrics } from '@opentelemetry/api'
import { MeterProvider, type MetricReader } from '@opentelemetry/sdk-metrics'
import { ConfigError } from './config/config-error.ts'
import type { MetricsAddress } from './metrics-address.ts'

/** As much of the exporter as is used: it is loaded where it is wanted, and need not be installed elsewhere. */
interface Exporter {
  readonly PrometheusExporter: new (options: { preventServerStart: true }) => MetricReader & {
    getMetricsRequestHandler(req: IncomingMessage, res: ServerResponse): void
  }
}

const exporter = '@opentelemetry/exporter-prometheus'

/**
 * Counts from now on, and serves the figures at `/metrics`. @throws {@link ConfigError} where the address cannot be
 * had.
 */
export async function serveMetrics({ host, port }: MetricsAddress): Promise<() => Promise<void>> {
  const { PrometheusExporter } = (await import(exporter)) as Exporter
  const reader = new PrometheusExporter({ preventServerStart: true })
  const provider = new MeterProvider({ readers: [reader] })
  metrics.setGlobalMeterProvider(provider)
  const server = createServer((req, res) => {
    if (req.method === 'GET' && req.url === '/metrics') reader.getMetricsRequestHandler(req, res)
    else res.writeHead(404).end()
  })
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch {
    throw new ConfigError('METRICS', `must name an address this server can listen on (${host}:${port} is not available)`)
  }
  return async () => {
    server.close()
    server.closeAllConnections()
    metrics.disable()
    await provider.shutdown()
  }
}
