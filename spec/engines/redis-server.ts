/** Redis servers of a spec's own: one, or three that are a cluster. They write to disk before they answer. */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endProcess, freePort, outputOf, runServer, type DatabaseServer } from './server-process.ts'

export interface RedisServer extends DatabaseServer {
  readonly port: number
  /** What `redis-cli` prints for a command. */
  readonly cli: (...command: string[]) => string
}

export interface RedisCluster {
  readonly urls: readonly string[]
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

const durable = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction']

export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-redis-'))
  const port = await freePort()
  const cli = (...command: string[]) => outputOf('redis-cli', ['-p', String(port), ...command])
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...durable, ...settings]
  let child: ChildProcess | undefined
  const start = async () => {
    child = await runServer({
      command: 'redis-server',
      args,
      // it answers before it has read its data, and says so
      serves: () => Promise.resolve(cli('exists', 'x').trim() === '0' || settings.includes('--cluster-enabled'))
    })
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    cli,
    start,
    kill: () => endProcess(child, 'SIGKILL'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async stop() {
      await endProcess(child, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = []
  for (let node = 0; node < 3; node++) {
    const busPort = await freePort()
    nodes.push(
      await startRedis(['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-port', String(busPort)])
    )
  }
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  while (nodes.some(({ cli }) => !cli('cluster', 'info').includes('cluster_state:ok'))) {
    outputOf('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '0', '--cluster-yes'])
    await pause(200)
  }
  return {
    urls: nodes.map(({ url }) => url),
    nodes,
    stop: async () => {
      await Promise.all(nodes.map(node => node.stop()))
    }
  }
}
