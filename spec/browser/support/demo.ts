/** The demo that `npm start` runs, at ports that are free and with material of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore } from 'clientele'
import { createApp } from '../../../example-app/app.ts'
import { demoConfig } from '../../../example-app/demo/settings.ts'
import { createLog } from '../../../example-app/log.ts'
import { listen } from '../../../example-app/server.ts'
import { freePort } from '../../example-app/running-server.ts'

export interface Demo {
  readonly issuer: string
  close(): Promise<void>
}

export async function startDemo(): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-demo-'))
  const issuer = `http://localhost:${await freePort()}`
  const config = await demoConfig({ issuer, tlsPort: await freePort(), folder })
  const log = createLog('silent')
  const listeners = await listen(config, await createApp({ config, store: memoryStore(), log, demo: true }), log)
  return {
    issuer,
    async close() {
      await listeners.close(0)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
