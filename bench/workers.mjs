/** Starts the processes of a run, each on a core of its own where the machine lets us choose, and talks to them over IPC. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const startTimeout = 60_000
/**
 * A target waits for seconds while the others have their turn, which a busy server never does. V8 would take the wait for the time to collect
 * everything, compiled code and hidden classes included, and measure as slower whoever waits longer.
 */
const asIfBusy = ['--no-memory-reducer', '--no-flush-bytecode']

export const isPinned = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0,1', 'true']).status === 0

function start(file, core, nodeArguments = [], executable = process.execPath) {
  const node = [executable, ...nodeArguments, fileURLToPath(new URL(file, import.meta.url))]
  const [command, ...rest] = isPinned && core !== undefined ? ['taskset', '-c', String(core), ...node] : node
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  return spawn(command, rest, { stdio, env: { ...process.env, NODE_ENV: 'production' } })
}

/** Starts a target and waits until it serves: on core 0, or on any (`pinned`); to wait while others have their turn, or not (`inTurns`). */
export async function startTarget(name, setting, nodeArguments = [], executable = process.execPath) {
  const started = performance.now()
  const child = start(
    `targets/${name}.mjs`,
    setting.pinned === false ? undefined : 0,
    [...(setting.inTurns === false ? [] : asIfBusy), ...nodeArguments],
    executable
  )
  const exited = once(child, 'exit')
  child.send(setting)
  const timeout = setTimeout(() => child.kill('SIGKILL'), startTimeout)
  const died = exited.then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`)))
  died.catch(() => undefined)
  const [address] = await Promise.race([once(child, 'message'), died])
  clearTimeout(timeout)
  const ask = async message => {
    child.send(message)
    const [{ answer }] = await Promise.race([once(child, 'message'), died])
    if (answer.fault !== undefined) throw new Error(answer.fault)
    return answer
  }
  return {
    name,
    address,
    /** Has it answer what is its own; see `asks` in targets/serve.mjs. */
    ask: name => ask({ ask: name }),
    /** Milliseconds until it served. */
    startTime: performance.now() - started,
    /** Its CPU time in µs and resident set in bytes. */
    usage: () => ask({ ask: 'usage' }),
    /** Bytes it still needs after a full collection, where it was started with `--expose-gc`. */
    held: () => ask({ ask: 'held' }),
    /** Makes what the next window's requests present. */
    prepare: count => ask({ ask: 'prepare', count }),
    stop: () => stop(child, exited)
  }
}

/** Starts the load generator. Its answers come in the order of its orders, of which it gets one at a time. */
export function startLoad() {
  const child = start('load.mjs', 1)
  const exited = once(child, 'exit')
  const died = exited.then(() => ({ fault: 'the load generator ended' }))
  return {
    order: (job, order) => {
      child.send({ job, order })
      return Promise.race([once(child, 'message').then(([{ result }]) => result), died])
    },
    stop: () => stop(child, exited)
  }
}

async function stop(child, exited) {
  if (child.connected) child.disconnect()
  const timeout = setTimeout(() => child.kill('SIGKILL'), 5000)
  await exited
  clearTimeout(timeout)
}
