/** The process of the server: stops it on SIGTERM and SIGINT, and says why where it cannot start. */
import { createApp } from './app.ts'
import { memoryStore } from 'clientele'
import { checkConfig, folderOf, readJson } from './config/config.ts'
import { ConfigError, lineOf } from './config/config-error.ts'
import { everyMistake } from './config/mistakes.ts'
import { createLog } from './log.ts'
import { serve } from './serve.ts'

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

const started = serve(process.env)
stopOnSignal(started)
started.catch(fail)
