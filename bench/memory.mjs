/**
 * What the memory store needs for a million live records of each kind, and how long it stops the process: `node --expose-gc memory.mjs [kind]`.
 * The records are those the server itself writes: each kind's are caught once as a request writes them, then written again under other ids.
 */
import { spawn } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { memoryStore } from 'clientele'
import { cases, clientOf } from './cases.mjs'
import { Connection } from './connection.mjs'
import { assertedRequests, codeRequest, credentialsRequest } from './requests.mjs'
import { preparation } from './targets/mount-preparation.mjs'
import { mount } from './targets/mount.mjs'

export const kinds = {
  jti: { title: 'used assertion ids (jti)', caseName: 'es256-jwt', record: 'client_assertion' },
  token: { title: 'opaque access tokens', caseName: 'basic-opaque', record: 'access_token' },
  family: { title: 'refresh families, each of another person', caseName: 'refresh', record: undefined }
}

/** The records one request leaves in the store, as `{ key, value, ttl }`. */
async function recordsOf({ caseName, record }) {
  const written = new Map()
  const bench = cases.find(({ name }) => name === caseName)
  const app = express()
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  const { client, clientKey } = clientOf(bench)
  await mount(app, { bench, client, port, store: catching(written) })
  const connection = await Connection.open(port)
  const request = await requestOf(bench, clientKey, port)
  const status = await new Promise((resolve, reject) => connection.send(request, resolve, reject))
  if (status !== 200) throw new Error(`the request whose records are measured got ${status}`)
  connection.close()
  server.close()
  // of a family what lasts as long as it and is its own: the code is spent, the access token has a row of its own, and when a credential was
  // used is written once for all
  const isMeant = ({ kind }) =>
    record === undefined ? !/(authorization_code|access_token|credential_\w+)$/.test(kind) : kind.endsWith(record)
  return [...written.values()].filter(({ key }) => isMeant(key))
}

async function requestOf(bench, clientKey, port) {
  if (bench.name === 'refresh') {
    const [code] = await preparation({ ...bench, grant: 'refreshable_code' }, port)(1)
    return codeRequest(bench, code)
  }
  return bench.name === 'es256-jwt' ? assertedRequests(bench, clientKey, 1)[0] : credentialsRequest(bench)
}

/** A memory store that shows what is written to it. */
function catching(written) {
  const store = memoryStore()
  const note = (key, value, ttl) => written.set(`${key.kind} ${key.grant} ${key.id}`, { key, value, ttl })
  return {
    get: key => store.get(key),
    take: key => store.take(key),
    delete: key => store.delete(key),
    deleteGrant: grant => store.deleteGrant(grant),
    close: () => store.close(),
    set: (key, value, ttl) => (note(key, value, ttl), store.set(key, value, ttl)),
    add: (key, value, ttl) => (note(key, value, ttl), store.add(key, value, ttl)),
    swap: (key, version, value, ttl) => (note(key, value, ttl), store.swap(key, version, value, ttl))
  }
}

const random = Buffer.alloc(64)

/** As long as another id, whole bytes in base64url like it, and nobody's. */
function idLike(id) {
  randomFillSync(random)
  return random.toString('base64url', 0, Math.floor((id.length * 3) / 4))
}

/** Writes one more of a kind, as its own writer would. */
async function writeAnother(store, records) {
  const grant = idLike(records[0].key.grant ?? records[0].key.id)
  for (const { key, value, ttl } of records) {
    const id = key.id === key.grant ? grant : idLike(key.id)
    await store.add({ ...key, id, ...(key.grant !== undefined && { grant }) }, value, ttl)
  }
}

/**
 * Runs `step` over and over. Answers with the longest it took, in milliseconds, and with the longest it took without what the garbage
 * collector had of it.
 */
async function longest(count, step) {
  const collections = []
  const observer = new PerformanceObserver(list => collections.push(...list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  const slow = []
  for (let done = 0; done < count; done++) {
    const start = performance.now()
    await step()
    const end = performance.now()
    if (end - start > 0.5) slow.push({ start, end })
  }
  // the observer is told between two turns of the event loop
  await pause(50)
  observer.disconnect()
  const all = slow.map(({ start, end }) => end - start)
  const own = slow.map(({ start, end }) => {
    const within = collections.filter(({ startTime }) => startTime >= start && startTime <= end)
    return end - start - within.reduce((sum, { duration }) => sum + duration, 0)
  })
  return { all: Math.max(0, ...all), own: Math.max(0, ...own) }
}

function used() {
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, rss }
}

async function measure(kind, count) {
  const records = await recordsOf(kinds[kind])
  let now = Date.now()
  // a family is several records, and all of them are meant to be there at once
  const store = memoryStore({ clock: () => now, maxEntries: 2 * count * records.length, maxBytes: Number.MAX_SAFE_INTEGER })
  const before = used()
  const filling = await longest(count, () => writeAnother(store, records))
  const after = used()
  const perRecord = { heap: (after.heap - before.heap) / count, rss: (after.rss - before.rss) / count }
  // all of them expire at once, and the store goes on being used until the last has been given back
  now += (Math.max(...records.map(({ ttl }) => ttl)) + 1) * 1000
  const expiring = await longest(count / 4, () => writeAnother(store, records))
  return { kind, title: kinds[kind].title, count, ...perRecord, filling, expiring }
}

/** Measures each kind in a process of its own. */
export async function measureMemory(count) {
  const measured = []
  for (const kind of Object.keys(kinds)) {
    const node = ['--expose-gc', '--max-old-space-size=6144', fileURLToPath(import.meta.url), kind, String(count)]
    const child = spawn(process.execPath, node, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const exited = once(child, 'exit').then(([code]) => Promise.reject(new Error(`measuring ${kind} ended with ${code}`)))
    exited.catch(() => undefined)
    const [result] = await Promise.race([once(child, 'message'), exited])
    measured.push(result)
  }
  return measured
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await measure(process.argv[2] ?? 'jti', Number(process.argv[3] ?? 1_000_000))
  if (process.send) process.send(result, () => process.exit(0))
  else console.log(result)
}
