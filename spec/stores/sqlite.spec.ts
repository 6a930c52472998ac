import { afterAll, describe, expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import Database from 'libsql'
import { ConfigurationError } from '../../lib/options.ts'
import { sqliteStore, type SqliteDatabase } from '../../lib/stores/sqlite.ts'
import type { Key } from '../../lib/stores/store.ts'
import { storeContract } from '../../lib/testing/store.ts'
import { typescriptArgs } from '../support/processes/typescript-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'clientele-sqlite-'))
let files = 0
const newPath = () => join(folder, `store-${(files += 1)}.db`)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('sqliteStore keeps the store contract', () => {
  storeContract(it, {
    start: () => ({ path: newPath(), now: Date.UTC(2026, 0, 1) }),
    open: engine => sqliteStore({ path: engine.path, clock: () => engine.now }),
    pass: (engine, seconds) => void (engine.now += seconds * 1000)
  })
})

const jti = (index: number): Key => ({ kind: 'client_assertion', id: `jti ${index}` })
const token = (index: number, grant = 'g1'): Key => ({ kind: 'access_token', id: `token ${index}`, grant })

/** Another connection to the same file, as another process has one. */
function rival(path: string) {
  const database = new Database(path)
  const rows = (table: string) =>
    (database.prepare(`select count(*) as count from ${table}`).all() as { count: number }[])[0]?.count
  return { database, records: () => rows('clientele_records'), endedGrants: () => rows('clientele_ended_grants') }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(20)
}

describe('sqliteStore', () => {
  it.each([
    [{}, ConfigurationError, 'path or database must be given, and not both'],
    [
      { path: '/tmp/x.db', database: { prepare: () => undefined } as never },
      ConfigurationError,
      'path or database must be given, and not both'
    ],
    [{ path: '/tmp/x.db', timeout: 0 }, ConfigurationError, 'timeout must be a whole number of milliseconds from 1 to 60000'],
    [{ path: '/tmp/x.db', timeout: 1.5 }, ConfigurationError, 'timeout must'],
    [{ path: '/tmp/x.db', timeout: Infinity }, ConfigurationError, 'timeout must'],
    [
      { path: '/tmp/x.db', survives: 'fire' as 'power-loss' },
      ConfigurationError,
      'survives must be one of "power-loss", "process-crash"'
    ]
  ] as const)('rejects %p', async (options, type, message) => {
    const opening = sqliteStore(options)
    await expect(opening).rejects.toThrow(message)
    await expect(opening).rejects.toBeInstanceOf(type)
  })

  it('rejects where there is no such folder', async () => {
    await expect(sqliteStore({ path: join(folder, 'nowhere', 'store.db') })).rejects.toThrow('ENOENT')
  })

  it('rejects a file that is something else, and leaves it as it is', async () => {
    const path = newPath()
    const text = 'not a database, but a text of some length\n'.repeat(100)
    writeFileSync(path, text)
    await expect(sqliteStore({ path })).rejects.toThrow('file is not a database')
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('keeps its files from other users of the machine', async () => {
    const path = newPath()
    const store = await sqliteStore({ path })
    await store.set(jti(1), 1, 60)
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o077).toBe(0)
    await store.close()
  })

  it('keeps no key in clear', async () => {
    const path = newPath()
    const store = await sqliteStore({ path })
    await store.set({ kind: 'session', id: 'somebody-knows-this', grant: 'and-this-too' }, 1, 60)
    await store.close()
    expect(readFileSync(path).includes('somebody-knows-this')).toBe(false)
    expect(readFileSync(path).includes('and-this-too')).toBe(false)
  })

  it('works in memory, for as long as it is open', async () => {
    const store = await sqliteStore({ path: ':memory:' })
    await store.set(jti(1), 1, 60)
    expect((await store.get(jti(1)))?.value).toBe(1)
    await store.close()
  })

  it('takes an open database, and leaves closing it to its owner', async () => {
    const { database } = rival(newPath())
    const store = await sqliteStore({ database })
    await store.set(jti(1), 1, 60)
    await store.close()
    await expect(store.get(jti(1))).rejects.toThrow('the store is closed')
    expect(database.prepare('select count(*) as count from clientele_records').all()).toEqual([{ count: 1 }])
    const again = await sqliteStore({ database })
    expect((await again.get(jti(1)))?.value).toBe(1)
    database.close()
  })
})

describe('writes', () => {
  /** The database, and what it was told to execute. */
  function watched(path: string) {
    const { database } = rival(path)
    const executed: string[] = []
    const failing = { on: '' }
    const told = new Proxy(database, {
      get(target, name: keyof SqliteDatabase) {
        if (name !== 'exec') return target[name].bind(target)
        return (source: string) => {
          executed.push(source)
          if (source === failing.on) throw new Error('disk I/O error')
          return target.exec(source)
        }
      }
    })
    return { database: told, executed, failing }
  }

  it('of one turn of the event loop are one transaction, of at most a hundred', async () => {
    const { database, executed } = watched(newPath())
    const store = await sqliteStore({ database })
    executed.length = 0
    await Promise.all(Array.from({ length: 100 }, (_, index) => store.add(jti(index), null, 60)))
    expect(executed).toEqual(['begin immediate', 'commit'])
    await Promise.all(Array.from({ length: 250 }, (_, index) => store.add(jti(1_000 + index), null, 60)))
    expect(executed.filter(source => source === 'commit')).toHaveLength(4)
    await store.close()
  })

  it('that did not reach the disk are all rejected, and none of them is there', async () => {
    const { database, failing } = watched(newPath())
    const store = await sqliteStore({ database })
    failing.on = 'commit'
    const outcomes = await Promise.allSettled([store.add(jti(1), null, 60), store.set(jti(2), 2, 60), store.take(jti(3))])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    failing.on = ''
    expect([await store.get(jti(1)), await store.get(jti(2))]).toEqual([undefined, undefined])
    expect(await store.add(jti(1), null, 60)).toBe(true)
    await store.close()
  })

  it('wait for another process that writes, while this one goes on with everything else', async () => {
    const path = newPath()
    const store = await sqliteStore({ path })
    await store.set(jti(1), 'before', 60)
    const { database } = rival(path)
    database.exec('begin immediate')
    let turns = 0
    const turning = setInterval(() => (turns += 1), 1)
    const writing = store.set(jti(1), 'after', 60)
    await pause(200)
    expect((await store.get(jti(1)))?.value).toBe('before')
    expect(turns).toBeGreaterThan(10)
    clearInterval(turning)
    database.exec('rollback')
    await writing
    expect((await store.get(jti(1)))?.value).toBe('after')
    await store.close()
  })

  it('give up when their time is over, were not done, and are welcome again afterwards', async () => {
    const path = newPath()
    const store = await sqliteStore({ path, timeout: 100 })
    const { database } = rival(path)
    database.exec('begin immediate')
    await expect(store.add(jti(1), null, 60)).rejects.toThrow('busy with other processes for too long')
    database.exec('rollback')
    expect(await store.get(jti(1))).toBeUndefined()
    expect(await store.add(jti(1), null, 60)).toBe(true)
    await store.close()
  })
})

describe('sweeping', () => {
  it('gives back what has expired, in several steps, and nothing else', async () => {
    const engine = { path: newPath(), now: 1_000_000 }
    const store = await sqliteStore({ path: engine.path, clock: () => engine.now })
    const { records } = rival(engine.path)
    await Promise.all(Array.from({ length: 500 }, (_, index) => store.set(jti(index), null, index % 5 === 0 ? 3_600 : 60)))
    await store.take(jti(1))
    engine.now += 60_000
    await until(() => records() === 100)
    await pause(1_600)
    expect(records()).toBe(100)
    expect((await store.get(jti(0)))?.value).toBeNull()
    await store.close()
  })

  it('gives back what belonged to an ended grant, and forgets the grant only when that is all gone and its hour is over', async () => {
    const engine = { path: newPath(), now: 1_000_000 }
    const open = () => sqliteStore({ path: engine.path, clock: () => engine.now })
    const store = await open()
    const { database, records, endedGrants } = rival(engine.path)
    await Promise.all(Array.from({ length: 120 }, (_, index) => store.set(token(index), 1, 86_400)))
    await store.set(token(1, 'g2'), 1, 86_400)
    await store.deleteGrant('g1')
    await until(() => records() === 1)
    expect(endedGrants()).toBe(1)
    await store.close()
    // a crash before anything was swept leaves records behind, and so does a write that did not see the end of the grant
    const [{ grant_key } = {}] = database.prepare('select grant_key from clientele_ended_grants').all() as { grant_key: Buffer }[]
    database
      .prepare("insert into clientele_records select x'00', ?, '1', 'v', 0, 9000000000000000")
      .run([Buffer.from(grant_key ?? [])])
    const after = await open()
    engine.now += 3_599_999
    await pause(1_600)
    expect([records(), endedGrants()]).toEqual([2, 1])
    engine.now += 1
    await until(() => endedGrants() === 0)
    expect(records()).toBe(1)
    expect((await after.get(token(1, 'g2')))?.value).toBe(1)
    await after.close()
  })

  it('keeps no process alive', async () => {
    const script = `import { sqliteStore } from 'clientele/stores/sqlite'; await sqliteStore({ path: process.argv[1] }); console.log('open')`
    const args = [...typescriptArgs, '--input-type=module', '-e', script, newPath()]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 15_000 })
    expect(stdout).toBe('open\n')
  })
})
