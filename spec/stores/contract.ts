/** What every store has to do, whatever its engine. A store's spec calls {@link storeContract} and adds what is its own. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Key, Store } from '../../lib/stores/store.ts'
import { grantContract } from './grant-contract.ts'
import { valueContract } from './value-contract.ts'

/** Makes an empty store that tells the time by `clock` (milliseconds since the epoch) alone. */
export type MakeStore = (clock: () => number) => Promise<Store>

const start = Date.UTC(2026, 0, 1)
const code: Key = { kind: 'authorization_code', id: 'digest', grant: 'g1' }
const contenders = 100

export function storeContract(name: string, makeStore: MakeStore): void {
  describe(`${name} keeps the store contract`, () => {
    let now = start
    let store: Store
    const pass = (seconds: number) => void (now += seconds * 1000)
    const versionOf = async (key: Key) => (await store.get(key))?.version ?? 'no record'
    const race = async <T>(operation: (contender: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: contenders }, (_, contender) => operation(contender)))

    beforeEach(async () => {
      now = start
      store = await makeStore(() => now)
    })
    afterEach(() => store.close())

    describe('get, set and delete', () => {
      it('finds nothing that was never written', async () => {
        expect(await store.get(code)).toBeUndefined()
      })

      it('finds what was written, and the newer of two writes', async () => {
        await store.set(code, 'first', 60)
        expect((await store.get(code))?.value).toBe('first')
        await store.set(code, { second: true }, 60)
        expect((await store.get(code))?.value).toEqual({ second: true })
      })

      it('changes the version with every write, also of the same value, and not between', async () => {
        await store.set(code, 'same', 60)
        const first = await versionOf(code)
        expect(await versionOf(code)).toBe(first)
        await store.set(code, 'same', 60)
        expect(await versionOf(code)).not.toBe(first)
      })

      it('has no version twice for one key, also not after a deletion', async () => {
        await store.set(code, 'same', 60)
        const first = await versionOf(code)
        await store.delete(code)
        await store.set(code, 'same', 60)
        expect(await versionOf(code)).not.toBe(first)
        expect(await store.swap(code, first, 'late', 60)).toBe(false)
      })

      it('removes one record and minds not that there is none', async () => {
        await store.set(code, 1, 60)
        await store.set({ ...code, id: 'other' }, 2, 60)
        await store.delete(code)
        await store.delete(code)
        expect(await store.get(code)).toBeUndefined()
        expect((await store.get({ ...code, id: 'other' }))?.value).toBe(2)
      })

      it('writes again what was deleted', async () => {
        await store.set(code, 1, 60)
        await store.delete(code)
        expect(await store.add(code, 2, 60)).toBe(true)
        expect((await store.get(code))?.value).toBe(2)
      })
    })

    describe('time to live', () => {
      it('keeps a record until its time has passed and not a moment longer', async () => {
        await store.set(code, 1, 60)
        pass(59.999)
        expect((await store.get(code))?.value).toBe(1)
        pass(0.001)
        expect(await store.get(code)).toBeUndefined()
      })

      it('counts from the last write', async () => {
        await store.set(code, 1, 60)
        pass(50)
        await store.set(code, 2, 60)
        pass(50)
        expect((await store.get(code))?.value).toBe(2)
        await store.set(code, 3, 5)
        pass(5)
        expect(await store.get(code)).toBeUndefined()
      })

      it('does everything to an expired record as if it had never been', async () => {
        await store.set(code, 1, 60)
        const version = await versionOf(code)
        pass(60)
        expect(await store.swap(code, version, 2, 60)).toBe(false)
        expect(await store.take(code)).toEqual({ outcome: 'absent' })
        expect(await store.add(code, 3, 60)).toBe(true)
        expect((await store.get(code))?.value).toBe(3)
      })

      it('takes parts of a second and many years', async () => {
        await store.set(code, 'short', 0.5)
        await store.set({ ...code, id: 'long' }, 'long', 50 * 365 * 86_400)
        pass(0.499)
        expect((await store.get(code))?.value).toBe('short')
        pass(0.001)
        expect(await store.get(code)).toBeUndefined()
        pass(49 * 365 * 86_400)
        expect((await store.get({ ...code, id: 'long' }))?.value).toBe('long')
      })

      it.each([0, -1, NaN, Infinity, -Infinity])('rejects a ttl of %p and writes nothing', async ttl => {
        await expect(store.set(code, 1, ttl)).rejects.toThrow(RangeError)
        await expect(store.add(code, 1, ttl)).rejects.toThrow(RangeError)
        expect(await store.get(code)).toBeUndefined()
        await store.set(code, 'kept', 60)
        await expect(store.swap(code, await versionOf(code), 2, ttl)).rejects.toThrow(RangeError)
        expect((await store.get(code))?.value).toBe('kept')
      })
    })

    describe('add', () => {
      it('writes only where there is nothing', async () => {
        expect(await store.add(code, 'first', 60)).toBe(true)
        expect(await store.add(code, 'second', 60)).toBe(false)
        expect((await store.get(code))?.value).toBe('first')
      })

      it('does not prolong what is there', async () => {
        await store.add(code, null, 60)
        pass(30)
        await store.add(code, null, 60)
        pass(30)
        expect(await store.add(code, null, 60)).toBe(true)
      })

      it('is won by one of many', async () => {
        const won = await race(contender => store.add(code, contender, 60))
        expect(won.filter(Boolean)).toHaveLength(1)
        expect((await store.get(code))?.value).toBe(won.indexOf(true))
      })

      it('is won by one of many again once the record has expired', async () => {
        await store.add(code, null, 60)
        pass(60)
        expect((await race(() => store.add(code, null, 60))).filter(Boolean)).toHaveLength(1)
      })
    })

    describe('take', () => {
      it('gives the value once, then says it is spent, then that there is nothing', async () => {
        await store.set(code, { sub: 'alice' }, 60)
        pass(30)
        expect(await store.take(code)).toEqual({ outcome: 'taken', value: { sub: 'alice' } })
        expect(await store.take(code)).toEqual({ outcome: 'spent' })
        pass(29.999)
        expect(await store.take(code)).toEqual({ outcome: 'spent' })
        pass(0.001)
        expect(await store.take(code)).toEqual({ outcome: 'absent' })
      })

      it('takes null as a value like any other', async () => {
        await store.set(code, null, 60)
        expect(await store.take(code)).toEqual({ outcome: 'taken', value: null })
        expect(await store.take(code)).toEqual({ outcome: 'spent' })
      })

      it('finds nothing where nothing was', async () => {
        expect(await store.take(code)).toEqual({ outcome: 'absent' })
      })

      it('leaves a record that get does not find, swap does not change and add does not replace', async () => {
        await store.set(code, 1, 60)
        const version = await versionOf(code)
        await store.take(code)
        expect(await store.get(code)).toBeUndefined()
        expect(await store.swap(code, version, 2, 60)).toBe(false)
        expect(await store.add(code, 3, 60)).toBe(false)
        expect(await store.take(code)).toEqual({ outcome: 'spent' })
      })

      it('forgets that a record was spent when it is written anew or deleted', async () => {
        await store.set(code, 1, 60)
        await store.take(code)
        await store.set(code, 2, 60)
        expect(await store.take(code)).toEqual({ outcome: 'taken', value: 2 })
        await store.delete(code)
        expect(await store.take(code)).toEqual({ outcome: 'absent' })
      })

      it('is won by one of many', async () => {
        await store.set(code, 'the grant', 60)
        const outcomes = (await race(() => store.take(code))).map(({ outcome }) => outcome)
        expect(outcomes.filter(outcome => outcome === 'taken')).toHaveLength(1)
        expect(outcomes.filter(outcome => outcome === 'spent')).toHaveLength(contenders - 1)
      })
    })

    describe('swap', () => {
      it('replaces the record of that version, its time to live too', async () => {
        await store.set(code, 1, 60)
        expect(await store.swap(code, await versionOf(code), 2, 120)).toBe(true)
        pass(119)
        expect((await store.get(code))?.value).toBe(2)
        pass(1)
        expect(await store.get(code)).toBeUndefined()
      })

      it('leaves a record of another version as it is', async () => {
        await store.set(code, 1, 60)
        const version = await versionOf(code)
        await store.set(code, 2, 60)
        expect(await store.swap(code, version, 3, 60)).toBe(false)
        expect((await store.get(code))?.value).toBe(2)
      })

      it.each(['no such version', '', 0, -1])('takes %p for no version of anything', async version => {
        expect(await store.swap(code, version, 1, 60)).toBe(false)
        await store.set(code, 1, 60)
        expect(await store.swap(code, version, 2, 60)).toBe(false)
      })

      it('is won by one of many that have the same version', async () => {
        await store.set(code, 'start', 60)
        const version = await versionOf(code)
        const won = await race(contender => store.swap(code, version, contender, 60))
        expect(won.filter(Boolean)).toHaveLength(1)
        expect((await store.get(code))?.value).toBe(won.indexOf(true))
      })
    })

    describe('after close', () => {
      it('rejects every other operation, and closes again without complaint', async () => {
        await store.set(code, 1, 60)
        const version = await versionOf(code)
        await store.close()
        await store.close()
        await expect(store.get(code)).rejects.toThrow()
        await expect(store.set(code, 2, 60)).rejects.toThrow()
        await expect(store.add(code, 2, 60)).rejects.toThrow()
        await expect(store.take(code)).rejects.toThrow()
        await expect(store.swap(code, version, 2, 60)).rejects.toThrow()
        await expect(store.delete(code)).rejects.toThrow()
        await expect(store.deleteGrant('g1')).rejects.toThrow()
      })
    })

    grantContract(() => store, pass)
    valueContract(() => store)
  })
}
