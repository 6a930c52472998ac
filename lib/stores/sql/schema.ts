/** The tables of the SQL stores, and how they come to be. */
import { sql, type Kysely, type Transaction } from 'kysely'

export interface RecordsTable {
  /** Digest of the key: as short for long keys, and the same in every collation. */
  readonly key: Buffer
  readonly grant_key: Buffer | null
  /** JSON text. */
  readonly value: string
  readonly version: string
  /** Number of times the record was taken; spent when it is not 0. */
  readonly takes: number
  /** Milliseconds since the epoch. */
  readonly expires: number
}

/** Grants that were ended. While a row is here, no record of its grant is found and none is written. */
export interface EndedGrantsTable {
  readonly grant_key: Buffer
  /** When the row may go, once no record of the grant is left; milliseconds since the epoch. */
  readonly expires: number
}

export interface Schema {
  readonly clientele_records: RecordsTable
  readonly clientele_ended_grants: EndedGrantsTable
  readonly clientele_schema: { readonly version: number }
}

/** Differences between the engines, as far as tables are concerned. */
export interface SchemaDialect {
  /** The type of a column of bytes. */
  readonly binary: 'bytea' | 'blob'
  /** Runs `migrate` in a transaction that no other process is in at the same time. */
  alone(migrate: (db: Kysely<Schema> | Transaction<Schema>) => Promise<void>): Promise<void>
}

type Migration = (db: Kysely<Schema>, dialect: SchemaDialect) => Promise<void>

/** In the order they came about. One that was released is never changed: the next one changes what it left. */
const migrations: readonly Migration[] = [createTables]

/**
 * Brings the tables up to date. However many processes do it at once, each migration runs once. An up-to-date database
 * is only read, so that whoever may not create tables can still use them.
 */
export async function migrate(db: Kysely<Schema>, dialect: SchemaDialect): Promise<void> {
  if ((await versionIfAny(db)) >= migrations.length) return
  await dialect.alone(async transaction => {
    await transaction.schema.createTable('clientele_schema').ifNotExists().addColumn('version', 'integer').execute()
    for (let version = await versionOf(transaction); version < migrations.length; version++) {
      await migrations[version]?.(transaction, dialect)
      await transaction
        .insertInto('clientele_schema')
        .values({ version: version + 1 })
        .execute()
    }
  })
}

async function versionIfAny(db: Kysely<Schema>): Promise<number> {
  try {
    return await versionOf(db)
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    // PostgreSQL's undefined_table; SQLite has no code of its own for it
    if (code === '42P01' || message.includes('no such table')) return 0
    throw error
  }
}

async function versionOf(db: Kysely<Schema>): Promise<number> {
  const row = await db
    .selectFrom('clientele_schema')
    .select(({ fn }) => fn.max('version').as('version'))
    .executeTakeFirst()
  return row?.version ?? 0
}

async function createTables(db: Kysely<Schema>, { binary }: SchemaDialect): Promise<void> {
  const type = sql.raw(binary)
  await db.schema
    .createTable('clientele_records')
    .addColumn('key', type, column => column.primaryKey())
    .addColumn('grant_key', type)
    .addColumn('value', 'text', column => column.notNull())
    .addColumn('version', 'text', column => column.notNull())
    .addColumn('takes', 'integer', column => column.notNull())
    .addColumn('expires', 'bigint', column => column.notNull())
    .execute()
  await db.schema
    .createIndex('clientele_records_grant_key')
    .on('clientele_records')
    .column('grant_key')
    .where('grant_key', 'is not', null)
    .execute()
  await db.schema.createIndex('clientele_records_expires').on('clientele_records').column('expires').execute()
  await db.schema
    .createTable('clientele_ended_grants')
    .addColumn('grant_key', type, column => column.primaryKey())
    .addColumn('expires', 'bigint', column => column.notNull())
    .execute()
  await db.schema.createIndex('clientele_ended_grants_expires').on('clientele_ended_grants').column('expires').execute()
}
