/** A memory store that is full: whoever would need more is told to come back, and what is there stays. */
import { describe, expect, it } from '@jest/globals'
import { memoryStore } from 'clientele'
import { harness, redeemed, token, userinfo } from '../support/servers/authorization-server.ts'

describe('while the memory store is full', () => {
  it('nothing is issued, with 503, and nothing that was is lost', async () => {
    const clock = { now: 1_800_000_000_000 }
    const store = memoryStore({ clock: () => clock.now, maxBytes: 1_000_000 })
    const { app, errors } = await harness({ store, clock: () => clock.now })
    const { access_token, refresh_token } = await redeemed(app)
    // the small ones find the room that is left beside the large ones
    for (const [id, length] of Object.entries({ large: 1_000, small: 1 })) {
      for (let index = 0; index < 5_000; index++)
        await store.set({ kind: 'anonymous', id: `${id} ${index}` }, 'x'.repeat(length), 60).catch(() => undefined)
    }
    const refused = await token(app, 'web', { grant_type: 'client_credentials' })
    expect([refused.status, refused.body]).toEqual([
      503,
      { error: 'temporarily_unavailable', error_description: 'the server cannot answer at the moment' }
    ])
    expect(refused.headers['retry-after']).toBe('5')
    expect(errors).toEqual([
      expect.objectContaining({ cause: expect.objectContaining({ message: expect.stringContaining('memory store is full') }) })
    ])
    expect((await userinfo(app, access_token)).status).toBe(200)
    clock.now += 61_000
    expect((await token(app, 'web', { grant_type: 'client_credentials' })).status).toBe(200)
    expect((await token(app, 'web', { grant_type: 'refresh_token', refresh_token })).status).toBe(200)
  })
})
