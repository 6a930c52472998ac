import { describe, expect, it } from '@jest/globals'
import { memoryStore } from '../../lib/stores/memory.ts'
import { scopedStore } from '../../lib/stores/scoped.ts'
import type { Key } from '../../lib/stores/store.ts'
import { storeContract } from '../../lib/testing/store.ts'

describe('scopedStore keeps the store contract', () => {
  storeContract(it, {
    start: () => {
      const time = { now: Date.UTC(2026, 0, 1) }
      return { time, shared: memoryStore({ clock: () => time.now }) }
    },
    open: ({ shared }) => scopedStore(shared, 'https://as.example.com/acme'),
    pass: ({ time }, seconds) => void (time.now += seconds * 1000)
  })
})

const key: Key = { kind: 'access_token', id: 'digest', grant: 'g1' }

describe('scopedStore', () => {
  it('finds in one scope nothing of another', async () => {
    const shared = memoryStore()
    const [acme, globex] = [scopedStore(shared, 'acme'), scopedStore(shared, 'globex')]
    await acme.set(key, 'acme', 60)
    expect(await globex.get(key)).toBeUndefined()
    expect(await shared.get(key)).toBeUndefined()
    expect(await globex.add(key, 'globex', 60)).toBe(true)
    expect((await acme.get(key))?.value).toBe('acme')
    expect(await globex.take(key)).toEqual({ outcome: 'taken', value: 'globex' })
    await globex.delete(key)
    expect(await acme.take(key)).toEqual({ outcome: 'taken', value: 'acme' })
  })

  it('finds the same records under the same scope', async () => {
    const shared = memoryStore()
    await scopedStore(shared, 'acme').set(key, 1, 60)
    expect((await scopedStore(shared, 'acme').get(key))?.value).toBe(1)
  })

  it('ends a grant in its scope alone', async () => {
    const shared = memoryStore()
    const scopes = [shared, scopedStore(shared, 'acme'), scopedStore(shared, 'globex')]
    for (const store of scopes) await store.set(key, 1, 60)
    await scopedStore(shared, 'acme').deleteGrant('g1')
    expect(await Promise.all(scopes.map(async store => (await store.get(key)) !== undefined))).toEqual([true, false, true])
  })

  it('keeps scopes apart that begin alike, are empty or lie within one another', async () => {
    const shared = memoryStore()
    const scopes = ['', 'a', 'ab', 'a:', '1:a', '1:ab', 'acces', '0:'].map(scope => scopedStore(shared, scope))
    scopes.push(scopedStore(scopedStore(shared, 'a'), 'b'), scopedStore(scopedStore(shared, 'b'), 'a'))
    for (const kind of ['access_token', 'token', 'b', 'baccess_token']) {
      for (const [index, store] of scopes.entries()) await store.set({ ...key, kind }, index, 60)
      for (const [index, store] of scopes.entries()) expect((await store.get({ ...key, kind }))?.value).toBe(index)
    }
  })

  it('leaves the shared store open', async () => {
    const shared = memoryStore()
    const [acme, globex] = [scopedStore(shared, 'acme'), scopedStore(shared, 'globex')]
    await globex.set(key, 1, 60)
    await acme.close()
    expect((await globex.get(key))?.value).toBe(1)
    await shared.close()
    await expect(globex.get(key)).rejects.toThrow('the store is closed')
  })
})
