/** The part of the store contract about grants: what belongs to one ends with it. */
import { describe, expect, it } from '@jest/globals'
import type { Key, Store } from '../../lib/stores/store.ts'

const hour = 3600
const token: Key = { kind: 'access_token', id: 'digest', grant: 'g1' }

/** @param pass lets seconds go by. */
export function grantContract(currentStore: () => Store, pass: (seconds: number) => void): void {
  describe('deleteGrant', () => {
    it('ends every record of the grant, of whatever kind, spent ones too', async () => {
      const store = currentStore()
      const code: Key = { kind: 'authorization_code', id: 'c', grant: 'g1' }
      await store.set(token, 1, 60)
      await store.set({ ...token, id: 'second' }, 2, 60)
      await store.set(code, 3, 60)
      await store.take(code)
      await store.deleteGrant('g1')
      expect(await store.get(token)).toBeUndefined()
      expect(await store.get({ ...token, id: 'second' })).toBeUndefined()
      expect(await store.take(token)).toEqual({ outcome: 'absent' })
      expect(await store.take(code)).toEqual({ outcome: 'absent' })
    })

    it('leaves other grants and records without a grant as they are', async () => {
      const store = currentStore()
      const others: Key[] = [
        { ...token, grant: 'g2' },
        { ...token, grant: 'g' },
        { ...token, grant: 'g11' },
        { ...token, grant: 'G1' },
        { ...token, grant: '' },
        { kind: token.kind, id: token.id },
        { kind: 'g1', id: 'g1' }
      ]
      for (const [index, key] of others.entries()) await store.set(key, index, 60)
      await store.deleteGrant('g1')
      for (const [index, key] of others.entries()) expect((await store.get(key))?.value).toBe(index)
    })

    it('ends a grant of many records', async () => {
      const store = currentStore()
      const keys = Array.from({ length: 2_000 }, (_, index) => ({ ...token, id: `token ${index}` }))
      await Promise.all(keys.map(key => store.set(key, 1, 60)))
      await store.deleteGrant('g1')
      const found = await Promise.all(keys.map(key => store.get(key)))
      expect(found.filter(record => record !== undefined)).toEqual([])
    })

    it('lets nothing be written for an hour, and says so where there is an answer', async () => {
      const store = currentStore()
      await store.set(token, 1, 60)
      const version = (await store.get(token))?.version ?? ''
      await store.deleteGrant('g1')
      const refuseWrites = async () => {
        await store.set(token, 2, 10)
        expect(await store.get(token)).toBeUndefined()
        expect(await store.add(token, 2, 10)).toBe(false)
        expect(await store.swap(token, version, 2, 10)).toBe(false)
        expect(await store.take(token)).toEqual({ outcome: 'absent' })
      }
      await refuseWrites()
      pass(hour - 1)
      await refuseWrites()
    })

    it('also holds for a grant of which nothing had been written yet', async () => {
      const store = currentStore()
      await store.deleteGrant('g1')
      await store.set(token, 1, 60)
      expect(await store.get(token)).toBeUndefined()
    })

    it('counts the hour from the last time', async () => {
      const store = currentStore()
      await store.deleteGrant('g1')
      pass(hour - 60)
      await store.deleteGrant('g1')
      pass(hour - 60)
      expect(await store.add(token, 1, 60)).toBe(false)
    })

    it('does not bring back a record that outlives the hour', async () => {
      const store = currentStore()
      await store.set(token, 1, 48 * hour)
      await store.deleteGrant('g1')
      pass(24 * hour)
      expect(await store.get(token)).toBeUndefined()
    })

    it('ends what is written at the same moment: the end came first, or it came after', async () => {
      const store = currentStore()
      const keys = Array.from({ length: 100 }, (_, index) => ({ ...token, id: `token ${index}` }))
      const half = keys.length / 2
      await Promise.all([
        ...keys.slice(0, half).map(key => store.set(key, 1, 60)),
        store.deleteGrant('g1'),
        ...keys.slice(half).map(key => store.set(key, 1, 60))
      ])
      const found = await Promise.all(keys.map(key => store.get(key)))
      expect(found.filter(record => record !== undefined)).toEqual([])
    })

    it('ends what is swapped or added at the same moment', async () => {
      const store = currentStore()
      await store.set(token, 'first', 60)
      const version = (await store.get(token))?.version ?? ''
      const added = { ...token, id: 'added' }
      await Promise.all([store.swap(token, version, 'second', 60), store.deleteGrant('g1'), store.add(added, 1, 60)])
      expect(await store.get(token)).toBeUndefined()
      expect(await store.get(added)).toBeUndefined()
    })

    it('ends a record that was written, deleted, taken and written again', async () => {
      const store = currentStore()
      await store.set(token, 1, 60)
      await store.delete(token)
      await store.set(token, 2, 60)
      await store.take(token)
      await store.set(token, 3, 60)
      await store.deleteGrant('g1')
      expect(await store.take(token)).toEqual({ outcome: 'absent' })
    })
  })
}
