/** A PostgreSQL server of a spec's own. */
import { execFileSync, type ChildProcess } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endProcess, freePort, outputOf, runServer, type DatabaseServer } from './server-process.ts'

export interface PostgresServer extends DatabaseServer {
  readonly port: number
  /** What a query answers, as `psql` prints it. */
  query(sql: string): string
}

/**
 * The server writes to the operating system before it answers, but does not wait for the disk: what a killed process has written
 * is there when it starts again, and power is not what the specs take away.
 */
const unsynced = ['fsync=off']

export async function startPostgres(): Promise<PostgresServer> {
  const programs = programsFolder()
  const user = otherUser()
  const folder = mkdtempSync(join(tmpdir(), 'clientele-postgres-'))
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], {
    ...user,
    stdio: 'ignore',
    cwd: folder
  })
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const query = (sql: string) => outputOf(join(programs, 'psql'), [url, '-At', '-c', sql]).trim()
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200', ...unsynced]
  let child: ChildProcess | undefined
  let frozen: readonly number[] = []
  const start = async () => {
    child = await runServer({
      command: join(programs, 'postgres'),
      args: ['-D', data, ...settings.flatMap(setting => ['-c', setting])],
      ...(user !== undefined && { user }),
      serves: async () => (await listens(port)) && query('select 1') === '1'
    })
  }
  await start()
  return {
    url,
    port,
    query,
    start,
    kill: () => endProcess(child, 'SIGKILL'),
    freeze() {
      // each connection is served by a process of its own
      const serving = query('select pid from pg_stat_activity').split('\n').map(Number)
      frozen = [child?.pid ?? 0, ...serving].filter(pid => pid > 0)
      signalAll(frozen, 'SIGSTOP')
    },
    thaw: () => signalAll(frozen, 'SIGCONT'),
    async stop() {
      signalAll(frozen, 'SIGCONT')
      await endProcess(child, 'SIGINT')
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function signalAll(pids: readonly number[], signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // it has ended, as the one that told the numbers
    }
  }
}

/** Debian keeps them out of the path, one folder for each version. */
function programsFolder(): string {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map(version => join(debian, version, 'bin')), outputOf('pg_config', ['--bindir']).trim()]
  const found = folders.find(folder => folder !== '' && existsSync(join(folder, 'initdb')))
  if (found === undefined) throw new Error('PostgreSQL has to be installed for this')
  return found
}

/** PostgreSQL refuses to run as root. */
function otherUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = ['-u', '-g'].map(flag => Number(outputOf('id', [flag, 'postgres'])))
  if (!uid || !gid) throw new Error('there must be a user postgres for the server to run as')
  return { uid, gid }
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
