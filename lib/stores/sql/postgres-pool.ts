/** Connections to PostgreSQL that never keep anybody waiting, and whose end is no end of the process. */
import type { PostgresPool as KyselyPool, PostgresPoolClient as KyselyClient } from 'kysely'
import { DeadlineError, within } from '../engine/deadline.ts'

/** What is used of a `Pool` of the package `pg`. */
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

/** A connection of `pg`, as far as the store uses it. */
export interface PostgresClient {
  /** Runs a statement. */
  query(text: string, values: unknown[]): Promise<{ readonly rows: unknown[] }>
  /** With an error, the connection is closed and not used again. */
  release(error?: Error | boolean): void
  /** Adds a listener of errors. */
  on(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * The pool as Kysely uses it. Connecting and querying together take at most `timeout` milliseconds; a connection that did not
 * answer in time is closed, because the next caller would wait for the same silence.
 */
export function boundedPool(pool: PostgresPool, timeout: number): KyselyPool {
  // with these events pg says that a connection broke, one nobody uses and one somebody does; unheard, they end the process
  pool.on('error', ignore)
  const heard = new WeakSet<PostgresClient>()
  pool.on('acquire', client => {
    if (!heard.has(client)) client.on('error', ignore)
    heard.add(client)
  })
  return {
    connect: () => connect(pool, performance.now() + timeout),
    end: () => pool.end()
  }
}

async function connect(pool: PostgresPool, deadline: number): Promise<KyselyClient> {
  const client = await within(pool.connect(), deadline - performance.now(), late => late.release())
  let broken: Error | undefined
  const query = async (text: string, values: readonly unknown[]) => {
    try {
      return await within(client.query(text, [...values]), deadline - performance.now())
    } catch (error) {
      if (error instanceof DeadlineError) broken = error
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
