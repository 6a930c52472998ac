/** The process of the server: stops it on SIGTERM and SIGINT, and says why where it cannot start. */
import { faultsOf, serve } from './serve.ts'

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
  faultsOf(error, process.env).then(lines => {
    process.stderr.write(`${lines.join('\n')}\n`)
    process.exit(1)
  }, fail)
}

const started = serve(process.env)
stopOnSignal(started)
started.catch(fail)
