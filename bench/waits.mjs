/**
 * How often a request waits for its store, and how long it takes with nothing else under way: on each engine as it is, and with the same store
 * behind an object that knows of no batches, which is what every request waited for without them.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'clientele'
import express from 'express'
import { cases, clientOf, isAsserted, needsPreparation } from './cases.mjs'
import { Connection } from './connection.mjs'
import { startEngine } from './engines.mjs'
import { median } from './report.mjs'
import {
  assertedRequests,
  authorizationRequest,
  codeRequest,
  credentialsRequest,
  introspectionRequest,
  refreshRequest,
  revocationRequest
} from './requests.mjs'
import { mount, open } from './targets/mount.mjs'

/** Requests of each way, in turn: what a disk or a machine is worth changes within seconds. */
const perRound = 15
const warmUp = 60

const introspection = cases.find(({ name }) => name === 'introspection')
const waitCases = [
  ...['basic-opaque', 'es256-opaque', 'refresh', 'code', 'introspection'].map(name => cases.find(one => one.name === name)),
  { ...introspection, name: 'revocation', title: 'revocation, opaque' },
  // of one person, who has come back to the client hundreds of times
  { ...cases.find(({ name }) => name === 'code'), name: 'authorization', title: 'authorization request' }
]

/** What the token endpoint does after its answer, or once in a while. */
const besides = /credential|client_credentials/

/** Counts what a store is asked for; `whole` lets it take batches. */
function countedStore(behind, whole) {
  const counted = { waits: 0 }
  const count = kind => {
    if (!besides.test(kind ?? '')) counted.waits++
  }
  const store = Object.fromEntries(
    ['get', 'set', 'add', 'take', 'swap', 'delete'].map(name => [
      name,
      (key, ...given) => {
        count(key.kind)
        return behind[name](key, ...given)
      }
    ])
  )
  store.deleteGrant = grant => {
    count()
    return behind.deleteGrant(grant)
  }
  store.close = () => behind.close()
  if (whole)
    store.batch = steps => {
      count()
      return behind.batch(steps)
    }
  return { store, counted }
}

/** A server in this process, and what asks it once: answers with the milliseconds that took, and how often it waited. */
async function begin(bench, setting, { behind, whole, count }) {
  const { store, counted } = countedStore(behind, whole)
  const app = express()
  const server = createServer(app, { keepAliveTimeout: 60_000 })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address()
  const somebody = randomUUID()
  const isAuthorization = bench.name === 'authorization'
  const prepare = await mount(app, { bench, store, port, ...(isAuthorization && { person: () => somebody }), ...setting })
  const next = requestsOf(bench, setting.clientKey, await prepared(bench, prepare, count), count)
  const connection = await Connection.open(port)
  let answer
  return {
    async ask() {
      const request = next(answer)
      const before = counted.waits
      const begun = performance.now()
      const { status, body } = await new Promise((resolve, reject) =>
        connection.send(request, (status, body) => resolve({ status, body }), reject)
      )
      const took = performance.now() - begun
      if (status !== (isAuthorization ? 303 : 200)) throw new Error(`${bench.title}: ${status} ${body}`)
      answer = body === '' || isAuthorization ? undefined : JSON.parse(body)
      return { took, waits: counted.waits - before }
    },
    async end() {
      connection.close()
      server.closeAllConnections()
      server.close()
    }
  }
}

async function prepared(bench, prepare, count) {
  if (!needsPreparation(bench) || bench.name === 'authorization') return []
  return prepare(bench.grant === 'refresh_token' ? 1 : count)
}

function requestsOf(bench, clientKey, made, count) {
  const requests = isAsserted(bench) ? assertedRequests(bench, clientKey, count) : made
  let used = 0
  if (bench.name === 'authorization') return () => authorizationRequest(bench)
  if (bench.name === 'revocation') return () => revocationRequest(bench, requests[used++])
  if (bench.grant === 'introspection') return () => introspectionRequest(bench, requests[used++])
  if (bench.grant === 'authorization_code') return () => codeRequest(bench, requests[used++])
  if (bench.grant === 'refresh_token') return answer => refreshRequest(bench, answer?.refresh_token ?? made[0])
  return isAsserted(bench) ? () => requests[used++] : () => credentialsRequest(bench)
}

async function measureCase(bench, behind, { rounds, serverKeys }) {
  const { client, clientKey } = clientOf(bench)
  const count = warmUp + rounds * perRound
  const setting = { client, clientKey, serverKeys }
  const ways = []
  for (const whole of [false, true])
    ways.push({ times: [], counts: [], ...(await begin(bench, setting, { behind, whole, count })) })
  for (const way of ways) for (let index = 0; index < warmUp; index++) await way.ask()
  for (let round = 0; round < rounds; round++) {
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
      for (let index = 0; index < perRound; index++) {
        const { took, waits } = await way.ask()
        way.times.push(took)
        way.counts.push(waits)
      }
    }
  }
  for (const way of ways) await way.end()
  const [apart, together] = ways.map(({ times, counts }) => ({ waits: median(counts), time: median(times) }))
  return { apart, together }
}

/** Every kind of request on every engine there is. */
export async function measureWaits({ kinds, rounds, serverKeys }) {
  const measured = []
  for (const kind of kinds) {
    const engine = await startEngine(kind)
    if (engine.missing !== undefined) {
      measured.push({ kind, missing: engine.missing })
      continue
    }
    const behind = await open({ kind, address: engine.address })
    try {
      for (const bench of waitCases)
        measured.push({ kind, title: bench.title, ...(await measureCase(bench, behind, { rounds, serverKeys })) })
    } finally {
      await behind.close()
      await engine.stop()
    }
  }
  return measured
}
