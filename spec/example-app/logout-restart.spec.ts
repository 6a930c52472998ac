/** A server that is killed between a logout and telling of it: the next one tells. The engines that need a server are tried in spec/journeys/cluster. */
import { afterAll, describe, it } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killBetweenLogoutAndTelling } from '../support/journeys/killed-logout.ts'

const folder = mkdtempSync(join(tmpdir(), 'clientele-logout-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('kill -9 after a logout', () => {
  it('every client is told once by the server that comes after', async () => {
    await killBetweenLogoutAndTelling(`sqlite:${join(folder, 'state.db')}`)
  }, 60_000)
})
