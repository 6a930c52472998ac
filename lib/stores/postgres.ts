/** A store in PostgreSQL, for any number of processes on any number of machines. */
import { Kysely, PostgresDialect, sql } from 'kysely'
import { ConfigurationError, flag, fn, integer, objectLike, readOptions, text, type Checks, type Read } from '../options.ts'
import { timeoutCheck } from './engine/deadline.ts'
import { boundedPool, type PostgresPool } from './sql/postgres-pool.ts'
import { migrate, type Schema } from './sql/schema.ts'
import { sqlStore } from './sql/sql-store.ts'
import type { Store } from './store.ts'

export type { PostgresClient, PostgresPool } from './sql/postgres-pool.ts'

/** The options of `postgresStore()`. */
export interface PostgresStoreOptions {
  /** Such as `postgres://user:password@host:5432/database`. Names the primary, never a replica. */
  readonly url?: string | undefined
  /** In place of `url`: a `Pool` of the package `pg`. Its settings are yours, and ending it too. */
  readonly pool?: PostgresPool | undefined
  /** Connections opened at most, with `url`. Default: 10. */
  readonly connections?: number | undefined
  /** Milliseconds after which an operation rejects. Default: 2000. */
  readonly timeout?: number | undefined
  /**
   * Whether the database parses and plans each of the dozen statements once per connection, by name, and not at each
   * request. Default: true. Say false behind a pooler that lends connections for one transaction and knows no prepared
   * statements, such as PgBouncer before 1.21.
   */
  readonly preparedStatements?: boolean | undefined
  /**
   * Reads the time: milliseconds since the epoch. Default: the database's clock, so that the clocks of the machines the
   * processes run on need not agree.
   */
  readonly clock?: (() => number) | undefined
}

/** Checks of the options. @internal */
export const postgresStoreChecks = {
  url: text(),
  pool: objectLike<PostgresPool>('a Pool of the package pg', value => typeof value['connect'] === 'function'),
  connections: integer({ min: 1, default: 10 }),
  timeout: timeoutCheck,
  preparedStatements: flag(true),
  clock: fn<() => number>()
} satisfies Checks<PostgresStoreOptions>

type ReadPostgresStore = Read<typeof postgresStoreChecks>

/**
 * Milliseconds: to connect at all, and to make the tables, which processes that start together do one after the other.
 */
const patienceAtStart = { connecting: 5_000, migrating: 30_000 }
const sweepRows = 500
/** Any number will do that nobody else takes for an advisory lock: "clientele" in letters, as far as they fit. */
const migrationLock = '7164785640427643756'

/**
 * Opens a store in a PostgreSQL database (12 or later), its tables made where they are missing: `clientele_records`,
 * `clientele_ended_grants` and `clientele_schema`, in the first schema of the search path.
 *
 * Needs the packages `kysely` and, with `url`, `pg`.
 *
 * @throws ConfigurationError naming the option that is wrong. Rejects where the database cannot be reached.
 *
 * @example
 * const store = await postgresStore({ url: process.env['DATABASE_URL'] })
 */
export async function postgresStore(options: PostgresStoreOptions): Promise<Store> {
  const read = readOptions(options, postgresStoreChecks)
  const { url, connections, clock, timeout, preparedStatements } = read
  if ((url === undefined) === (read.pool === undefined))
    throw new ConfigurationError('url', 'or pool must be given, and not both')
  await prepare(read)
  const pool = read.pool ?? (await poolOf(url ?? '', connections, timeout, timeout))
  return sqlStore({
    db: new Kysely<Schema>({ dialect: new PostgresDialect({ pool: boundedPool(pool, timeout, preparedStatements) }) }),
    dialect: {
      skipLocked: true,
      ...(clock === undefined && { now: sql<number>`cast(extract(epoch from statement_timestamp()) * 1000 as bigint)` })
    },
    clock: clock ?? Date.now,
    timeout,
    sweepRows,
    close: async () => {
      if (read.pool === undefined) await pool.end()
    }
  })
}

async function poolOf(url: string, max: number, connecting: number, working: number): Promise<PostgresPool> {
  const { default: pg } = await import('pg')
  // the server gives up too: it would go on with what nobody waits for any more
  return new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: connecting,
    statement_timeout: working,
    keepAlive: true,
    application_name: 'clientele'
  })
}

/** Makes the tables, on a connection of its own: it may take longer than operations may. */
async function prepare(options: ReadPostgresStore): Promise<void> {
  const { connecting, migrating } = patienceAtStart
  const pool = options.pool ?? (await poolOf(options.url ?? '', 1, connecting, migrating))
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: boundedPool(pool, migrating) }) })
  try {
    await migrate(db, {
      binary: 'bytea',
      alone: run =>
        db.transaction().execute(async transaction => {
          await sql`select pg_advisory_xact_lock(${sql.raw(migrationLock)})`.execute(transaction)
          await run(transaction)
        })
    })
  } finally {
    if (options.pool === undefined) await pool.end()
  }
}
