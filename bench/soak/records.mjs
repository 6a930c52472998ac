/** How many records a store holds, expired ones that were not given back yet included, and the bytes they take where the engine tells. */
import { statSync } from 'node:fs'
import Database from 'libsql'
import pg from 'pg'
import { createClient } from 'redis'

/** By the kind of store: asks the target, or looks into the database beside it. */
const counts = {
  memory: target => target.ask('records'),
  async sqlite(_, path) {
    const db = new Database(path, { readonly: true })
    try {
      const { count } = db.prepare('select count(*) as count from clientele_records').get()
      const sizes = [path, `${path}-wal`].map(file => statSync(file, { throwIfNoEntry: false })?.size ?? 0)
      return { count, bytes: sizes[0] + sizes[1] }
    } finally {
      db.close()
    }
  },
  async postgres(_, connectionString) {
    const client = new pg.Client({ connectionString })
    await client.connect()
    try {
      const table = `select count(*)::float8 as count, pg_total_relation_size('clientele_records')::float8 as bytes from clientele_records`
      return (await client.query(table)).rows[0]
    } finally {
      await client.end()
    }
  },
  async redis(_, url) {
    const client = await createClient({ url }).connect()
    try {
      const [, bytes] = /used_memory:(\d+)/.exec(await client.info('memory'))
      return { count: await client.dbSize(), bytes: Number(bytes) }
    } finally {
      await client.close()
    }
  }
}

/** @returns {Promise<{ count: number, bytes?: number }>} */
export function recordsOf({ kind, address }, target) {
  return counts[kind](target, address)
}
