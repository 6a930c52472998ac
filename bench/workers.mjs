/** Starts the processes of a run, each on a core of its own where the machine lets us choose, and talks to them over IPC. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const startTimeout = 30_000

export const isPinned = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0,1', 'true']).status === 0

function start(file, core, nodeArguments = []) {
  const node = [process.execPath, ...nodeArguments, fileURLToPath(new URL(file, import.meta.url))]
  const [command, ...rest] = isPinned ? ['taskset', '-c', String(core), ...node] : node
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  return spawn(command, rest, { stdio, env: { ...process.env, NODE_ENV: 'production' } })
}

/** Starts a target and waits until it serves. */
export async function startTarget(name, setting, nodeArguments) {
  const child = start(`targets/${name}.mjs`, 0, nodeArguments)
  const exited = once(child, 'exit')
  child.send(setting)
  const timeout = setTimeout(() => child.kill('SIGKILL'), startTimeout)
  const died = exited.then(([code]) => Promise.reject(new Error(`${name} ended with ${code} before it served`)))
  const [address] = await Promise.race([once(child, 'message'), died])
  clearTimeout(timeout)
  died.catch(() => undefined)
  const cpuTime = async () => {
    child.send('cpu')
    const [{ user, system }] = await once(child, 'message')
    return user + system
  }
  return { name, address, cpuTime, stop: () => stop(child, exited) }
}

/** Starts the load generator. Its answers come in the order of its orders, of which it gets one at a time. */
export function startLoad() {
  const child = start('load.mjs', 1)
  const exited = once(child, 'exit')
  const died = exited.then(() => ({ fault: 'the load generator ended' }))
  return {
    order: (job, options) => {
      child.send({ job, options })
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
