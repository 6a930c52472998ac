/** The store contract in SQL: what SQLite and PostgreSQL have in common, which is nearly everything. */
import type { CompiledQuery, Kysely } from 'kysely'
import { digestOf, nameOf } from '../engine/key-name.ts'
import { endedGrantLifetime, newRecord, versionMaker } from '../engine/new-record.ts'
import { sqlQueries, type Queries, type QueryDialect } from './queries.ts'
import type { Schema } from './schema.ts'
import { startSweeping, type Sweeping } from './sweeping.ts'
import type { Json, Key, Store, StoredRecord, Taken } from '../store.ts'

export interface SqlEngine {
  readonly db: Kysely<Schema>
  readonly dialect: QueryDialect
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Rows that each statement of a step of sweeping removes at most. */
  readonly sweepRows: number
  /** Releases what was opened for this store. */
  close(): Promise<void>
}

/** A store on tables that are up to date. */
export function sqlStore(engine: SqlEngine): Store {
  return new SqlStore(engine)
}

class SqlStore implements Store {
  private readonly engine: SqlEngine
  private readonly queries: Queries
  private readonly nextVersion = versionMaker()
  private readonly sweeping: Sweeping
  private closing: Promise<void> | undefined

  constructor(engine: SqlEngine) {
    this.engine = engine
    this.queries = sqlQueries(engine.db, engine.dialect)
    this.sweeping = startSweeping({
      queries: this.queries,
      rows: engine.sweepRows,
      clock: engine.clock,
      run: query => this.affected(query)
    })
  }

  async get(key: Key): Promise<StoredRecord | undefined> {
    const [row] = await this.rows(this.queries.get({ ...addressOf(key), now: this.engine.clock() }))
    return row && { value: JSON.parse(row.value) as Json, version: row.version }
  }

  async set(key: Key, value: Json, ttl: number): Promise<void> {
    await this.affected(this.queries.set(this.written(key, value, ttl)))
  }

  async add(key: Key, value: Json, ttl: number): Promise<boolean> {
    return (await this.affected(this.queries.add(this.written(key, value, ttl)))) === 1
  }

  async take(key: Key): Promise<Taken> {
    const [row] = await this.rows(this.queries.take({ ...addressOf(key), now: this.engine.clock() }))
    if (row === undefined) return { outcome: 'absent' }
    return row.takes === 1 ? { outcome: 'taken', value: JSON.parse(row.value) as Json } : { outcome: 'spent' }
  }

  async swap(key: Key, version: StoredRecord['version'], value: Json, ttl: number): Promise<boolean> {
    return (await this.affected(this.queries.swap({ ...this.written(key, value, ttl), version: String(version) }))) === 1
  }

  async delete(key: Key): Promise<void> {
    await this.affected(this.queries.delete({ key: addressOf(key).key, now: this.engine.clock() }))
  }

  async deleteGrant(grant: string): Promise<void> {
    const ended = digestOf(grant)
    await this.affected(this.queries.endGrant({ grant: ended, lifetime: endedGrantLifetime, now: this.engine.clock() }))
    this.sweeping.grantEnded(ended)
  }

  close(): Promise<void> {
    this.closing ??= this.sweeping.stop().then(() => this.engine.close())
    return this.closing
  }

  private written(key: Key, value: Json, ttl: number) {
    const { text, lifetime } = newRecord(value, ttl)
    return { ...addressOf(key), text, lifetime, next: this.nextVersion(), now: this.engine.clock() }
  }

  private async rows<Row>(query: CompiledQuery<Row>): Promise<Row[]> {
    return (await this.run(query)).rows
  }

  private async affected(query: CompiledQuery): Promise<number> {
    return Number((await this.run(query)).numAffectedRows ?? 0n)
  }

  private run<Row>(query: CompiledQuery<Row>) {
    if (this.closing !== undefined) throw new Error('the store is closed')
    return this.engine.db.executeQuery(query)
  }
}

function addressOf(key: Key): { readonly key: Buffer; readonly grant: Buffer | null } {
  return { key: digestOf(nameOf(key)), grant: key.grant === undefined ? null : digestOf(key.grant) }
}
