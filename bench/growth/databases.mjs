/** A SQLite file and a PostgreSQL server of the bench's own, and how a million records get there quickly: as rows, not through the store. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'libsql'
import pg from 'pg'
import { digestOf, nameOf } from '../../dist/lib/stores/key-name.js'
import { postgresStore } from '../../dist/lib/stores/postgres.js'
import { sqliteStore } from '../../dist/lib/stores/sqlite.js'

const atOnce = 5_000
const timeout = 60_000

export function open(engine, address) {
  return engine === 'SQLite' ? sqliteStore({ path: address, timeout }) : postgresStore({ url: address, timeout })
}

/** The key a record is found by in the tables. */
export const rowKeyOf = key => digestOf(nameOf(key))

/** Adds records `from` up to `to`; `recordOf(index)` answers `[key, value]`. */
export async function fill(database, from, to, recordOf) {
  const expires = Date.now() + 86_400_000
  for (let start = from; start < to; start += atOnce) {
    const records = Array.from({ length: Math.min(atOnce, to - start) }, (_, index) => recordOf(start + index))
    await database.insert(records, expires)
  }
  await database.settle()
}

export async function sqlite() {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-growth-'))
  const address = join(folder, 'store.db')
  await (await open('SQLite', address)).close()
  const db = new Database(address)
  db.exec('pragma synchronous = normal')
  const insert = db.prepare('insert into clientele_records (key, value, version, takes, expires) values (?, ?, ?, 0, ?)')
  return {
    engine: 'SQLite',
    address,
    valueLike: pattern => db.prepare('select value from clientele_records where value like ?').get(pattern).value,
    insert: (records, expires) => {
      db.exec('begin immediate')
      for (const [key, value] of records) insert.run(key, value, 'filled', expires)
      db.exec('commit')
    },
    settle: () => db.exec('pragma wal_checkpoint(truncate)'),
    stop: () => {
      db.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

const many = `insert into clientele_records (key, value, version, takes, expires)
  select key, value, 'filled', 0, $3::bigint from unnest($1::bytea[], $2::text[]) as filled (key, value)`

/** Undefined where PostgreSQL is not installed. */
export async function postgres() {
  const programs = programsFolder()
  if (programs === undefined) return undefined
  const server = await startServer(programs)
  await (await open('PostgreSQL', server.address)).close()
  const pool = new pg.Pool({ connectionString: server.address, options: '-c synchronous_commit=off' })
  return {
    engine: 'PostgreSQL',
    address: server.address,
    valueLike: async pattern =>
      (await pool.query('select value from clientele_records where value like $1', [pattern])).rows[0].value,
    insert: (records, expires) => pool.query(many, [records.map(([key]) => key), records.map(([, value]) => value), expires]),
    settle: async () => {
      await pool.query('vacuum analyze clientele_records')
      await pool.query('checkpoint')
    },
    stop: async () => {
      await pool.end()
      await server.stop()
    }
  }
}

function programsFolder() {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : []
  const path = (process.env.PATH ?? '').split(':')
  return [...versions.map(version => join(debian, version, 'bin')), ...path].find(folder => existsSync(join(folder, 'initdb')))
}

async function startServer(programs) {
  // PostgreSQL refuses to run as root
  const id = flag => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  const user = process.getuid() === 0 ? { uid: id('-u'), gid: id('-g') } : {}
  const folder = mkdtempSync(join(tmpdir(), 'clientele-growth-'))
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust'], { ...user, cwd: folder, stdio: 'ignore' })
  const port = await freePort()
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_wal_size=4GB']
  const args = ['-D', data, ...settings.flatMap(setting => ['-c', setting])]
  const child = spawn(join(programs, 'postgres'), args, { ...user, stdio: 'ignore' })
  const address = `postgres://postgres@127.0.0.1:${port}/postgres`
  for (let attempt = 0; !(await serves(address)); attempt++) {
    if (attempt === 100) throw new Error('PostgreSQL did not start')
    await pause(200)
  }
  return {
    address,
    stop: async () => {
      const closed = once(child, 'close')
      child.kill('SIGINT')
      await closed
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

async function serves(connectionString) {
  const client = new pg.Client({ connectionString })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}
