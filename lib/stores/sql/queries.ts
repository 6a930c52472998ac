/**
 * The statements of the SQL stores: one per operation, each atomic by itself, the same for every engine, and one per
 * kind of batch, for an engine that takes one. They are compiled once and run with ever new values.
 *
 * A grant is ended by one row in `clientele_ended_grants`, which every other statement looks for. So it makes no
 * difference whether a record of the grant was there before, or is being written at this very moment by somebody who
 * did not see the row yet: it is not found. The row goes only when, after an hour at least, no record of the grant is
 * left.
 */
import { sql, type Compilable, type CompiledQuery, type Expression, type Kysely, type SqlBool } from 'kysely'
import type { Schema } from './schema.ts'

/** The values statements are run with. */
export interface Values {
  readonly key: Buffer
  /** The grant's digest; null for a record without a grant. */
  readonly grant: Buffer | null
  readonly text: string
  /** The version the record must have. */
  readonly version: string
  /** The version it is to get. */
  readonly next: string
  /** Milliseconds. */
  readonly lifetime: number
  /** Milliseconds since the epoch; not used where the database tells the time. */
  readonly now: number
  /** Rows that one statement of sweeping removes at most. */
  readonly limit: number
}

/** A statement that waits for its values. */
export type Statement<Row, Needs extends keyof Values> = (values: Pick<Values, Needs | 'now'>) => CompiledQuery<Row>

/** Stands in a compiled statement where a value will be. */
class Hole {
  readonly name: keyof Values
  /** Which step's value, in a statement of several. */
  readonly step: number
  constructor(name: keyof Values, step: number) {
    this.name = name
    this.step = step
  }
}

function hole<Name extends keyof Values>(name: Name, step = 0): NonNullable<Values[Name]> {
  return new Hole(name, step) as unknown as NonNullable<Values[Name]>
}

function statement<Row, Needs extends keyof Values>(query: Compilable<Row>): Statement<Row, Needs> {
  const filled = filling(query.compile())
  return values => filled([values])
}

/** @param compiled what the values of its steps are put into. */
function filling<Row>(compiled: CompiledQuery<Row>) {
  return (steps: readonly Partial<Values>[]): CompiledQuery<Row> => ({
    ...compiled,
    parameters: compiled.parameters.map(value => (value instanceof Hole ? steps[value.step]?.[value.name] : value))
  })
}

/** Differences between the engines, as far as statements are concerned. */
export interface QueryDialect {
  /**
   * The time, in milliseconds since the epoch, where the database tells it. Default: the value `now` of each statement.
   */
  readonly now?: Expression<number>
  /** Whether rows that another process is about to change can be left to it. */
  readonly skipLocked: boolean
}

export type Queries = ReturnType<typeof sqlQueries>

export function sqlQueries(db: Kysely<Schema>, dialect: QueryDialect) {
  const now = timeOf(dialect)
  const { set, add, swap, delete: remove } = writes(db, now)
  return {
    set: statement<unknown, 'key' | 'grant' | 'text' | 'next' | 'lifetime'>(set()),
    /** Affects a row if and only if it added the record. An expired record is in nobody's way, a spent one is. */
    add: statement<unknown, 'key' | 'grant' | 'text' | 'next' | 'lifetime'>(add()),
    /** Affects a row if and only if the record had the version. */
    swap: statement<unknown, 'key' | 'grant' | 'version' | 'text' | 'next' | 'lifetime'>(swap()),
    delete: statement<unknown, 'key'>(remove()),
    ...using(db, now),
    ...ending(db, now),
    ...sweeping(db, now, dialect)
  }
}

function timeOf({ now }: QueryDialect): Expression<number> {
  return now ?? sql<number>`cast(${hole('now')} as bigint)`
}

export type WriteOperation = 'set' | 'add' | 'swap' | 'delete'

/** True for a record whose grant, if it has one, was not ended. */
function unended(db: Kysely<Schema>, step = 0): Expression<SqlBool> {
  const ended = db
    .selectFrom('clientele_ended_grants')
    .select(sql<number>`1`.as('found'))
    .where('clientele_ended_grants.grant_key', '=', hole('grant', step))
  return sql<SqlBool>`not exists ${ended}`
}

const always: Expression<SqlBool> = sql<SqlBool>`1 = 1`

/**
 * The statements that write one record, for a `step` of a batch or by themselves, and only where a further condition
 * holds.
 */
function writes(db: Kysely<Schema>, now: Expression<number>) {
  const expires = (step: number) => sql<number>`${now} + cast(${hole('lifetime', step)} as bigint)`
  const inserting = (step: number, condition: Expression<SqlBool>) =>
    db
      .insertInto('clientele_records')
      .columns(['key', 'grant_key', 'value', 'version', 'takes', 'expires'])
      .expression(
        db
          .selectNoFrom(build => [
            build.val(hole('key', step)).as('key'),
            build.val(hole('grant', step)).as('grant_key'),
            build.val(hole('text', step)).as('value'),
            build.val(hole('next', step)).as('version'),
            sql<number>`0`.as('takes'),
            expires(step).as('expires')
          ])
          .where(unended(db, step))
          .where(condition)
      )
  const written = ['grant_key', 'value', 'version', 'takes', 'expires'] as const
  const replaceAll = Object.fromEntries(written.map(column => [column, sql.ref(`excluded.${column}`)]))
  return {
    set: (step = 0, condition = always) =>
      inserting(step, condition).onConflict(conflict => conflict.column('key').doUpdateSet(replaceAll)),
    add: (step = 0, condition = always) =>
      inserting(step, condition).onConflict(conflict =>
        conflict.column('key').doUpdateSet(replaceAll).where('clientele_records.expires', '<=', now)
      ),
    swap: (step = 0, condition = always) =>
      db
        .updateTable('clientele_records')
        .set({ value: hole('text', step), version: hole('next', step), expires: expires(step) })
        .where('key', '=', hole('key', step))
        .where('version', '=', hole('version', step))
        .where('takes', '=', 0)
        .where('expires', '>', now)
        .where(unended(db, step))
        .where(condition),
    delete: (step = 0, condition = always) =>
      db.deleteFrom('clientele_records').where('key', '=', hole('key', step)).where(condition)
  }
}

/** A batch as one statement: `done` says whether its first step wrote. */
export type BatchStatement = (steps: readonly Partial<Values>[]) => CompiledQuery<{ readonly done: boolean }>

/**
 * Makes the statement of one kind of batch, for an engine in which statements that write can stand in one that reads.
 * Each step waits for the one before it, so that batches that name their records in the same order never wait for one
 * another in a circle.
 *
 * @param decides whether the others are done only where the first one wrote.
 */
export function batchStatement(
  db: Kysely<Schema>,
  dialect: QueryDialect,
  [first, ...rest]: readonly [WriteOperation, ...WriteOperation[]],
  decides: boolean
): BatchStatement {
  const all = writes(db, timeOf(dialect))
  const written = sql<number>`1`.as('written')
  const write: Readonly<Record<WriteOperation, (step: number, condition?: Expression<SqlBool>) => Compilable>> = {
    set: (...step) => all.set(...step).returning(written),
    add: (...step) => all.add(...step).returning(written),
    swap: (...step) => all.swap(...step).returning(written),
    delete: (...step) => all.delete(...step).returning(written)
  }
  const parts = [
    sql`s0 as (${write[first](0)})`,
    ...rest.map((operation, index) => {
      const before = sql.raw(`(select count(*) from s${index}) >= 0`)
      const condition = decides ? sql<SqlBool>`exists (select from s0) and ${before}` : sql<SqlBool>`${before}`
      return sql`${sql.raw(`s${index + 1}`)} as (${write[operation](index + 1, condition)})`
    })
  ]
  return filling(sql<{ done: boolean }>`with ${sql.join(parts)} select exists (select from s0) as done`.compile(db))
}

function ending(db: Kysely<Schema>, now: Expression<number>) {
  return {
    endGrant: statement<unknown, 'grant' | 'lifetime'>(
      db
        .insertInto('clientele_ended_grants')
        .values({
          grant_key: hole('grant'),
          expires: sql<number>`${now} + cast(${hole('lifetime')} as bigint)`
        })
        .onConflict(conflict => conflict.column('grant_key').doUpdateSet({ expires: sql.ref('excluded.expires') }))
    )
  }
}

function using(db: Kysely<Schema>, now: Expression<number>) {
  return {
    get: statement<{ value: string; version: string }, 'key' | 'grant'>(
      db
        .selectFrom('clientele_records')
        .select(['value', 'version'])
        .where('key', '=', hole('key'))
        .where('takes', '=', 0)
        .where('expires', '>', now)
        .where(unended(db))
    ),
    /** Counts how often a record was taken, so that one statement tells the first caller from all later ones. */
    take: statement<{ value: string; takes: number }, 'key' | 'grant'>(
      db
        .updateTable('clientele_records')
        .set({ takes: sql<number>`takes + 1` })
        .where('key', '=', hole('key'))
        .where('expires', '>', now)
        .where(unended(db))
        .returning(['value', 'takes'])
    )
  }
}

/** Statements that give back the space of what is not found any more, at most `limit` rows at a time. */
function sweeping(db: Kysely<Schema>, now: Expression<number>, { skipLocked }: QueryDialect) {
  const expired = db
    .selectFrom('clientele_records')
    .select('key')
    .where('expires', '<=', now)
    .orderBy('expires')
    .limit(hole('limit'))
  const ofGrant = db.selectFrom('clientele_records').select('key').where('grant_key', '=', hole('grant')).limit(hole('limit'))
  const due = db
    .selectFrom('clientele_ended_grants')
    .select('grant_key')
    .where('expires', '<=', now)
    .orderBy('expires')
    .limit(hole('limit'))
  const ofDue = db.selectFrom('clientele_records').select('key').where('grant_key', 'in', due).limit(hole('limit'))
  const forgettable = due.where(build =>
    build.not(
      build.exists(
        build
          .selectFrom('clientele_records')
          .select(sql<number>`1`.as('found'))
          .whereRef('clientele_records.grant_key', '=', 'clientele_ended_grants.grant_key')
      )
    )
  )
  const remove = (doomed: typeof ofGrant) =>
    db
      .with('doomed', () => (skipLocked ? doomed.forUpdate().skipLocked() : doomed))
      .deleteFrom('clientele_records')
      .where('key', 'in', build => build.selectFrom('doomed').select('key'))
  return {
    sweepExpired: statement<unknown, 'limit'>(remove(expired)),
    /** Of one grant that was ended. */
    sweepGrant: statement<unknown, 'grant' | 'limit'>(remove(ofGrant)),
    /** Of all grants that were ended long enough ago to be forgotten. */
    sweepDueGrants: statement<unknown, 'limit'>(remove(ofDue)),
    forgetGrants: statement<unknown, 'limit'>(
      db
        .with('doomed', () => (skipLocked ? forgettable.forUpdate().skipLocked() : forgettable))
        .deleteFrom('clientele_ended_grants')
        .where('grant_key', 'in', build => build.selectFrom('doomed').select('grant_key'))
        // ended once more in the meantime: it stays
        .where('expires', '<=', now)
    )
  }
}
