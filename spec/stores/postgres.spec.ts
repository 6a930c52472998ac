import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { ConfigurationError } from '../../lib/options.ts'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { storeContract } from '../../lib/testing/store.ts'
import type { Key } from '../../lib/stores/store.ts'
import { startPostgres, type PostgresServer } from '../engines/postgres-server.ts'
import { startProxy } from '../engines/silent-proxy.ts'

let server: PostgresServer
let schemas = 0
const mostSchemas = 500
/** Of machines that do much else at the same time. */
const timeout = 20_000

beforeAll(async () => {
  server = await startPostgres()
  server.query(`do $$ begin for n in 1..${mostSchemas} loop execute 'create schema case_' || n; end loop; end $$`)
})
afterAll(() => server.stop())

const inSchema = (schema: string, url = server.url) => `${url}?options=-c%20search_path%3D${schema}`

/** An address whose tables are in a schema of their own. */
function newSchema(): string {
  schemas += 1
  if (schemas > mostSchemas) throw new Error('there are not enough schemas')
  return inSchema(`case_${schemas}`)
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

const token = (index: number, grant = 'g1'): Key => ({ kind: 'access_token', id: `token ${index}`, grant })
const jti = (index: number): Key => ({ kind: 'client_assertion', id: `jti ${index}` })

/** Milliseconds until it rejects. */
async function rejection(operation: Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await expect(operation).rejects.toThrow()
  return performance.now() - begun
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await Promise.resolve(holds()).catch(() => false))) await pause(20)
}

describe('postgresStore', () => {
  it.each([
    [{}, ConfigurationError, 'url or pool must be given, and not both'],
    [
      { url: 'postgres://localhost/x', pool: { connect: () => undefined } as never },
      ConfigurationError,
      'url or pool must be given, and not both'
    ],
    [{ url: 'postgres://localhost/x', timeout: 70_000 }, ConfigurationError, 'timeout must be a whole number of milliseconds'],
    [{ url: 'postgres://localhost/x', connections: 0 }, ConfigurationError, 'connections must be a whole number greater than 0']
  ] as const)('rejects %p', async (options, type, message) => {
    const opening = postgresStore(options)
    await expect(opening).rejects.toThrow(message)
    await expect(opening).rejects.toBeInstanceOf(type)
  })

  it('rejects where nothing listens, and where there is no such database', async () => {
    await expect(postgresStore({ url: 'postgres://127.0.0.1:1/x' })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(postgresStore({ url: server.url.replace(/postgres$/, 'nowhere') })).rejects.toMatchObject({ code: '3D000' })
  })

  it('makes its tables once, however many processes start together', async () => {
    const url = newSchema()
    const stores = await Promise.all(Array.from({ length: 10 }, () => postgresStore({ url, connections: 1, timeout })))
    expect(server.query(`select string_agg(version::text, ',') from case_${schemas}.clientele_schema`)).toBe('1')
    await Promise.all(stores.map(store => store.close()))
  })

  it('needs no right to make tables where they are there already', async () => {
    const url = newSchema()
    await (await postgresStore({ url, timeout })).close()
    const schema = `case_${schemas}`
    server.query('create role worker login')
    server.query(`grant usage on schema ${schema} to worker`)
    server.query(`grant select, insert, update, delete on all tables in schema ${schema} to worker`)
    const store = await postgresStore({ url: url.replace('postgres@', 'worker@'), timeout })
    expect(await store.add(jti(1), null, 60)).toBe(true)
    await store.close()
    const without = newSchema().replace('postgres@', 'worker@')
    server.query(`grant usage on schema case_${schemas} to worker`)
    await expect(postgresStore({ url: without, timeout })).rejects.toThrow('permission denied')
  })

  it('tells the time by the database, whatever clock the process has', async () => {
    const url = newSchema()
    const [store, another] = [await postgresStore({ url, timeout }), await postgresStore({ url, timeout })]
    const now = Date.now
    try {
      Date.now = () => now() + 86_400_000
      await store.set(token(1), 1, 60)
      Date.now = () => now() - 86_400_000
      expect((await another.get(token(1)))?.value).toBe(1)
      await another.set(token(2), 2, 0.1)
      await pause(150)
      expect(await another.get(token(2))).toBeUndefined()
    } finally {
      Date.now = now
    }
    await Promise.all([store.close(), another.close()])
  })

  it('works by a pool it was given, hears when its connections break, and leaves it open', async () => {
    const pool = new pg.Pool({ connectionString: newSchema(), application_name: 'clientele' })
    await pool.query('select 1')
    const store = await postgresStore({ pool, timeout })
    await store.set(token(1), 1, 60)
    interrupt()
    await until(async () => (await store.get(token(1))) !== undefined)
    await store.close()
    await expect(store.get(token(1))).rejects.toThrow('the store is closed')
    expect((await pool.query('select count(*)::int as count from clientele_records')).rows).toEqual([{ count: 1 }])
    await pool.end()
  })
})

describe('prepared statements', () => {
  const open = async (options: object = {}) => {
    const pool = new pg.Pool({ connectionString: newSchema(), max: 1 })
    const store = await postgresStore({ pool, timeout, ...options })
    const prepared = async () => (await pool.query<{ name: string }>('select name from pg_prepared_statements')).rows
    return { pool, store, prepared, close: () => store.close().then(() => pool.end()) }
  }

  it('are prepared once per connection, by a name made of the text', async () => {
    const { store, prepared, close } = await open()
    for (let index = 0; index < 5; index++) await store.set(token(index), index, 60)
    const [first, ...more] = await prepared()
    expect([first?.name, more]).toEqual([expect.stringMatching(/^clientele_[0-9a-f]{32}$/), []])
    expect((await store.get(token(1)))?.value).toBe(1)
    expect(await prepared()).toHaveLength(2)
    await close()
  })

  it('are not, where a pooler cannot have them', async () => {
    const { store, prepared, close } = await open({ preparedStatements: false })
    await store.set(token(1), 1, 60)
    expect((await store.get(token(1)))?.value).toBe(1)
    expect(await prepared()).toEqual([])
    await close()
  })

  it('that the server has forgotten cost one operation, and the connection', async () => {
    const { pool, store, close } = await open()
    await store.set(token(1), 1, 60)
    await pool.query('deallocate all')
    await expect(store.set(token(1), 2, 60)).rejects.toMatchObject({ code: '26000' })
    await store.set(token(1), 3, 60)
    expect((await store.get(token(1)))?.value).toBe(3)
    await close()
  })
})

describe('sweeping', () => {
  const counts = () => {
    const count = (table: string) => Number(server.query(`select count(*) from case_${schemas}.${table}`))
    return { records: count('clientele_records'), endedGrants: count('clientele_ended_grants') }
  }

  it('gives back what has expired or was ended, by several processes at once', async () => {
    const engine = { url: newSchema(), now: 1_000_000 }
    const open = () => postgresStore({ url: engine.url, clock: () => engine.now, connections: 4, timeout })
    const [store, another] = [await open(), await open()]
    for (let index = 0; index < 1_200; index += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, each) => store.set(jti(index + each), 1, index < 50 ? 86_400 : 60)))
    }
    await Promise.all(Array.from({ length: 60 }, (_, index) => another.set(token(index), 1, 86_400)))
    await another.deleteGrant('g1')
    engine.now += 60_000
    await until(() => counts().records === 50)
    expect(counts()).toEqual({ records: 50, endedGrants: 1 })
    engine.now += 3_540_000
    await until(() => counts().endedGrants === 0)
    expect(counts().records).toBe(50)
    await Promise.all([store.close(), another.close()])
  })
})

describe('when PostgreSQL fails', () => {
  it('every operation rejects within its time while the database is held up, and works again when it is not', async () => {
    const store = await postgresStore({ url: newSchema(), timeout: 300 })
    await store.set(token(1), 1, 600)
    const other = new pg.Client({ connectionString: inSchema(`case_${schemas}`) })
    await other.connect()
    await other.query('begin')
    await other.query('lock table clientele_records, clientele_ended_grants in access exclusive mode')
    const took = await Promise.all(
      [
        store.get(token(1)),
        store.set(token(1), 2, 60),
        store.add(jti(1), 1, 60),
        store.take(jti(1)),
        store.deleteGrant('g2')
      ].map(rejection)
    )
    expect(Math.max(...took)).toBeLessThan(3_000)
    // the server gives up by a clock of its own, which may be a little behind
    await new Promise(resolve => setTimeout(resolve, 1_000))
    await other.query('rollback')
    await until(async () => (await store.get(token(1)))?.value === 1)
    // what was rejected was not done by those who gave up either
    expect(await store.add(jti(1), null, 60)).toBe(true)
    await other.end()
    await store.close()
  })

  it('finds a new way to a server whose connections fell silent', async () => {
    const proxy = await startProxy(server.port)
    newSchema()
    const url = inSchema(`case_${schemas}`, server.url.replace(`:${server.port}`, `:${proxy.port}`))
    const store = await postgresStore({ url, timeout: 300 })
    await store.set(token(1), 1, 600)
    proxy.silence()
    await rejection(store.get(token(1)))
    await until(async () => (await store.get(token(1))) !== undefined)
    await store.close()
    proxy.close()
  })

  it('rejects soon while the server is down, and has everything that was answered when it is back', async () => {
    const store = await postgresStore({ url: newSchema(), timeout: 2_000 })
    await store.set(token(1), 'kept', 600)
    await store.add(jti(1), null, 600)
    await store.take(jti(1))
    await server.kill()
    await until(async () => (await rejection(store.get(token(1)))) < 500)
    await server.start()
    await until(async () => (await store.get(token(1))) !== undefined)
    expect((await store.get(token(1)))?.value).toBe('kept')
    expect(await store.take(jti(1))).toEqual({ outcome: 'spent' })
    await store.close()
  })
})
