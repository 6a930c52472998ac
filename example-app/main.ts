/** Starts the server: reads the settings, listens, announces itself, and stops on SIGTERM and SIGINT. */
import { createApp } from './app.ts'
import { memoryStore } from 'clientele'
import { isLoopback } from './config/clients.ts'
import { checkConfig, folderOf, loadConfig, readJson, type Config } from './config/config.ts'
import { ConfigError, lineOf } from './config/config-error.ts'
import { everyMistake } from './config/mistakes.ts'
import { keysLieOpen } from './keys.ts'
import { announceReady, createLog, type Log } from './log.ts'
import { readMetricsAddress, type MetricsAddress } from './metrics-address.ts'
import { listen } from './server.ts'
import { openStore, readStoreUrl, type StoreSetting } from './store.ts'

/** Listens as the environment says; answers with what stops it again. @throws {@link ConfigError} */
async function start(env: NodeJS.ProcessEnv): Promise<() => Promise<void>> {
  const { log, storeSetting, metricsAddress, config, demo } = await readSetup(env)
  for (const warning of config.warnings) log.warn(warning)
  if (isRelied(config, env) && storeSetting.engine !== 'memory' && (env['KEYS_SECRET'] ?? '') === '') log.warn(keysLieOpen)
  // before anything is counted
  const stopMetrics = metricsAddress && (await (await import('./metrics.ts')).serveMetrics(metricsAddress))
  const store = await openStore(storeSetting)
  const app = await createApp({ config, store, log, demo, operators: readOperators(env['OPERATORS']) })
  const listeners = await listen(config, app, log)
  announceReady(log, config.settings.issuer)
  if (demo && log.isLevelEnabled('error')) process.stdout.write((await import('./demo/commands.ts')).demoCommands(config))
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
async function readSetup(env: NodeJS.ProcessEnv): Promise<Setup> {
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
  const log = await attempt(() => createLog(env['LOG_LEVEL']))
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
  linesOf(error, process.env['CONFIG'] ?? '').then(lines => {
    process.stderr.write(`${lines.join('\n')}\n`)
    process.exit(1)
  }, fail)
}

/** What kept the server from starting, and whatever else in the file would have. */
async function linesOf(error: unknown, file: string): Promise<readonly string[]> {
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

const started = start(process.env)
stopOnSignal(started)
started.catch(fail)
