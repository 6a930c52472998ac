/** Database servers of the bench's own, on free ports of the loopback, with data of their own; only where they are installed. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../spec/support/processes/free-port.mjs'

const patience = 30_000

const starts = { memory: async () => ({}), sqlite: startSqlite, postgres: startPostgres, redis: startRedis }

/**
 * Starts what a store of `kind` needs: nothing, a file's place, or a server.
 *
 * @returns {Promise<{ kind: string, address?: string, stop: () => Promise<void> } | { kind: string, missing: string }>} `missing` says why there is none
 */
export async function startEngine(kind) {
  try {
    const { address, stop = async () => undefined } = await starts[kind]()
    return { kind, address, stop }
  } catch (error) {
    return { kind, missing: error.message }
  }
}

async function startSqlite() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-sqlite-'))
  return { address: join(folder, 'bench.db'), stop: async () => rmSync(folder, { recursive: true, force: true }) }
}

/** As `redisStore` says to run it: on disk before it answers. */
async function startRedis() {
  if (output('redis-server', ['--version']) === undefined) throw new Error('there is no redis-server here')
  const folder = mkdtempSync(join(tmpdir(), 'bench-redis-'))
  const port = String(await freePort())
  const durable = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction']
  const child = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--dir', folder, ...durable], { stdio: 'ignore' })
  return served(child, folder, `redis://127.0.0.1:${port}`, () => output('redis-cli', ['-p', port, 'ping'])?.includes('PONG'))
}

/** As PostgreSQL comes: on disk before it answers. */
async function startPostgres() {
  const programs = postgresPrograms()
  if (programs === undefined) throw new Error('there is no initdb here')
  const user = otherUser()
  const folder = mkdtempSync(join(tmpdir(), 'bench-postgres-'))
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const init = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  execFileSync(join(programs, 'initdb'), init, { ...user, cwd: folder, stdio: 'ignore' })
  const port = await freePort()
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=']
  const child = spawn(join(programs, 'postgres'), ['-D', data, ...settings.flatMap(setting => ['-c', setting])], {
    ...user,
    stdio: 'ignore'
  })
  const address = `postgres://postgres@127.0.0.1:${port}/postgres`
  return served(child, folder, address, () => output(join(programs, 'psql'), [address, '-At', '-c', 'select 1'])?.trim() === '1')
}

async function served(child, folder, address, serves) {
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGINT')
      await once(child, 'exit')
    }
    rmSync(folder, { recursive: true, force: true })
  }
  for (const deadline = Date.now() + patience; Date.now() < deadline; await pause(100)) {
    if (serves()) return { address, stop }
    if (child.exitCode !== null) break
  }
  await stop()
  throw new Error(`${child.spawnfile} did not start`)
}

/** Debian keeps them out of the path, one folder for each version. */
function postgresPrograms() {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map(version => join(debian, version, 'bin')), output('pg_config', ['--bindir'])?.trim()]
  return folders.find(folder => folder && existsSync(join(folder, 'initdb')))
}

/** PostgreSQL refuses to run as root: then it runs as the user postgres. */
function otherUser() {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = ['-u', '-g'].map(flag => Number(output('id', [flag, 'postgres'])))
  if (!uid || !gid) throw new Error('PostgreSQL does not run as root, and there is no user postgres')
  return { uid, gid }
}

/** What a program prints; undefined where it fails or is not there. */
function output(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 })
  } catch {
    return undefined
  }
}
