/** An application whose OpenTelemetry is years old: the first API with metrics, and SDKs of its time, set up after the server. */
import { metrics, trace } from '@opentelemetry/api'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { authorizationServer, clientCredentials, generateKeys, memoryStore } from 'clientele'
import express from 'express'

const port = Number(process.env.PORT)
const issuer = `http://127.0.0.1:${port}`

const app = express()
app.use(
  authorizationServer({
    issuer,
    clients: [{ client_id: 'billing', client_secret: process.env.BILLING_SECRET, grant_types: ['client_credentials'] }],
    tokenIssuers: [clientCredentials()],
    store: memoryStore(),
    keys: await generateKeys(['ES256']),
    scopes: ['api:read']
  })
)

const spans = new InMemorySpanExporter()
const tracing = new BasicTracerProvider()
tracing.addSpanProcessor(new SimpleSpanProcessor(spans))
trace.setGlobalTracerProvider(tracing)

class OnDemand extends MetricReader {
  onShutdown = async () => undefined
  onForceFlush = async () => undefined
}
const reader = new OnDemand()
const metering = new MeterProvider()
metering.addMetricReader(reader)
metrics.setGlobalMeterProvider(metering)

app.get('/told', async (_req, res) => {
  const { resourceMetrics } = await reader.collect()
  const measured = resourceMetrics.scopeMetrics.flatMap(scope => scope.metrics)
  res.json({
    spans: spans.getFinishedSpans().map(({ name }) => name),
    metrics: measured.map(({ descriptor }) => descriptor.name)
  })
})
app.listen(port, '127.0.0.1', () => console.log(`serving ${issuer}`))
