/** A server in a process of its own: told over IPC what to serve, it answers with its port; any further message asks what it has used up: `cpu` or `memory`. */
import { createServer } from 'node:http'
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

process.once('message', async setting => {
  const app = express().use(await (setting.engine === undefined ? serveTenants(setting) : serveClients(setting)))
  const server = createServer({ keepAliveTimeout: 600_000 }, app).listen(0, '127.0.0.1', () => {
    process.send(server.address().port)
    process.on('message', async asked => {
      if (asked === 'memory') {
        globalThis.gc()
        await pause(100)
        process.send(process.memoryUsage().rss)
      } else {
        const { user, system } = process.cpuUsage()
        process.send(user + system)
      }
    })
  })
})
process.on('disconnect', () => process.exit(0))
