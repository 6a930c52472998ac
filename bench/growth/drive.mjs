/** Servers in processes of their own, and what drives them: each in windows, in turns with the others. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Connection } from '../connection.mjs'
import { median, quietest } from '../report.mjs'
import { atATime, megabytes, timesOf, whole } from './shared.mjs'

export const connections = 8

/** Runs a program of the bench's in a process of its own; answers with it and the first thing it says. */
export async function started(file, setting) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ['--expose-gc'],
    env: { ...process.env, NODE_ENV: 'production' }
  })
  child.send(setting)
  const failed = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${file} ended with ${code}`)))
  failed.catch(() => undefined)
  const [said] = await Promise.race([once(child, 'message'), failed])
  return { child, said }
}

async function asked(child, question) {
  child.send(question)
  const [answer] = await once(child, 'message')
  return answer
}

/** Sends requests over connections that are open, each one after the other; answers with the milliseconds they all took, and each. */
async function drive(pool, count, { requestOf, status }) {
  const times = []
  const begun = performance.now()
  await atATime(pool.length, count, async index => {
    const connection = pool.pop()
    const sent = performance.now()
    const answer = await new Promise((resolve, reject) => connection.send(requestOf(index), resolve, reject))
    times.push(performance.now() - sent)
    if (answer !== status) throw new Error(`answered ${answer}`)
    pool.push(connection)
  })
  return { took: performance.now() - begun, times }
}

/**
 * Drives servers in turns, forward and backward, so that a slow spell of the machine falls on all of them.
 *
 * @param servers each `{ child, port, requestOf, status, warmUp }`: `warmUp` requests are sent before any is measured.
 * @returns for each the cells of a row: requests a second (median of the windows), microseconds of CPU for each (their 10th percentile), the median and the
 * 99th percentile of milliseconds, the longest pause of its event loop and what of that the collector had, and memory.
 */
export async function inTurns(servers, { rounds, each }) {
  const pools = await Promise.all(
    servers.map(({ port }) => Promise.all(Array.from({ length: connections }, () => Connection.open(port))))
  )
  for (const [index, server] of servers.entries()) await drive(pools[index], server.warmUp, server)
  const windows = servers.map(() => [])
  for (const { child } of servers) await asked(child, 'begin')
  for (let round = 0; round < rounds; round++) {
    const turn = [...servers.keys()]
    for (const index of round % 2 === 0 ? turn : turn.toReversed()) {
      const before = await asked(servers[index].child, 'cpu')
      const { took, times } = await drive(pools[index], each, servers[index])
      const after = await asked(servers[index].child, 'cpu')
      windows[index].push({ rate: (each * 1000) / took, cpu: (after - before) / each, times })
    }
  }
  const ends = []
  for (const { child } of servers) ends.push(await asked(child, 'end'))
  for (const connection of pools.flat()) connection.close()
  return windows.map((all, index) => cellsOf(all, ends[index]))
}

function cellsOf(windows, { pause, collected, rss }) {
  const rate = median(windows.map(({ rate }) => rate).toSorted((a, b) => a - b))
  const times = timesOf(windows.flatMap(({ times }) => times))
  return [whole(rate), whole(quietest(windows)), ...times, `${pause.toFixed(1)} (${collected.toFixed(1)})`, megabytes(rss)]
}

export const columns = ['req/s', 'CPU µs', 'median ms', 'p99 ms', 'longest pause ms (collector)', 'memory']
