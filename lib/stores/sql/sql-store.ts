/** The store contract in SQL: what SQLite and PostgreSQL have in common, which is nearly everything. */
import type { CompiledQuery, Kysely } from 'kysely'
import { digestOf, nameOf } from '../engine/key-name.ts'
import { endedGrantLifetime, newRecord, versionMaker } from '../engine/new-record.ts'
import { batchStatement, sqlQueries, type BatchStatement, type Queries, type QueryDialect, type Values } from './queries.ts'
import type { Schema } from './schema.ts'
import { startSweeping, type Sweeping } from './sweeping.ts'
import type { Batch, BatchOutcome, BatchStore, FirstStep, Json, Key, Store, StoredRecord, Taken } from '../store.ts'

export interface SqlEngine {
  readonly db: Kysely<Schema>
  readonly dialect: QueryDialect
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Milliseconds after which a batch that had to give way to others is not begun again. */
  readonly timeout: number
  /** Rows that each statement of a step of sweeping removes at most. */
  readonly sweepRows: number
  /**
   * Runs statements as one transaction, and says whether the first changed a row. Those after it are run where it did,
   * or where it does not decide. Left out: the engine takes a batch as one statement.
   */
  readonly transact?: (queries: readonly CompiledQuery[], decides: boolean) => Promise<boolean>
  /** Releases what was opened for this store. */
  close(): Promise<void>
}

/** A store on tables that are up to date. */
export function sqlStore(engine: SqlEngine): Store {
  return new SqlStore(engine)
}

class SqlStore implements BatchStore {
  private readonly engine: SqlEngine
  private readonly queries: Queries
  private readonly nextVersion = versionMaker()
  private readonly sweeping: Sweeping
  /** Those that were asked for, by the operations of their steps. */
  private readonly batches = new Map<string, BatchStatement>()
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

  async batch(steps: Batch): Promise<BatchOutcome> {
    const { transact } = this.engine
    const decides = canRefuse(steps[0])
    const valued = steps.map(step => ({ operation: step.operation, values: this.valuesOf(step) }))
    let isDone: boolean
    if (transact === undefined) isDone = await this.inOneStatement(valued, decides)
    else {
      this.checkOpen()
      isDone = await transact(
        valued.map(({ operation, values }) => this.queries[operation](values)),
        decides
      )
    }
    return isDone || !decides ? 'done' : 'refused'
  }

  close(): Promise<void> {
    this.closing ??= this.sweeping.stop().then(() => this.engine.close())
    return this.closing
  }

  private valuesOf(step: FirstStep): Values {
    const version = step.operation === 'swap' ? String(step.version) : ''
    const { key, grant } = addressOf(step.key)
    const shared = { key, grant, version, now: this.engine.clock(), limit: 0 }
    if (step.operation === 'delete') return { text: '', next: '', lifetime: 0, ...shared }
    const { text, lifetime } = newRecord(step.value, step.ttl)
    return { text, next: this.nextVersion(), lifetime, ...shared }
  }

  private async inOneStatement(steps: readonly ValuedStep[], decides: boolean): Promise<boolean> {
    const [first, ...rest] = steps
    if (first === undefined) return true
    // all processes lock records in one order, as far as the one that decides leaves them to
    const [head = first, ...tail] = decides ? [first, ...rest.toSorted(byKey)] : steps.toSorted(byKey)
    const shape = [head, ...tail].map(({ operation }) => operation).join(decides ? ' ' : ', ')
    let statement = this.batches.get(shape)
    if (statement === undefined) {
      const operations = [head.operation, ...tail.map(({ operation }) => operation)] as const
      statement = batchStatement(this.engine.db, this.engine.dialect, operations, decides)
      this.batches.set(shape, statement)
    }
    const query = statement([head, ...tail].map(({ values }) => values))
    // where others lock the same records in another order
    for (const until = performance.now() + this.engine.timeout; ;) {
      try {
        return (await this.rows(query))[0]?.done === true
      } catch (error) {
        // one of those that wait for one another was chosen to give way, and has left nothing
        if (!isDeadlock(error) || performance.now() > until) throw error
      }
    }
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

  private checkOpen(): void {
    if (this.closing !== undefined) throw new Error('the store is closed')
  }

  private run<Row>(query: CompiledQuery<Row>) {
    this.checkOpen()
    return this.engine.db.executeQuery(query)
  }
}

interface ValuedStep {
  readonly operation: FirstStep['operation']
  readonly values: Values
}

function canRefuse({ operation }: FirstStep): boolean {
  return operation === 'add' || operation === 'swap'
}

function byKey(one: ValuedStep, other: ValuedStep): number {
  return Buffer.compare(one.values.key, other.values.key)
}

/** PostgreSQL's deadlock_detected. */
function isDeadlock(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '40P01'
}

function addressOf(key: Key): { readonly key: Buffer; readonly grant: Buffer | null } {
  return { key: digestOf(nameOf(key)), grant: key.grant === undefined ? null : digestOf(key.grant) }
}
