/** The connection to Redis or Redis Cluster: bounded waiting, and a way back after it broke. */
import { within, DeadlineError } from '../engine/deadline.ts'
import type { Script } from './scripts.ts'

/** The part used of a client of the package `redis`: of `createClient()`, `createCluster()`, `createSentinel()`. */
export interface RedisClient {
  /** Runs a Lua script. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  /** Runs a Lua script the server has, by its SHA-1. */
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  /** Adds a listener of errors. */
  on(event: 'error', listener: (error: unknown) => void): unknown
}

interface OwnClient extends RedisClient {
  connect(): Promise<unknown>
  close(): Promise<unknown>
  destroy(): unknown
}

export interface RedisConnection {
  /** Runs a script. Rejects where it did not answer in time; it may have run then, or not, or still run. */
  readonly run: (script: Script, keys: readonly string[], values: readonly string[]) => Promise<unknown>
  readonly close: () => Promise<void>
}

/** Milliseconds until a server that does not answer at start is given up. */
const patienceAtStart = 5_000

/** A connection by the user's client, which stays theirs: what becomes of it when it breaks is in its own settings. */
export function borrowedConnection(client: RedisClient, timeout: number): RedisConnection {
  client.on('error', ignore)
  return { run: (...call) => within(evaluate(client, ...call), timeout), close: () => Promise.resolve() }
}

/** Connects to the server, or to the cluster one of whose nodes it is. Rejects where it cannot be reached. */
export async function ownConnection(urls: readonly string[], timeout: number): Promise<RedisConnection> {
  let client = await connect(urls)
  let renewing = false
  let closed = false
  const isClosed = () => closed

  /** A connection can be silent without being broken, as when a machine has gone. Only a new one helps then. */
  const renew = async () => {
    if (renewing || isClosed()) return
    renewing = true
    try {
      const fresh = await connect(urls)
      retire(client, timeout)
      client = fresh
      if (isClosed()) retire(fresh, 0)
    } catch {
      // not to be reached: the old one may yet come back, and the next operation that waits in vain tries again
    } finally {
      renewing = false
    }
  }
  return {
    async run(...call) {
      const used = client
      try {
        return await within(evaluate(used, ...call), timeout)
      } catch (error) {
        if (error instanceof DeadlineError && used === client) void renew()
        throw error
      }
    },
    async close() {
      closed = true
      await within(client.close(), timeout).catch(ignore)
      retire(client, 0)
    }
  }
}

/** By its digest, which the server knows unless it was restarted; it then learns the script anew. */
async function evaluate(client: RedisClient, script: Script, keys: readonly string[], values: readonly string[]) {
  const options = { keys: [...keys], arguments: [...values] }
  try {
    return await client.evalSha(script.sha, options)
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    return client.eval(script.source, options)
  }
}

async function connect(urls: readonly string[]): Promise<OwnClient> {
  const { createClient, createCluster } = await import('redis')
  let connected = false
  const socket = {
    connectTimeout: patienceAtStart,
    // at start, whoever waits is told at once; later, nobody waits
    reconnectStrategy: (retries: number) => connected && Math.min(25 * 2 ** retries, 1_000)
  }
  const opened = async <Client extends OwnClient>(client: Client): Promise<Client> => {
    client.on('error', ignore)
    try {
      await within(client.connect(), patienceAtStart)
      return client
    } catch (error) {
      retire(client, 0)
      throw error
    }
  }
  // what cannot be sent now is rejected: queued, it would be done when nobody expects it any more
  const disableOfflineQueue = true
  const [url = ''] = urls
  const single = await opened(createClient({ url, socket, disableOfflineQueue }))
  const isCluster = urls.length > 1 || /^cluster_enabled:1/m.test(await single.info('cluster').catch(() => ''))
  if (!isCluster) {
    connected = true
    return single
  }
  retire(single, 0)
  const cluster = await opened(
    createCluster({
      rootNodes: urls.map(root => ({ url: root })),
      defaults: {
        ...credentialsOf(url),
        disableOfflineQueue,
        socket: url.startsWith('rediss:') ? { ...socket, tls: true } : socket
      },
      topologyRefreshOnReconnectionAttemptStrategy: 1_000
    })
  )
  connected = true
  return cluster
}

/** The nodes of a cluster name one another by address alone. */
function credentialsOf(url: string): { username?: string; password?: string } {
  const { username, password } = new URL(url)
  return {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) })
  }
}

/** Ends a client once what was sent through it has been answered, or after so many milliseconds. */
function retire(client: OwnClient, milliseconds: number): void {
  const destroy = () => {
    try {
      client.destroy()
    } catch {
      // it has ended already
    }
  }
  if (milliseconds === 0) destroy()
  else {
    client.close().catch(ignore)
    setTimeout(destroy, milliseconds).unref()
  }
}

function ignore(): void {
  // whoever runs a script learns of it through their own promise; unheard, the event would end the process
}
