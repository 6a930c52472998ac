/** Connections to PostgreSQL that never keep anybody waiting, and whose end is no end of the process. */
import { hash } from 'node:crypto'
import type { PostgresPool as KyselyPool, PostgresPoolClient as KyselyClient } from 'kysely'
import { DeadlineError, within } from '../engine/deadline.ts'

/** The part used of a `Pool` of the package `pg`. */
export interface PostgresPool {
  /** Lends a connection. */
  connect(): Promise<PostgresClient>
  /** Ends every connection. */
  end(): Promise<void>
  /** Adds a listener. */
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Adds a listener. */
  on(event: 'acquire', listener: (client: PostgresClient) => void): unknown
}

/** A statement of `pg`: one that has a name is parsed once per connection. */
export interface PostgresStatement {
  /** The name it is prepared under. Left out: it is not. */
  readonly name?: string
  /** The statement, with `$1`, `$2`, … for its values. */
  readonly text: string
  /** Its values. */
  readonly values: unknown[]
}

/** A connection of `pg`, as far as the store uses it. */
export interface PostgresClient {
  /** Runs a statement. */
  query(statement: PostgresStatement): Promise<{ readonly rows: unknown[] }>
  /** With an error, the connection is closed and not used again. */
  release(error?: Error | boolean): void
  /** Adds a listener of errors. */
  on(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * The pool as Kysely uses it. Connecting and querying together take at most `timeout` milliseconds; a connection that
 * did not answer in time is closed, because the next caller would wait for the same silence. With `prepared`, a
 * statement is prepared by a name of its own, which is made of its text, so that releases of different versions can
 * share a connection.
 */
export function boundedPool(pool: PostgresPool, timeout: number, prepared = false): KyselyPool {
  const asStatement = prepared ? named() : unnamed
  // with these events pg says that a connection broke, one nobody uses and one somebody does; unheard, they end the
  // process
  pool.on('error', ignore)
  const heard = new WeakSet<PostgresClient>()
  pool.on('acquire', client => {
    if (!heard.has(client)) client.on('error', ignore)
    heard.add(client)
  })
  return {
    connect: () => connect(pool, performance.now() + timeout, asStatement),
    end: () => pool.end()
  }
}

type AsStatement = (text: string, values: readonly unknown[]) => PostgresStatement

const unnamed: AsStatement = (text, values) => ({ text, values: [...values] })

function named(): AsStatement {
  const names = new Map<string, string>()
  return (text, values) => {
    const name = names.get(text) ?? `clientele_${hash('sha256', text).slice(0, 32)}`
    names.set(text, name)
    return { name, text, values: [...values] }
  }
}

/**
 * SQLSTATE of statements that the connection has not prepared, has prepared for somebody else, or for tables as they
 * were before.
 */
const unprepared = ['26000', '42P05', '0A000']

const isUnprepared = (error: unknown) => error instanceof Error && 'code' in error && unprepared.includes(String(error.code))

async function connect(pool: PostgresPool, deadline: number, asStatement: AsStatement): Promise<KyselyClient> {
  const client = await within(pool.connect(), deadline - performance.now(), late => late.release())
  let broken: Error | undefined
  const query = async (text: string, values: readonly unknown[]) => {
    try {
      return await within(client.query(asStatement(text, values)), deadline - performance.now())
    } catch (error) {
      if (error instanceof DeadlineError || isUnprepared(error)) broken = error as Error
      throw error
    }
  }
  return {
    // Kysely's other form of query() is for cursors, which are not used
    query: query as unknown as KyselyClient['query'],
    release: () => client.release(broken)
  }
}

function ignore(): void {
  // whoever uses the connection learns of it through their query
}
