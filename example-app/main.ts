/** Starts the server: reads the settings, listens, announces itself, and stops on SIGTERM and SIGINT. */
import { createApp } from './app.ts'
import { loadConfig, type Config } from './config/config.ts'
import { lineOf } from './config/config-error.ts'
import { announceReady, createLog } from './log.ts'
import { listen } from './server.ts'
import { openStore, readStoreUrl } from './store.ts'

/** Listens as the environment says; answers with what stops it again. @throws ConfigError */
async function start(env: NodeJS.ProcessEnv): Promise<() => Promise<void>> {
  const log = createLog(env['LOG_LEVEL'])
  const storeSetting = readStoreUrl(env['STORE_URL'])
  const demo = env['CONFIG'] === undefined || env['CONFIG'] === ''
  // what makes the demo's certificates takes longer to load than all else
  const config: Config = demo ? await (await import('./demo/settings.ts')).demoConfig() : loadConfig(env['CONFIG'] ?? '')
  for (const warning of config.warnings) log.warn(warning)
  const store = await openStore(storeSetting)
  const app = await createApp({ config, store, log, demo, operators: readOperators(env['OPERATORS']) })
  const listeners = await listen(config, app, log)
  announceReady(log, config.settings.issuer)
  if (demo && log.isLevelEnabled('error')) process.stdout.write((await import('./demo/commands.ts')).demoCommands(config))
  return async () => {
    await listeners.close()
    await store.close()
  }
}

/** Usernames with commas between; undefined where nobody said. */
function readOperators(operators: string | undefined): readonly string[] | undefined {
  if (operators === undefined || operators.trim() === '') return undefined
  return operators.split(',').map(username => username.trim())
}

/** A signal that comes while starting still ends in an orderly stop. */
function stopOnSignal(started: Promise<() => Promise<void>>): void {
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    void started.then(close => close()).then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
}

function fail(error: unknown): void {
  process.stderr.write(`${lineOf(error)}\n`)
  process.exit(1)
}

const started = start(process.env)
stopOnSignal(started)
started.catch(fail)
