/**
 * Rotates the signing keys of the issuer and its tenants, beside the running servers, which follow within half a
 * minute: `npm run keys:rotate`, for the store, the configuration and the secret they run with. With `--immediately`
 * the new keys sign at once, for a key that was stolen.
 */
import { existsSync } from 'node:fs'
import { loadConfig } from './config/config.ts'
import { ConfigError, lineOf } from './config/config-error.ts'
import { demoConfig } from './demo/settings.ts'
import { issuerKeys } from './keys.ts'
import { createLog } from './log.ts'
import { openStore, readStoreUrl } from './store.ts'

async function rotate(env: NodeJS.ProcessEnv, flags: readonly string[]): Promise<void> {
  const immediately = flags.includes('--immediately')
  if (flags.length > Number(immediately)) throw new ConfigError('keys:rotate', 'takes no argument but --immediately')
  const setting = readStoreUrl(env['STORE_URL'])
  if (setting.engine === 'memory') throw new ConfigError('STORE_URL', 'must be a store that a server can share with this command')
  if (setting.engine === 'sqlite' && !existsSync(setting.address))
    throw new ConfigError('STORE_URL', `must name a database file that is there (${setting.address} is not)`)
  const { CONFIG = '' } = env
  const { settings } = CONFIG === '' ? await demoConfig() : loadConfig(CONFIG)
  const store = await openStore(setting)
  try {
    for (const path of ['', ...settings.tenants.map(tenant => tenant.path)]) {
      const issuer = settings.issuer + path
      const { keys } = await issuerKeys(store, issuer, createLog('error'))
      await keys.rotate({ immediately })
      keys.close()
      const outcome = immediately
        ? 'new keys sign within 30 seconds'
        : 'new keys are published within 30 seconds, and sign after an hour'
      process.stdout.write(`${issuer}: ${outcome}\n`)
    }
  } finally {
    await store.close()
  }
}

rotate(process.env, process.argv.slice(3)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${lineOf(error)}\n`)
    process.exit(1)
  }
)
