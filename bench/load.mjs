/**
 * The load generator: a process of its own, so that what it costs is not taken from the target. It is told over IPC which
 * case to drive where and for how long, and answers with what it counted.
 */
import { cases, isAsserted } from './cases.mjs'
import { workloadCases } from './workload-cases.mjs'
import { faultOfSample, judge } from './check.mjs'
import { Connection } from './connection.mjs'
import { probe } from './probe.mjs'
import { assertedRequests, sourceOf } from './requests.mjs'

const sampleSize = 8
const patience = 10_000

/** Assertions of one round: every target of the round gets the same ones, because making them takes longer than sending them. */
let shared = { round: undefined, bench: undefined, requests: [] }

function assertionsFor(bench, { round, clientKey, count }) {
  if (shared.round !== round || shared.bench !== bench) shared = { round, bench, requests: [] }
  const { requests } = shared
  if (requests.length < count) requests.push(...assertedRequests(bench, clientKey, count - requests.length))
  return requests.slice(0, count)
}

/** Connections stay open from window to window, as those of busy clients do: accepting one costs as much as several requests. */
const pools = new Map()

async function connectionsTo(port, count) {
  const open = (pools.get(port) ?? []).filter(({ isOpen }) => isOpen).slice(0, count)
  const more = await Promise.all(Array.from({ length: count - open.length }, () => Connection.open(port)))
  const pool = [...open, ...more]
  pools.set(port, pool)
  return pool
}

/**
 * Drives one window. It ends when its time is up, the prepared requests are used up or `most` were sent, whichever is first; the rate is
 * answers per second of the time that really passed, and `load` the share of it in which this process was busy.
 */
async function drive(bench, order) {
  const { target, seconds, connections, prepared, most = Infinity } = order
  const assertions = isAsserted(bench) ? assertionsFor(bench, order) : undefined
  const source = sourceOf(bench, { prepared, assertions })
  const pool = await connectionsTo(target.port, connections)
  const window = { bench, source, sample: [], answers: 0, left: most, fault: undefined, deadline: 0 }
  const before = process.cpuUsage()
  const started = performance.now()
  window.deadline = started + seconds * 1000
  try {
    const work = Promise.all(pool.map((connection, index) => loop(connection, index, window)))
    await withinPatience(seconds * 1000 + patience, work)
  } catch (error) {
    window.fault ??= error.message
  }
  const elapsed = (performance.now() - started) / 1000
  window.fault ??= faultOfSample(bench, window.sample, target.jwks)
  const { user, system } = process.cpuUsage(before)
  const load = (user + system) / 1e6 / elapsed
  return { rate: window.answers / elapsed, answers: window.answers, load, fault: window.fault }
}

function loop(connection, index, window) {
  return new Promise((resolve, reject) => {
    let last
    const next = () => {
      const over = window.fault !== undefined || window.left-- <= 0 || performance.now() >= window.deadline
      const request = over ? undefined : window.source.next(index, last)
      if (request === undefined) resolve()
      else connection.send(request, answered, reject)
    }
    const answered = (status, body) => {
      const { answer, fault } = judge(window.bench, status, body, last)
      last = answer
      window.fault ??= fault
      window.answers++
      if (fault === undefined && window.sample.length < sampleSize) window.sample.push(answer)
      next()
    }
    next()
  })
}

function withinPatience(milliseconds, work) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${milliseconds} ms`)), milliseconds)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

const jobs = {
  drive,
  probe: async (bench, { target, clientKey, prepared }) => ({
    fault: await probe(bench, { port: target.port, clientKey, prepared })
  })
}

process.on('message', ({ job, order }) => {
  const bench = [...cases, ...workloadCases].find(({ name }) => name === order.caseName)
  jobs[job](bench, order).then(
    result => process.send({ result }),
    error => process.send({ result: { fault: error.message } })
  )
})
process.on('disconnect', () => process.exit(0))
