/** The server as its settings say: what is read, what is opened, and what is told when it is ready. */
import { memoryStore } from 'clientele'
import { createApp } from './app.ts'
import { isLoopback } from './config/clients.ts'
import { checkConfig, folderOf, loadConfig, readJson, type Config } from './config/config.ts'
import { ConfigError, lineOf } from './config/config-error.ts'
import { everyMistake } from './config/mistakes.ts'
import { keysLieOpen } from './keys.ts'
import { announceReady, createLog, type Log, type Output } from './log.ts'
import { readMetricsAddress, type MetricsAddress } from './metrics-address.ts'
import { listen } from './server.ts'
import { openStore, readStoreUrl, type StoreSetting } from './store.ts'

/**
 * Listens as the environment says, and tells of it on stdout, or wherever its output is to go. Answers with what stops
 * it again.
 *
 * @throws {@link ConfigError}, or an AggregateError where several settings are wrong.
 */
export async function serve(env: NodeJS.ProcessEnv, output?: Output): Promise<() => Promise<void>> {
  const { log, storeSetting, metricsAddress, config, demo } = await readSetup(env, output)
  for (const warning of config.warnings) log.warn(warning)
  if (isRelied(config, env) && storeSetting.engine !== 'memory' && (env['KEYS_SECRET'] ?? '') === '') log.warn(keysLieOpen)
  // before anything is counted
  const stopMetrics = metricsAddress && (await (await import('./metrics.ts')).serveMetrics(metricsAddress))
  const store = await openStore(storeSetting)
  const app = await createApp({ config, store, log, demo, operators: readOperators(env['OPERATORS']) })
  const listeners = await listen(config, app, log)
  announceReady(log, config.settings.issuer, output)
  if (demo && log.isLevelEnabled('error'))
    (output ?? process.stdout).write((await import('./demo/commands.ts')).demoCommands(config))
  return async () => {
    await listeners.close()
    await store.close()
    await stopMetrics?.()
  }
}

interface Setup {
  readonly log: Log
  readonly storeSetting: StoreSetting
  readonly metricsAddress: MetricsAddress | undefined
  readonly config: Config
  readonly demo: boolean
}

/** Reads all there is to read before anything is wrong: one start tells of every setting. */
async function readSetup(env: NodeJS.ProcessEnv, output?: Output): Promise<Setup> {
  const { CONFIG: file = '' } = env
  const failures: unknown[] = []
  const attempt = async <T>(read: () => T): Promise<Awaited<T> | undefined> => {
    try {
      return await read()
    } catch (error) {
      failures.push(error)
      return undefined
    }
  }
  const log = await attempt(() => createLog(env['LOG_LEVEL'], output))
  const storeSetting = await attempt(() => readStoreUrl(env['STORE_URL']))
  const metricsAddress = await attempt(() => readMetricsAddress(env['METRICS']))
  // what makes the demo's certificates takes longer to load than all else
  const config = await attempt(async () => (file === '' ? (await import('./demo/settings.ts')).demoConfig() : loadConfig(file)))
  if (failures.length > 0 || log === undefined || storeSetting === undefined || config === undefined)
    throw failures.length === 1 ? failures[0] : new AggregateError(failures)
  return { log, storeSetting, metricsAddress, config, demo: file === '' }
}

/** Whether people rely on it: it says that it is in production, or can be reached from elsewhere. */
function isRelied({ issuer }: Config, env: NodeJS.ProcessEnv): boolean {
  return env['NODE_ENV'] === 'production' || !isLoopback(issuer.hostname)
}

/** Usernames with commas between; undefined where nobody said. */
function readOperators(operators: string | undefined): readonly string[] | undefined {
  if (operators === undefined || operators.trim() === '') return undefined
  return operators.split(',').map(username => username.trim())
}

/** Lists what kept the server from starting, and whatever else in the file would have: a line each. */
export async function faultsOf(error: unknown, { CONFIG: file = '' }: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const errors = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [error]
  const lines = errors.map(lineOf)
  if (file === '' || !errors.some(one => one instanceof ConfigError && isOfFile(one))) return lines
  const store = memoryStore()
  const log = createLog('silent')
  const { errors: others } = await everyMistake(readJson(file), input =>
    createApp({ config: checkConfig(input, folderOf(file)), store, log })
  )
  return [...new Set([...lines, ...others.map(({ message }) => message)])]
}

/** The others are of the environment, whose names are in capitals. */
function isOfFile({ path }: ConfigError): boolean {
  return path !== path.toUpperCase()
}
