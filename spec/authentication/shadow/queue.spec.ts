/** Trials in turn: bounded in number and in time, whatever they do. */
import { describe, expect, it } from '@jest/globals'
import { trialQueue, type TrialBounds } from '../../../lib/authentication/shadow/queue.ts'
import type { Decision } from '../../../lib/decisions/decision.ts'
import { trialUses, trialView } from '../../../lib/authentication/shadow/view.ts'
import { memoryStore, type Store } from '../../../lib/index.ts'

const bounds: TrialBounds = { running: 2, waiting: 3, longest: 60_000, hanging: 2 }

function queueOf(change: Partial<TrialBounds> = {}) {
  const queue = trialQueue({ ...bounds, ...change })
  const ends: string[] = []
  const end = (name: string) => ({
    judged: (outcome: string) => void ends.push(`${name} ${outcome}`),
    failed: (how: string) => void ends.push(`${name} ${how}`)
  })
  return { add: (name: string, trial: () => Promise<string>) => queue(trial, end(name)), ends }
}

const turn = () => new Promise(resolve => setImmediate(resolve))
async function until(is: () => boolean): Promise<void> {
  while (!is()) await turn()
}

describe('trials', () => {
  it('run a few at a time, in their order; those too many are skipped', async () => {
    const { add, ends } = queueOf()
    const open: (() => void)[] = []
    let most = 0
    let running = 0
    for (let index = 0; index < 7; index++)
      add(`${index}`, async () => {
        most = Math.max(most, ++running)
        await new Promise<void>(resolve => open.push(resolve))
        running--
        return 'ended'
      })
    expect(ends).toEqual(['5 skipped', '6 skipped'])
    for (let index = 0; index < 5; index++) {
      await until(() => open.length > index)
      open[index]?.()
    }
    await until(() => ends.length === 7)
    expect(ends.slice(2)).toEqual(['0 ended', '1 ended', '2 ended', '3 ended', '4 ended'])
    expect(most).toBe(2)
  })

  it('that throw, at once or later, leave room for others', async () => {
    const { add, ends } = queueOf({ running: 1 })
    add('throws', () => {
      throw new Error('at once')
    })
    add('rejects', () => Promise.reject(new Error('later')))
    add('good', () => Promise.resolve('ended'))
    await until(() => ends.length === 3)
    expect(ends).toEqual(['throws failed', 'rejects failed', 'good ended'])
  })

  it('that hang are given up, and told once; with as many as that nothing is begun until one has ended', async () => {
    const { add, ends } = queueOf({ running: 1, longest: 1 })
    const release: (() => void)[] = []
    const hanging = () => new Promise<string>(resolve => release.push(() => resolve('too late')))
    add('one', hanging)
    add('two', hanging)
    await until(() => ends.length === 2)
    add('three', () => Promise.resolve('ended'))
    expect(ends).toEqual(['one timed_out', 'two timed_out', 'three skipped'])
    release[0]?.()
    await turn()
    add('four', () => Promise.resolve('ended'))
    await until(() => ends.length === 4)
    expect(ends[3]).toBe('four ended')
  })
})

describe('the view of a store', () => {
  const decided = (outcome?: 'pass' | 'fail'): Decision => ({
    ...{ trace_id: 'a'.repeat(32), endpoint: 'token', outcome: 'authenticated' },
    checks: outcome === undefined ? [] : [{ check: 'replay', outcome }]
  })
  const key = { kind: 'client_assertion', id: 'one' }
  const other = { kind: 'anything', id: 'one' }

  it.each([
    ['was used up with the request itself', 'pass', true, true],
    ['was refused as used', 'fail', true, false],
    ['was used before, and never asked about', undefined, true, false],
    ['was never used', undefined, false, true]
  ] as const)('says of what %s what it was before', async (_, outcome, isThere, expected) => {
    const store = memoryStore()
    if (isThere) await store.add(key, null, 60)
    const uses = trialUses()
    expect(await trialView(store, decided(outcome), uses).add(key, null, 60)).toBe(expected)
    // for every later trial it has been used
    expect(await trialView(store, decided('pass'), uses).add(key, null, 60)).toBe(false)
  })

  it('lets one of many trials at once have it', async () => {
    const [store, uses] = [memoryStore(), trialUses()]
    const adds = Array.from({ length: 20 }, () => trialView(store, decided('pass'), uses).add(key, null, 60))
    expect((await Promise.all(adds)).filter(Boolean)).toHaveLength(1)
  })

  it('keeps what it writes to itself, and behaves as a store', async () => {
    const store = memoryStore()
    await store.set(other, 'live', 60)
    const view = trialView(store, decided(), trialUses())
    const { version = '' } = (await view.get(other)) ?? {}
    expect(await view.swap(other, version, 'changed', 60)).toBe(true)
    expect(await view.swap(other, version, 'again', 60)).toBe(false)
    expect((await view.get(other))?.value).toBe('changed')
    expect(await view.add(other, 'added', 60)).toBe(false)
    expect(await view.take(other)).toEqual({ outcome: 'taken', value: 'changed' })
    expect(await view.take(other)).toEqual({ outcome: 'absent' })
    expect(await view.add(other, 'added', 60)).toBe(true)
    await view.set(other, 'set', 60)
    await view.delete(other)
    expect(await view.get(other)).toBeUndefined()
    await view.deleteGrant('grant')
    await view.close()
    expect((await store.get(other))?.value).toBe('live')
  })

  it('does with a store that has add() alone', async () => {
    const store = { add: () => Promise.resolve(true) } as unknown as Store
    expect(await trialView(store, decided(), trialUses()).add(key, null, 60)).toBe(true)
  })
})
