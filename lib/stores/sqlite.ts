/** A store in one SQLite file: nothing to install or run, and nothing lost when the process ends, however it ends. */
import { closeSync, openSync } from 'node:fs'
import { Kysely } from 'kysely'
import { clock, ConfigurationError, objectLike, oneOf, readOptions, text, type Checks } from '../options.ts'
import { timeoutCheck } from './engine/deadline.ts'
import { migrate, type Schema } from './sql/schema.ts'
import { sqlStore } from './sql/sql-store.ts'
import { SqliteConnection, sqliteDialect, type SqliteDatabase } from './sql/sqlite-driver.ts'
import type { Store } from './store.ts'

export type { SqliteDatabase, SqliteStatement } from './sql/sqlite-driver.ts'

/** The options of `sqliteStore()`. */
export interface SqliteStoreOptions {
  /**
   * The file, created where there is none, in a folder there is. Readable by its owner alone. On a disk of this
   * machine: not on a network share, where SQLite's locks do not hold.
   */
  readonly path?: string | undefined
  /**
   * In place of `path`: a connection of `libsql` or `better-sqlite3`, which nobody else uses from then on. Its pragmas
   * are yours, and closing it too.
   */
  readonly database?: SqliteDatabase | undefined
  /**
   * `power-loss` (default): what was answered is there after the machine lost its power. `process-crash`: only after
   * the process crashed or was killed; the last writes before a power failure can be missing then. Faster on slow
   * disks.
   */
  readonly survives?: 'power-loss' | 'process-crash' | undefined
  /** Milliseconds an operation waits for other processes that write before it rejects. Default: 2000. */
  readonly timeout?: number | undefined
  /** Reads the time: milliseconds since the epoch. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** Checks of the options. @internal */
export const sqliteStoreChecks = {
  path: text(),
  database: objectLike<SqliteDatabase>(
    'a connection of libsql or better-sqlite3',
    value => typeof value['prepare'] === 'function'
  ),
  survives: oneOf(['power-loss', 'process-crash'], 'power-loss'),
  timeout: timeoutCheck,
  clock: clock()
} satisfies Checks<SqliteStoreOptions>

/** Milliseconds: several processes may start at once, and create the file one after the other. */
const patienceAtStart = 10_000
/** A step takes this few rows, so that it is done within milliseconds. */
const sweepRows = 50

/**
 * Opens a store in a file, or creates it. Any number of processes of one machine may have it open: they see the same
 * records, and of two that want the same thing one wins.
 *
 * Needs the packages `kysely` and `libsql`, whose binary is inside the package.
 *
 * @throws ConfigurationError naming the option that is wrong. Rejects where the file cannot be opened.
 *
 * @example
 * const store = await sqliteStore({ path: './data/clientele.db' })
 */
export async function sqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, clock, timeout, survives, database: given } = readOptions(options, sqliteStoreChecks)
  if ((path === undefined) === (given === undefined))
    throw new ConfigurationError('path', 'or database must be given, and not both')
  const database = given ?? (await open(path ?? ''))
  const connection = new SqliteConnection(database, timeout)
  const close = () => {
    if (given === undefined) database.close()
    return Promise.resolve()
  }
  try {
    if (given === undefined) await configure(connection, database, survives)
    const db = new Kysely<Schema>({ dialect: sqliteDialect(connection) })
    await migrate(db, { binary: 'blob', alone: run => alone(connection, database, run) })
    return sqlStore({
      ...{ db, dialect: { skipLocked: false }, clock, timeout, sweepRows, close },
      transact: (queries, decides) => connection.transact(queries, decides)
    })
  } catch (error) {
    await close()
    throw error
  }
}

async function open(path: string): Promise<SqliteDatabase> {
  const { default: Database } = await import('libsql')
  // created here, because SQLite would let everybody read it
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600))
  return new Database(path)
}

async function configure(connection: SqliteConnection, database: SqliteDatabase, survives: string): Promise<void> {
  const settings = [
    'journal_mode = wal',
    `synchronous = ${survives === 'power-loss' ? 'full' : 'normal'}`,
    // the log is put into the file in small steps, and does not stay large after a burst
    'wal_autocheckpoint = 250',
    'journal_size_limit = 4194304',
    'cache_size = -16000'
  ]
  for (const setting of settings) {
    await connection.patiently(() => database.prepare(`pragma ${setting}`).all(), patienceAtStart)
  }
}

/** The lock is the file's, so it keeps other processes out too. */
async function alone(
  connection: SqliteConnection,
  database: SqliteDatabase,
  run: (db: Kysely<Schema>) => Promise<void>
): Promise<void> {
  const inside = {
    executeQuery: <Row>(query: Parameters<SqliteConnection['executeNow']>[0]) =>
      Promise.resolve(connection.executeNow<Row>(query)),
    streamQuery: () => connection.streamQuery()
  }
  await connection.patiently(() => database.exec('begin immediate'), patienceAtStart)
  try {
    await run(new Kysely<Schema>({ dialect: sqliteDialect(inside) }))
    database.exec('commit')
  } catch (error) {
    database.exec('rollback')
    throw error
  }
}
