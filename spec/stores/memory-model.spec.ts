import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { memoryStore } from '../../lib/stores/memory.ts'
import type { Json, Key, Store, StoredRecord } from '../../lib/stores/store.ts'
import { runs } from '../support/checks/runs.ts'

const digests = ['A', 'B', 'C'].map(letter => letter.repeat(42) + 'A')
const keys: readonly Key[] = [
  ...digests.flatMap(
    id =>
      [
        { kind: 'jti', id },
        { kind: 'proof', id },
        { kind: 'jti', id, grant: 'g' }
      ] satisfies Key[]
  ),
  { kind: 'jti', id: 'no digest' },
  { kind: 'jti', id: `${'A'.repeat(42)}B` }
]

/** A 128th of the longest life there is here, in milliseconds: that much later at most, the space of a record is given back. */
const longestLateness = 5_000_000 / 128

/** What a record is to whoever reads the contract. */
interface Plain {
  readonly text: string
  readonly expires: number
  /** Which write it is of, as versions have to tell. */
  readonly write: number
  spent: boolean
}

interface Step {
  readonly operation: 'get' | 'set' | 'add' | 'take' | 'swap' | 'delete' | 'deleteGrant' | 'pass'
  readonly key: Key
  readonly value: Json
  readonly ttl: number
  /** Which of the versions read so far a swap is tried with. */
  readonly pick: number
}

const steps = fc.array(
  fc.record<Step>({
    operation: fc.oneof(
      { weight: 5, arbitrary: fc.constant('add' as const) },
      { weight: 1, arbitrary: fc.constantFrom('deleteGrant' as const) },
      { weight: 6, arbitrary: fc.constantFrom('get', 'set', 'take', 'swap', 'delete', 'pass') }
    ),
    key: fc.constantFrom(...keys),
    value: fc.constantFrom<Json[]>(null, null, null, 1),
    ttl: fc.constantFrom(0.001, 1, 2, 3, 5.5, 60, 5000),
    pick: fc.nat()
  }),
  { minLength: 20, maxLength: 120, size: 'max' }
)

/** The same steps with a store and with plain maps, one compared with the other after each. */
class Comparison {
  now = 1_700_000_000_000
  private readonly records = new Map<Key, Plain>()
  private readonly ended = new Map<string, number>()
  private readonly versions: { key: Key; version: StoredRecord['version']; write: number }[] = []
  private writes = 0
  private readonly store: Store
  private readonly maxEntries: number

  constructor(maxEntries: number) {
    this.maxEntries = maxEntries
    this.store = memoryStore({ clock: () => this.now, maxEntries })
  }

  async run({ operation, key, value, ttl, pick }: Step): Promise<void> {
    const found = this.find(key)
    switch (operation) {
      case 'pass':
        this.now += ttl * 1000
        return
      case 'get':
        return this.get(key, found)
      case 'take':
        expect(await this.store.take(key)).toEqual(takenOf(found))
        if (found !== undefined) found.spent = true
        return
      case 'delete':
        await this.store.delete(key)
        // what has expired may take up room all the same
        if (found !== undefined) this.records.delete(key)
        return
      case 'deleteGrant':
        await this.store.deleteGrant('g')
        this.ended.set('g', this.now + 3_600_000)
        for (const each of this.records.keys()) if (each.grant === 'g') this.records.delete(each)
        return
      case 'set':
        return this.write(key, value, ttl, this.isEnded(key) ? undefined : 'written', () => this.store.set(key, value, ttl))
      case 'add': {
        const isFree = found === undefined && !this.isEnded(key)
        return this.write(key, value, ttl, isFree ? 'written' : undefined, async () =>
          expect(await this.store.add(key, value, ttl)).toBe(isFree)
        )
      }
      case 'swap': {
        const read = this.versions.filter(version => version.key === key)
        const chosen = read[pick % Math.max(1, read.length)]
        const fits = found?.spent === false && found.write === chosen?.write
        expect(await this.store.swap(key, chosen?.version ?? 'none', value, ttl)).toBe(fits)
        if (fits) this.note(key, value, ttl)
      }
    }
  }

  private async get(key: Key, found: Plain | undefined): Promise<void> {
    const record = await this.store.get(key)
    expect(record === undefined ? undefined : JSON.stringify(record.value)).toBe(found?.spent === false ? found.text : undefined)
    if (record === undefined || found === undefined) return
    for (const known of this.versions.filter(each => each.key === key))
      expect(known.version === record.version).toBe(known.write === found.write)
    this.versions.push({ key, version: record.version, write: found.write })
  }

  /** A write that needs one record more is refused when the store is full of live ones, and when it may be and only then. */
  private async write(key: Key, value: Json, ttl: number, written: 'written' | undefined, run: () => Promise<void>) {
    const others = this.held(0)
    const needsRoom = written === 'written' && this.find(key) === undefined
    const outcome = await run().then(
      () => 'done',
      (error: unknown) => {
        expect((error as Error).message).toContain('is full')
        return 'full'
      }
    )
    if (outcome === 'full') expect(needsRoom && this.held(longestLateness) >= this.maxEntries).toBe(true)
    // what takes the place of its own expired record needs no room
    else if (needsRoom && !this.records.has(key)) expect(others).toBeLessThan(this.maxEntries)
    if (outcome === 'done' && written === 'written') this.note(key, value, ttl)
  }

  private note(key: Key, value: Json, ttl: number): void {
    this.records.set(key, {
      text: JSON.stringify(value),
      expires: this.now + ttl * 1000,
      write: ++this.writes,
      spent: false
    })
  }

  private find(key: Key): Plain | undefined {
    const record = this.records.get(key)
    return record !== undefined && record.expires > this.now ? record : undefined
  }

  private isEnded({ grant }: Key): boolean {
    return grant !== undefined && (this.ended.get(grant) ?? 0) > this.now
  }

  /** How many records there are, those included that expired so short ago that they may still take up room. */
  private held(lateness: number): number {
    const expiries = [...[...this.records.values()].map(({ expires }) => expires), ...this.ended.values()]
    return expiries.filter(expires => expires + lateness > this.now).length
  }
}

function takenOf(found: Plain | undefined) {
  if (found === undefined) return { outcome: 'absent' }
  return found.spent ? { outcome: 'spent' } : { outcome: 'taken', value: JSON.parse(found.text) as Json }
}

describe('memoryStore', () => {
  it.each([1_000, 4])('does what plain maps do, step by step, with room for %i records', async maxEntries => {
    await fc.assert(
      fc.asyncProperty(steps, async run => {
        const comparison = new Comparison(maxEntries)
        for (const step of run) await comparison.run(step)
      }),
      { numRuns: runs(150) }
    )
  })
})
