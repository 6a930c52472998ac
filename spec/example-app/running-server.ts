/** Runs the example app as its users do: a process, a configuration file, and what it prints. */
import { afterAll } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { faultsOf, serve } from '../../example-app/serve.ts'
import { leakChecks } from '../support/checks/leak-check.ts'

export { freePort } from '../support/processes/free-port.mjs'

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningServer {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves when the process has ended. */
  readonly ended: Promise<Outcome>
}

export const node = [process.execPath, resolve('example-app/start.mjs')]
export const npm = ['npm', 'start', '--silent']

let processes = 0

export function run(command: readonly string[], env: Record<string, string>, cwd?: string): RunningServer {
  const ours = ['CONFIG', 'LOG_LEVEL', 'STORE_URL', 'NODE_OPTIONS']
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.includes(name)))
  processes += 1
  const child = spawn(command[0] ?? '', command.slice(1), {
    env: {
      ...inherited,
      // a server that keeps its state on disk is for the specs that say so
      STORE_URL: 'memory:',
      NODE_OPTIONS: `--import ${new URL('../support/processes/stocked-keys.mjs', import.meta.url).href}`,
      SPEC_RSA_FROM: String(60 + 4 * processes),
      ...env
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => (stdout += String(chunk)))
  child.stderr.on('data', chunk => (stderr += String(chunk)))
  running.add(child)
  child.once('close', () => running.delete(child))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
  return { child, stdout: () => stdout, stderr: () => stderr, ended }
}

/** Starts a server in a process of its own, in a folder of its own where one is given, and waits for its ready line. */
export async function startProcess(
  settings: object,
  env: Record<string, string> = {},
  command = node,
  cwd?: string
): Promise<RunningServer> {
  const file = configFile(settings)
  const server = run(command, { CONFIG: file, LOG_LEVEL: 'warn', ...env }, cwd)
  configured.push({ server, secrets: secretsIn(settings) })
  while (!server.stdout().includes('ready')) {
    const outcome = await Promise.race([server.ended, once(server.child.stdout ?? server.child, 'data')])
    if ('code' in outcome) throw new Error(`the server ended with ${outcome.code}: ${outcome.stderr}${outcome.stdout}`)
  }
  return server
}

/** A server in this process. */
export interface HostedServer {
  readonly stdout: () => string
  stop(): Promise<Outcome>
}

/**
 * Starts a server as `npm start` does, but in this process: starting another one takes a second of both cores. Signals, exit codes and what a
 * crash leaves behind are for the specs that start a process.
 */
export async function startServer(settings: object, env: Record<string, string> = {}): Promise<HostedServer> {
  let stdout = ''
  const output = { write: (line: string) => void (stdout += line) }
  const { NODE_ENV } = process.env
  const end = await serve({ NODE_ENV, STORE_URL: 'memory:', LOG_LEVEL: 'warn', ...env, CONFIG: configFile(settings) }, output)
  const server: HostedServer = {
    stdout: () => stdout,
    async stop() {
      if (hosted.delete(server)) await end()
      // what fetch keeps open to it has to hear of its end, in this very loop, before another server has the same port
      await pause(50)
      return { code: 0, stdout, stderr: '' }
    }
  }
  hosted.add(server)
  configured.push({ server: { stdout: server.stdout, stderr: () => '' }, secrets: secretsIn(settings) })
  return server
}

/** What a start in this process comes to, where it is to fail: what a process would print, and its exit code. */
export async function failedStart(env: Record<string, string>): Promise<Outcome> {
  let stdout = ''
  try {
    const end = await serve({ STORE_URL: 'memory:', ...env }, { write: line => void (stdout += line) })
    await end()
    return { code: 0, stdout, stderr: '' }
  } catch (error) {
    return { code: 1, stdout, stderr: `${(await faultsOf(error, env)).join('\n')}\n` }
  }
}

const hosted = new Set<HostedServer>()
const configured: { readonly server: Pick<RunningServer, 'stdout' | 'stderr'>; readonly secrets: readonly string[] }[] = []

/** The values of every `client_secret`, `password` and the like, at any depth. */
function secretsIn(settings: unknown, name = ''): readonly string[] {
  if (typeof settings === 'string') return /secret|password|token$/.test(name) && settings.length >= 8 ? [settings] : []
  if (typeof settings !== 'object' || settings === null) return []
  return Object.entries(settings).flatMap(([key, value]) => secretsIn(value, Array.isArray(settings) ? name : key))
}

// what the servers of a file printed holds none of them
leakChecks.push(() =>
  configured.flatMap(({ server, secrets }) => secrets.filter(secret => (server.stdout() + server.stderr()).includes(secret)))
)

/** Stops a server the orderly way. */
export async function stop(server: RunningServer | HostedServer | undefined): Promise<Outcome | undefined> {
  if (server === undefined || 'stop' in server) return server?.stop()
  server.child.kill('SIGTERM')
  return server.ended
}

const folder = mkdtempSync(join(tmpdir(), 'clientele-'))
let files = 0
const running = new Set<ChildProcess>()

// a spec that fails halfway leaves nothing behind
afterAll(async () => {
  await Promise.all([...hosted].map(server => server.stop()))
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Writes a configuration file. */
export function configFile(settings: unknown): string {
  const file = join(folder, `server-${(files += 1)}.json`)
  writeFileSync(file, typeof settings === 'string' ? settings : JSON.stringify(settings))
  return file
}
