/** kill -9 between a logout and telling of it: what is to be said is in the store, and the process that comes after says it. */
import { describe, it } from '@jest/globals'
import { killBetweenLogoutAndTelling } from '../../support/journeys/killed-logout.ts'
import { engines } from './engines.ts'

describe.each(['PostgreSQL', 'Redis', 'Redis Cluster'])('on %s', name => {
  it('every client is told once', async () => {
    const engine = await engines[name]?.()
    if (engine === undefined) throw new Error(`${name} is no engine`)
    // of a cluster all nodes, separated by commas
    await killBetweenLogoutAndTelling(String(engine.store.address))
    await engine.stop()
  }, 120_000)
})
