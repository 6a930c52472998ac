/** Parts of a case of the store contract, and checks that cases share. */
import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict'
import type { Json, Key, Store, StoredRecord } from '../stores/store.ts'

export interface CaseDefinition {
  readonly name: string
  /** Means without which the case is left out. */
  readonly needs?: 'a clock' | 'shared data' | 'interruptions'
  run(context: CaseContext): Promise<void>
}

export interface CaseContext {
  /** Seconds: a time that is short to wait for, and long beside what operations take. */
  readonly tick: number
  open(): Promise<Store>
  /** Several stores on the same data where there can be several, and one where not. */
  several(): Promise<readonly [Store, ...Store[]]>
  /** Seconds since some moment. */
  now(): number
  /** Lets seconds go by. */
  pass(seconds: number): Promise<void>
  interrupt(): Promise<void>
}

/** The key most cases use. */
export const code: Key = { kind: 'authorization_code', id: 'digest', grant: 'g1' }

export async function valueOf(store: Store, key: Key): Promise<Json | undefined> {
  return (await store.get(key))?.value
}

export async function versionOf(store: Store, key: Key): Promise<StoredRecord['version']> {
  return (await store.get(key))?.version ?? 'there is no record'
}

export async function expectValue(store: Store, key: Key, value: Json): Promise<void> {
  deepStrictEqual(await valueOf(store, key), value)
}

export async function expectAbsent(store: Store, key: Key): Promise<void> {
  strictEqual(await store.get(key), undefined)
}

export async function expectTaken(store: Store, key: Key, value: Json): Promise<void> {
  deepStrictEqual(await store.take(key), { outcome: 'taken', value })
}

export async function expectOutcome(store: Store, key: Key, outcome: 'spent' | 'absent'): Promise<void> {
  deepStrictEqual(await store.take(key), { outcome })
}

/** Counts the items that match. */
export function count<T>(items: readonly T[], matches: (item: T) => boolean): number {
  return items.filter(matches).length
}

/** Every operation rejects. */
export async function expectClosed(store: Store, key: Key): Promise<void> {
  await rejects(async () => store.get(key))
  await rejects(async () => store.set(key, 2, 60))
  await rejects(async () => store.add(key, 2, 60))
  await rejects(async () => store.take(key))
  await rejects(async () => store.swap(key, 'any', 2, 60))
  await rejects(async () => store.delete(key))
  await rejects(async () => store.deleteGrant(key.grant ?? 'g1'))
}

/** Does something for every item, some at a time: much work is not the same as many callers at once. */
export async function forEachOf<Item, Answer>(items: readonly Item[], run: (item: Item) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let start = 0; start < items.length; start += 50)
    answers.push(...(await Promise.all(items.slice(start, start + 50).map(run))))
  return answers
}
