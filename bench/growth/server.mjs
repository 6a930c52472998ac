/** A server in a process of its own: told over IPC what to serve, it answers with its port; any further message asks what it has used up. */
import { createServer } from 'node:http'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import express from 'express'
import { authorizationServer, clientCredentials, generateKeys, memoryStore, tenants } from '../../dist/lib/index.js'
import { open } from './databases.mjs'
import { client, issuer } from './shared.mjs'

const nobody = { account: () => undefined, consented: () => false, prompt: () => undefined }
const common = { tokenIssuers: [clientCredentials()], interaction: nobody }

/** Every tenant has keys and a client of its own; the store is shared. */
function serveTenants({ count }) {
  const store = memoryStore()
  const resolve = async () => ({ ...common, clients: [client], store, keys: await generateKeys(['ES256']) })
  return tenants({ issuer, resolve, max: count, maxAge: 3600 })
}

/** Clients are asked for anew with every request. */
async function serveClients({ engine, address, keys }) {
  const store = await open(engine, address)
  return authorizationServer({
    interaction: nobody,
    issuer,
    store,
    keys,
    clients: [],
    registration: { access: 'open', maxAge: 0 }
  })
}

/** The event loop's longest stop and the collector's longest work since it was asked to begin, both in milliseconds. */
const pauses = { delay: monitorEventLoopDelay({ resolution: 1 }), collected: 0 }
new PerformanceObserver(list => {
  for (const { duration } of list.getEntries()) pauses.collected = Math.max(pauses.collected, duration)
}).observe({ entryTypes: ['gc'] })

function cpu() {
  const { user, system } = process.cpuUsage()
  return user + system
}

const answers = {
  cpu,
  begin: async () => {
    globalThis.gc()
    await pause(100)
    pauses.collected = 0
    pauses.delay.reset()
    pauses.delay.enable()
  },
  end: async () => {
    pauses.delay.disable()
    // asked once for each way this server was driven: the collection below is none of its own
    pauses.told ??= { pause: pauses.delay.max / 1e6, collected: pauses.collected }
    globalThis.gc()
    await pause(100)
    return { ...pauses.told, rss: process.memoryUsage().rss }
  },
  usage: async () => {
    globalThis.gc()
    await pause(100)
    return { cpu: cpu(), rss: process.memoryUsage().rss }
  }
}

process.once('message', async setting => {
  const app = express().use(await (setting.engine === undefined ? serveTenants(setting) : serveClients(setting)))
  const server = createServer({ keepAliveTimeout: 600_000 }, app).listen(0, '127.0.0.1', () => {
    process.send(server.address().port)
    process.on('message', async question => process.send((await answers[question]()) ?? null))
  })
})
process.on('disconnect', () => process.exit(0))
