/** Runs a target that is another program: started by this process, on the same core, and asked for like every other. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * @typedef {object} Program
 * @property {string} command
 * @property {readonly string[]} [options]
 * @property {Record<string, string>} [environment]
 * @property {number} port
 * @property {() => Promise<unknown>} ready rejects while it does not serve
 * @property {() => Promise<object>} [jwks]
 */

/** @param {(setting: object) => Promise<Program>} describe */
export function run(describe) {
  process.once('message', async setting => {
    const { command, options = [], environment = {}, port, ready, jwks } = await describe(setting)
    const child = spawn(command, options, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...environment } })
    const end = () => {
      child.kill('SIGKILL')
      process.exit(0)
    }
    process.on('disconnect', end)
    child.on('exit', () => process.exit(1))
    for (;;) {
      try {
        await ready()
        break
      } catch {
        await pause(20)
      }
    }
    process.on('message', ({ ask }) => {
      const unable = { fault: `${command} is not asked for ${ask}` }
      process.send({ answer: ask === 'usage' ? usageOf(child.pid) : unable })
    })
    process.send({ port, jwks: setting.isStart === true ? undefined : await jwks?.() })
  })
}

/** Its CPU time in µs and its resident set in bytes, as Linux tells them of any process. */
function usageOf(pid) {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map(thread => spentBy(`/proc/${pid}/task/${thread}/schedstat`))
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1])
  return { cpu: nanoseconds.reduce((sum, spent) => sum + spent, 0) / 1000, rss: kilobytes * 1024 }
}

/** The nanoseconds of one thread; none where it has just ended. */
function spentBy(file) {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[0])
  } catch {
    return 0
  }
}

/** A port that nothing listens on. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** What a request of the target's start is answered with. @throws where that is no success. */
export async function asked(url, request) {
  const response = await fetch(url, request)
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  return response.json()
}
