/**
 * Runs Kysely's statements on one SQLite connection. Every write that arrives in one turn of the event loop becomes
 * part of one transaction, and is answered when that is on disk: a hundred callers wait for the disk once, not a
 * hundred times.
 *
 * Another process may be writing. It is waited for without blocking this one, until the write's time is up.
 */
import {
  SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type QueryResult
} from 'kysely'
import { DeadlineError } from '../engine/deadline.ts'

/** The part used of `libsql` and of `better-sqlite3`, whose interface it has. */
export interface SqliteDatabase {
  /** Compiles a statement. */
  prepare(source: string): SqliteStatement
  /** Runs statements that answer nothing. */
  exec(source: string): unknown
  /** Closes the file. */
  close(): unknown
}

/** A compiled statement. */
export interface SqliteStatement {
  /** Whether it answers with rows. */
  readonly reader: boolean
  /** Runs it, and returns its rows. */
  all(...parameters: unknown[]): unknown[]
  /** Runs it, and returns how many rows it changed. */
  run(...parameters: unknown[]): { readonly changes: number }
}

interface Write {
  readonly query: CompiledQuery
  /** What else is done, in the same transaction, where that statement `allows` it. */
  readonly rest: readonly CompiledQuery[]
  readonly allows: (result: QueryResult<never>) => boolean
  readonly deadline: number
  readonly resolve: (result: QueryResult<never>) => void
  readonly reject: (error: unknown) => void
}

/** So many writes make one transaction at most: some milliseconds' work, in which this process does nothing else. */
const mostWrites = 100

export class SqliteConnection implements DatabaseConnection {
  private readonly database: SqliteDatabase
  /** Milliseconds. */
  private readonly timeout: number
  private readonly statements = new Map<string, SqliteStatement>()
  private writes: Write[] = []
  private scheduled = false

  constructor(database: SqliteDatabase, timeout: number) {
    this.database = database
    this.timeout = timeout
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (SelectQueryNode.is(query.query)) return this.patiently(() => this.executeNow<Row>(query))
    return this.write(query)
  }

  /**
   * Runs statements as one transaction, and says whether the first changed a row. Those after it are run where it did,
   * or where it does not decide.
   */
  async transact([query, ...rest]: readonly CompiledQuery[], decides: boolean): Promise<boolean> {
    if (query === undefined) return true
    const changed = ({ numAffectedRows = 0n }: QueryResult<never>) => numAffectedRows > 0n
    return changed(await this.write(query, rest, decides ? changed : undefined))
  }

  private write<Row>(
    query: CompiledQuery,
    rest: readonly CompiledQuery[] = [],
    allows: Write['allows'] = () => true
  ): Promise<QueryResult<Row>> {
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + this.timeout
      this.writes.push({ query, rest, allows, deadline, resolve, reject })
      this.schedule()
    })
  }

  streamQuery(): never {
    throw new Error('rows are not streamed')
  }

  /** Runs a statement at once, whoever else may be writing. @throws where somebody is. */
  executeNow<Row>({ sql, parameters }: CompiledQuery): QueryResult<Row> {
    let statement = this.statements.get(sql)
    if (statement === undefined) {
      statement = this.database.prepare(sql)
      this.statements.set(sql, statement)
    }
    if (statement.reader) return { rows: statement.all(parameters) as Row[] }
    return { rows: [], numAffectedRows: BigInt(statement.run(parameters).changes) }
  }

  /** Runs `work` until it finds the database free, and no longer than it may take. */
  async patiently<T>(work: () => T, patience = this.timeout): Promise<T> {
    const deadline = performance.now() + patience
    for (;;) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error
        await new Promise(resolve => setTimeout(resolve, pauseWhenBusy()))
      }
    }
  }

  private schedule(pause?: number): void {
    if (this.scheduled) return
    this.scheduled = true
    const flush = () => {
      this.scheduled = false
      this.flush()
    }
    if (pause === undefined) setImmediate(flush)
    else setTimeout(flush, pause)
  }

  private flush(): void {
    const now = performance.now()
    const late = this.writes.filter(({ deadline }) => deadline < now)
    if (late.length > 0) this.writes = this.writes.filter(({ deadline }) => deadline >= now)
    for (const { reject } of late) reject(new DeadlineError('the database was busy with other processes for too long'))
    const batch = this.writes.slice(0, mostWrites)
    if (batch.length === 0) return
    try {
      const done = this.transaction(() => batch.map(write => ({ ...write, result: this.perform(write) })))
      this.writes = this.writes.slice(batch.length)
      for (const { resolve, result } of done) resolve(result)
    } catch (error) {
      if (isBusy(error)) {
        this.schedule(pauseWhenBusy())
        return
      }
      this.writes = this.writes.slice(batch.length)
      for (const { reject } of batch) reject(error)
    }
    if (this.writes.length > 0) this.schedule()
  }

  private perform({ query, rest, allows }: Write): QueryResult<never> {
    const result = this.executeNow<never>(query)
    if (allows(result)) for (const next of rest) this.executeNow(next)
    return result
  }

  private transaction<T>(work: () => T): T {
    this.database.exec('begin immediate')
    try {
      const result = work()
      this.database.exec('commit')
      return result
    } catch (error) {
      this.rollBack()
      throw error
    }
  }

  private rollBack(): void {
    try {
      this.database.exec('rollback')
    } catch {
      // SQLite has already done it, which is why something failed
    }
  }
}

/** Kysely's SQLite, on this connection. There are no transactions across statements: each is one by itself. */
export function sqliteDialect(connection: DatabaseConnection): Dialect {
  const unused = () => Promise.reject(new Error('every statement is a transaction of its own'))
  return {
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: db => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createDriver: () => ({
      init: () => Promise.resolve(),
      acquireConnection: () => Promise.resolve(connection),
      releaseConnection: () => Promise.resolve(),
      beginTransaction: unused,
      commitTransaction: unused,
      rollbackTransaction: unused,
      destroy: () => Promise.resolve()
    })
  }
}

function isBusy(error: unknown): boolean {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
}

/** Milliseconds. Not always the same, so that two processes do not meet again and again. */
function pauseWhenBusy(): number {
  return 1 + Math.random() * 4
}
