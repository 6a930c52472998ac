import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { consumeOnce } from '../../lib/assertions/replay.ts'
import { TemporarilyUnavailableError } from '../../lib/errors.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import type { Key, Store } from '../../lib/stores/store.ts'

describe('consumeOnce', () => {
  it('is true for the first use, false for every other', async () => {
    const store = memoryStore()
    expect(await consumeOnce(store, 'client_assertion', ['a', 'jti'], 60)).toBe(true)
    expect(await consumeOnce(store, 'client_assertion', ['a', 'jti'], 60)).toBe(false)
  })

  it('is true for exactly one of many concurrent callers', async () => {
    const store = memoryStore()
    const uses = Array.from({ length: 50 }, () => consumeOnce(store, 'client_assertion', ['a', 'jti'], 60))
    expect((await Promise.all(uses)).filter(Boolean)).toHaveLength(1)
  })

  it('forgets once the time to live has passed', async () => {
    let time = 0
    const store = memoryStore({ clock: () => time })
    expect(await consumeOnce(store, 'client_assertion', ['a', 'jti'], 60)).toBe(true)
    time = 59_999
    expect(await consumeOnce(store, 'client_assertion', ['a', 'jti'], 60)).toBe(false)
    time = 60_001
    expect(await consumeOnce(store, 'client_assertion', ['a', 'jti'], 60)).toBe(true)
  })

  it('keeps kinds apart', async () => {
    const store = memoryStore()
    expect(await consumeOnce(store, 'client_assertion', ['a'], 60)).toBe(true)
    expect(await consumeOnce(store, 'dpop_proof', ['a'], 60)).toBe(true)
  })

  it('keeps different parts apart, however they are divided', async () => {
    const parts = fc.array(fc.string({ maxLength: 4 }), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(parts, parts, async (a, b) => {
        const store = memoryStore()
        await consumeOnce(store, 'kind', a, 60)
        expect(await consumeOnce(store, 'kind', b, 60)).toBe(JSON.stringify(a) !== JSON.stringify(b))
      })
    )
    const store = memoryStore()
    expect(await consumeOnce(store, 'kind', ['a', 'bc'], 60)).toBe(true)
    expect(await consumeOnce(store, 'kind', ['ab', 'c'], 60)).toBe(true)
    expect(await consumeOnce(store, 'kind', ['1:a', 'b'], 60)).toBe(true)
    expect(await consumeOnce(store, 'kind', ['1', 'a1:b'], 60)).toBe(true)
  })

  it('shows the store a digest only', async () => {
    const keys: Key[] = []
    const store: Store = { ...memoryStore(), add: key => Promise.resolve(keys.push(key) > 0) }
    await consumeOnce(store, 'client_assertion', ['https://as.example', 'billing', 'the-jti'], 60)
    expect(keys).toEqual([{ kind: 'client_assertion', id: expect.stringMatching(/^[\w-]{43}$/) }])
  })

  it('is unavailable where the store rejects, and where it has been closed', async () => {
    const broken: Store = { ...memoryStore(), add: () => Promise.reject(new Error('connection lost')) }
    await expect(consumeOnce(broken, 'client_assertion', ['a'], 60)).rejects.toThrow(TemporarilyUnavailableError)
    const closed = memoryStore()
    await closed.close()
    await expect(consumeOnce(closed, 'client_assertion', ['a'], 60)).rejects.toThrow(TemporarilyUnavailableError)
  })

  it.each([undefined, null, 1, 'OK', {}])('does not take the answer %j for a first use', async answer => {
    const loose: Store = { ...memoryStore(), add: () => Promise.resolve(answer as boolean) }
    expect(await consumeOnce(loose, 'client_assertion', ['a'], 60)).toBe(false)
  })
})
