import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { storeContract } from '../../lib/testing/store.ts'
import { startPostgres, type PostgresServer } from '../engines/postgres-server.ts'

let server: PostgresServer
let schemas = 0
/** Of machines that do much else at the same time. */
const timeout = 20_000

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

/** An address whose tables are in a schema of their own. */
function newSchema(): string {
  const schema = `case_${(schemas += 1)}`
  server.query(`create schema ${schema}`)
  return `${server.url}?options=-c%20search_path%3D${schema}`
}

const interrupt = () =>
  void server.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'clientele'")

describe('postgresStore keeps the store contract, by a clock that was handed to it', () => {
  storeContract(it, {
    start: () => ({ url: newSchema(), now: Date.UTC(2026, 0, 1) }),
    open: engine => postgresStore({ url: engine.url, clock: () => engine.now, connections: 4, timeout }),
    pass: (engine, seconds) => void (engine.now += seconds * 1000),
    interrupt
  })
})

describe("postgresStore keeps the store contract, by the database's clock", () => {
  storeContract(it, { start: newSchema, open: url => postgresStore({ url, connections: 4, timeout }), interrupt })
})
