/**
 * The store contract as cases anybody can run on a store of their own, with any test runner.
 *
 * @module clientele/testing/store
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Store } from '../stores/store.ts'
import { batchCases } from './batch-cases.ts'
import { durabilityCases } from './durability-cases.ts'
import { grantCases } from './grant-cases.ts'
import { interruptionCases } from './interruption-cases.ts'
import { keyCases } from './key-cases.ts'
import { lifetimeCases } from './lifetime-cases.ts'
import { raceCases } from './race-cases.ts'
import { recordCases } from './record-cases.ts'
import type { CaseContext, CaseDefinition } from './store-case.ts'
import { valueCases } from './value-cases.ts'

export type { Batch, BatchOutcome, FirstStep, Json, Key, Store, StoredRecord, Taken, WriteStep } from '../stores/store.ts'

/** Access of the cases to a store. `Engine` is whatever you need to know to open one: a folder, a URL, a prefix. */
export interface StoreSetup<Engine> {
  /** Prepares data of its own, and empty, for one case. */
  start(): Engine | Promise<Engine>
  /**
   * Opens a store on that data. Cases open several at once, as several processes would, and open one again after
   * closing.
   */
  open(engine: Engine): Store | Promise<Store>
  /**
   * Lets this many seconds pass for every store of the engine: with a clock that was handed to them, say. Left out,
   * cases really wait, a few seconds in all; then nothing is said about the hour of `deleteGrant()` and other long
   * times.
   */
  pass?(engine: Engine, seconds: number): void | Promise<void>
  /**
   * Breaks every connection the open stores have to the engine, as a crash would. Data that was acknowledged must
   * survive, and the stores must find their way back without being opened again. Left out, such cases are left out.
   */
  interrupt?(engine: Engine): void | Promise<void>
  /** Removes the data, after every store was closed. */
  stop?(engine: Engine): void | Promise<void>
  /** False: the data is the process's own and ends with `close()`, as in `memoryStore()`. Default: true. */
  readonly shared?: boolean
}

/**
 * One thing every store has to do. `run` rejects, with an `AssertionError` as a rule, where the store does not do it.
 */
export interface StoreCase {
  /** The case, in a sentence. */
  readonly name: string
  /** Runs it; rejects where the store does not pass. */
  readonly run: () => Promise<void>
}

/** Registers a test: `test` of Jest, Vitest, node:test, Mocha (`it`) and their likes. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown

/**
 * Registers a test for everything the store contract asks of this store: what each operation answers, that time to live
 * is kept, that of many callers one wins, that keys and values come back as they were; and, unless `shared` is false,
 * the same across several stores on the same data and after closing.
 *
 * Cases race a hundred callers and write some thousands of records: give each of them half a minute, and the store's
 * own patience some seconds.
 *
 * @example
 * import test from 'node:test'
 * import { storeContract } from 'clientele/testing/store'
 *
 * storeContract(test, {
 *   start: () => ({ folder: mkdtempSync(join(tmpdir(), 'store-')), now: Date.now() }),
 *   open: engine => openMyStore(engine.folder, { clock: () => engine.now }),
 *   pass: (engine, seconds) => void (engine.now += seconds * 1000),
 *   stop: engine => rmSync(engine.folder, { recursive: true })
 * })
 */
export function storeContract<Engine>(test: RegisterTest, setup: StoreSetup<Engine>): void {
  for (const { name, run } of storeCases(setup)) test(name, run)
}

/** The same as a list, for runners that want it otherwise. Each case is independent of the others. */
export function storeCases<Engine>(setup: StoreSetup<Engine>): readonly StoreCase[] {
  const possible = {
    'a clock': setup.pass !== undefined,
    'shared data': setup.shared !== false,
    interruptions: setup.interrupt !== undefined && setup.shared !== false
  }
  return definitions
    .filter(({ needs }) => needs === undefined || possible[needs])
    .map(definition => ({ name: definition.name, run: () => runCase(definition, setup) }))
}

const definitions: readonly CaseDefinition[] = [
  ...recordCases,
  ...lifetimeCases,
  ...grantCases,
  ...keyCases,
  ...valueCases,
  ...raceCases,
  ...batchCases,
  ...durabilityCases,
  ...interruptionCases
]

async function runCase<Engine>(definition: CaseDefinition, setup: StoreSetup<Engine>): Promise<void> {
  const engine = await setup.start()
  const opened: Store[] = []
  try {
    await definition.run(contextOf(setup, engine, opened))
  } finally {
    await Promise.allSettled(opened.map(store => store.close()))
    await setup.stop?.(engine)
  }
}

function contextOf<Engine>(setup: StoreSetup<Engine>, engine: Engine, opened: Store[]): CaseContext {
  let passed = 0
  const open = async () => {
    const store = await setup.open(engine)
    opened.push(store)
    return store
  }
  return {
    tick: setup.pass === undefined ? 0.25 : 10,
    open,
    several: async () => {
      const first = await open()
      if (setup.shared === false) return [first]
      return [first, ...(await Promise.all([open(), open(), open()]))]
    },
    now: () => (setup.pass === undefined ? performance.now() / 1000 : passed),
    pass: async seconds => {
      passed += seconds
      // timers may fire a millisecond early
      if (setup.pass === undefined) await wait(seconds * 1000 + 2)
      else await setup.pass(engine, seconds)
    },
    interrupt: async () => {
      await setup.interrupt?.(engine)
    }
  }
}
