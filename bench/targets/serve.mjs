/**
 * Runs a target in its process: told over IPC what to serve, it answers with where. After that it is asked how much CPU time it has used, and
 * for what the next window presents. It ends when its parent lets go.
 */
import cluster from 'node:cluster'
import { createServer } from 'node:http'
import { lead } from './cluster.mjs'

/**
 * What a target is told.
 *
 * @typedef {object} Setting
 * @property {import('../cases.mjs').Case} bench
 * @property {object} client metadata of the one client there is
 * @property {object} signingJwk the private key for JWT access tokens
 * @property {object} [serverKeys] clientele's; without them it makes its own
 * @property {{ kind: string, address?: string }} store
 * @property {number} processes
 * @property {boolean} [isStart] nothing but its start is measured
 * @property {number} port filled in here
 *
 * What it answers. `prepare(count)` makes what the case's requests present: codes, refresh tokens, or access tokens to ask about.
 *
 * @typedef {object} Served
 * @property {import('node:http').RequestListener} [handler]
 * @property {{ keys: object[] }} [jwks]
 * @property {(count: number) => Promise<string[]>} [prepare]
 * @property {Record<string, () => unknown>} [asks] what else it is asked for
 */

/**
 * @param {(setting: Setting) => Promise<Served>} build
 * @param {(options: import('node:http').ServerOptions) => import('node:http').Server} [makeServer] for a target that has its handler from the start
 */
export function serve(build, makeServer = createServer) {
  process.once('message', setting => {
    if (setting.processes > 1 && cluster.isPrimary) lead(setting)
    else listen(setting, build, makeServer)
  })
  // what a cluster's primary sends before there is a listener is lost
  if (cluster.isWorker) process.send('ready')
  // a plain exit, so that --cpu-prof gets to write its file
  process.on('disconnect', () => process.exit(0))
}

function listen(setting, build, makeServer) {
  const server = makeServer({ keepAliveTimeout: 60_000 })
  server.listen(0, '127.0.0.1', async () => {
    const { port } = server.address()
    const { handler, jwks, prepare, asks } = await build({ ...setting, port })
    if (handler !== undefined) server.on('request', handler)
    const answers = { usage, held, ...asks, prepare: count => prepared(prepare, count) }
    process.on('message', async ({ ask, count }) => process.send({ answer: await answers[ask](count) }))
    // fetching them loads a client, which is no part of a start
    process.send({ port, jwks: setting.isStart === true ? undefined : (jwks ?? (await publishedKeys(port))) })
  })
}

async function prepared(prepare, count) {
  try {
    return await prepare(count)
  } catch (error) {
    return { fault: error.message }
  }
}

function usage() {
  const { user, system } = process.cpuUsage()
  return { cpu: user + system, rss: process.memoryUsage.rss() }
}

/** Bytes that are still needed, in V8's heap and outside of it; for a target started with `--expose-gc`. */
function held() {
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return { bytes: heapUsed + external }
}

async function publishedKeys(port) {
  const origin = `http://127.0.0.1:${port}`
  const { jwks_uri } = await (await fetch(`${origin}/.well-known/oauth-authorization-server`)).json()
  return (await fetch(origin + new URL(jwks_uri).pathname)).json()
}
