/**
 * The load generator: a process of its own, so that what it costs is not taken from the target. It is told over IPC which
 * case to drive where and for how long, and answers with what it counted.
 */
import { cases, requestsFor } from './cases.mjs'
import { faultOf, faultOfSample } from './check.mjs'
import { Connection } from './connection.mjs'

const sampleSize = 8
const patience = 10_000

/**
 * Drives one window. It ends when its time is up or the prepared requests are used up, whichever is first; the rate is
 * answers per second of the time that really passed.
 */
async function drive({ caseName, target, clientKey, seconds, connections, count }) {
  const bench = cases.find(({ name }) => name === caseName)
  const requests = requestsFor(bench, { issuer: target.issuer, clientKey, count })
  const pool = await Promise.all(Array.from({ length: connections }, () => Connection.open(target.port)))
  const window = { bench, requests, sample: [], answers: 0, fault: undefined, deadline: 0, next: 0 }
  const started = performance.now()
  window.deadline = started + seconds * 1000
  try {
    await withinPatience(seconds * 1000 + patience, Promise.all(pool.map(connection => loop(connection, window))))
  } catch (error) {
    window.fault ??= error.message
  } finally {
    for (const connection of pool) connection.close()
  }
  const elapsed = (performance.now() - started) / 1000
  window.fault ??= faultOfSample(bench, window.sample, target)
  return { rate: window.answers / elapsed, answers: window.answers, elapsed, fault: window.fault }
}

function loop(connection, window) {
  return new Promise((resolve, reject) => {
    const next = () => {
      const over = window.fault !== undefined || window.next === window.requests.length || performance.now() >= window.deadline
      if (over) resolve()
      else connection.send(window.requests[window.next++], answered, reject)
    }
    const answered = (status, body) => {
      window.fault ??= faultOf(window.bench, status, body)
      window.answers++
      if (window.fault === undefined && window.sample.length < sampleSize) window.sample.push(body)
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

/** A target that lets in what it must refuse is not comparable: a wrong secret and a replayed assertion are tried once. */
async function probe({ caseName, target, clientKey }) {
  const bench = cases.find(({ name }) => name === caseName)
  const [good] = requestsFor(bench, { issuer: target.issuer, clientKey, count: 1 })
  const connection = await Connection.open(target.port)
  const ask = request =>
    new Promise((resolve, reject) => connection.send(request, (status, body) => resolve({ status, body }), reject))
  try {
    const first = await ask(good)
    const fault = faultOf(bench, first.status, first.body)
    if (fault !== undefined) return { fault }
    const refused = await ask(bench.method === 'basic' ? withWrongSecret(good) : good)
    const wrong = bench.method === 'basic' ? 'a wrong secret' : 'a replayed assertion'
    return { fault: refused.status === 200 ? `${wrong} was accepted` : undefined }
  } finally {
    connection.close()
  }
}

function withWrongSecret(request) {
  const text = request.toString()
  return Buffer.from(text.replace(/Basic (\S+)/, (_, value) => `Basic ${wrongSecret(value)}`))
}

function wrongSecret(basic) {
  const text = Buffer.from(basic, 'base64').toString()
  return Buffer.from(`${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`).toString('base64')
}

const jobs = { drive, probe }

process.on('message', ({ job, options }) => {
  jobs[job](options).then(
    result => process.send({ result }),
    error => process.send({ result: { fault: error.message } })
  )
})
process.on('disconnect', () => process.exit(0))
