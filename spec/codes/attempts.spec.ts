import { describe, expect, it } from '@jest/globals'
import { memoryStore } from '../../lib/index.ts'
import { countAttempt } from '../../lib/codes/attempts.ts'
import { breakableStore } from '../support/servers/authorization-server.ts'
import { tokens } from '../tokens/server.ts'

const limit = { most: 3, window: 60 }

describe('guesses', () => {
  it('are as many as allowed, for each guesser and kind, until they no longer count', async () => {
    const { server, clock } = await tokens()
    for (let guess = 0; guess < 3; guess++) expect(await countAttempt(server, 'pin', 'alice', limit)).toBeDefined()
    expect(await countAttempt(server, 'pin', 'alice', limit)).toBeUndefined()
    expect(await countAttempt(server, 'pin', 'bob', limit)).toBeDefined()
    expect(await countAttempt(server, 'user_code', 'alice', limit)).toBeDefined()
    clock.now += 59_999
    expect(await countAttempt(server, 'pin', 'alice', limit)).toBeUndefined()
    clock.now += 1
    expect(await countAttempt(server, 'pin', 'alice', limit)).toBeDefined()
  })

  it('that were right do not count', async () => {
    const { server } = await tokens()
    for (let guess = 0; guess < 20; guess++) await (await countAttempt(server, 'pin', 'alice', limit))?.refund()
    expect(await countAttempt(server, 'pin', 'alice', limit)).toBeDefined()
  })

  it('made at once are no more than those made in turn', async () => {
    const { server } = await tokens()
    const counted = await Promise.all(Array.from({ length: 50 }, () => countAttempt(server, 'pin', 'alice', limit)))
    expect(counted.filter(attempt => attempt !== undefined)).toHaveLength(3)
  })

  it('are not allowed where they cannot be counted', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const { server } = await tokens({ store })
    broken.set('add', 'rejects')
    await expect(countAttempt(server, 'pin', 'alice', limit)).rejects.toMatchObject({ error: 'temporarily_unavailable' })
  })
})
