/** A SQLite file and a PostgreSQL server of the bench's own, and how a million records get there quickly: as rows, not through the store. */
import { hash } from 'node:crypto'
import Database from 'libsql'
import pg from 'pg'
import { postgresStore } from '../../dist/lib/stores/postgres.js'
import { sqliteStore } from '../../dist/lib/stores/sqlite.js'
import { startEngine } from '../engines.mjs'

const atOnce = 5_000
const timeout = 60_000

export function open(engine, address) {
  return engine === 'SQLite' ? sqliteStore({ path: address, timeout }) : postgresStore({ url: address, timeout })
}

/** The key a record is found by in the tables, as lib/stores/engine/key-name.ts makes it of a record of no grant. */
export const rowKeyOf = ({ kind, id }) => hash('sha256', Buffer.from(`${kind.length}:${kind}${id}`, 'utf16le'), 'buffer')

/** Adds records `from` up to `to`; `recordOf(index)` answers `[key, value]`. In the order of their keys, which is many times as fast. */
export async function fill(database, from, to, recordOf) {
  const expires = Date.now() + 86_400_000
  const keys = Array.from({ length: to - from }, (_, index) => ({ index: from + index, key: recordOf(from + index)[0] }))
  keys.sort((a, b) => Buffer.compare(a.key, b.key))
  for (let start = 0; start < keys.length; start += atOnce) {
    await database.insert(
      keys.slice(start, start + atOnce).map(({ index }) => recordOf(index)),
      expires
    )
  }
  await database.settle()
}

export async function sqlite() {
  const { address, stop } = await startEngine('sqlite')
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
    stop: async () => {
      db.close()
      await stop()
    }
  }
}

const many = `insert into clientele_records (key, value, version, takes, expires)
  select key, value, 'filled', 0, $3::bigint from unnest($1::bytea[], $2::text[]) as filled (key, value)`

/** Undefined where PostgreSQL is not installed. */
export async function postgres() {
  const server = await startEngine('postgres')
  if (server === undefined) return undefined
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
