/**
 * What tenants, registered clients and used assertion ids cost as they become many: Markdown tables. `npm run build` first; then
 * `node bench/growth.mjs`, or with a part's name (`tenants`, `clients`, `jtis`) for that part alone; `--quick` for a hundredth of everything. Takes about ten minutes, and
 * two gigabytes under the temporary folder. PostgreSQL is measured where it is installed.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { generateKeys } from '../dist/lib/index.js'
import { Connection } from './connection.mjs'
import { fill, postgres, rowKeyOf, sqlite } from './growth/databases.mjs'
import { atATime, client, issuer, jtiKey, megabytes, randomBelow, timesOf, whole } from './growth/shared.mjs'
import { quietest, table } from './report.mjs'

const connections = 8
const quick = process.argv.includes('--quick')
const requests = quick ? 2_000 : 20_000
const window = requests / 20
/** How many there are of what grows. */
const sizes = (...counts) => counts.map(count => (quick ? Math.max(1, count / 100) : count))

/** Runs a program of the bench's in a process of its own; answers with it and the first thing it says. */
async function started(file, setting) {
  const child = fork(fileURLToPath(new URL(`growth/${file}`, import.meta.url)), {
    execArgv: ['--expose-gc'],
    env: { ...process.env, NODE_ENV: 'production' }
  })
  child.send(setting)
  const failed = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${file} ended with ${code}`)))
  failed.catch(() => undefined)
  const [said] = await Promise.race([once(child, 'message'), failed])
  return { child, said }
}

/** Adds a row, and shows it to whoever waits for the whole. */
function tell(rows, row) {
  rows.push(row)
  console.error(row.join('  '))
}

/** What a server has used up: `cpu` in microseconds, or `memory` in bytes, for which it collects its garbage first. */
async function usageOf(child, what) {
  child.send(what)
  const [usage] = await once(child, 'message')
  return usage
}

/**
 * Sends requests in windows and answers with the cells of a row: rate, CPU time of the server for each, times, memory. The
 * CPU time is the 10th percentile of the windows, for whatever else the machine does only ever adds to it. No collection
 * that was asked for is within it: one of a large heap would count for more than what is measured.
 */
async function measured(child, port, requestOf, status) {
  const windows = []
  for (let sent = 0; sent < requests; sent += window) {
    const before = await usageOf(child, 'cpu')
    const driven = await drive(port, window, requestOf, status)
    windows.push({ ...driven, cpu: ((await usageOf(child, 'cpu')) - before) / window })
  }
  const took = windows.reduce((sum, driven) => sum + driven.took, 0)
  const times = windows.flatMap(driven => driven.times)
  const memory = await usageOf(child, 'memory')
  return [whole((requests * 1000) / took), whole(quietest(windows)), ...timesOf(times), megabytes(memory)]
}

/** Sends requests over a few connections, each one after the other; answers with the milliseconds each took, and all. */
async function drive(port, count, requestOf, status) {
  const pool = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)))
  const times = []
  const begun = performance.now()
  await atATime(connections, count, async index => {
    const connection = pool.pop()
    const sent = performance.now()
    const answer = await new Promise((resolve, reject) => connection.send(requestOf(index), resolve, reject))
    times.push(performance.now() - sent)
    if (answer !== status) throw new Error(`answered ${answer}`)
    pool.push(connection)
  })
  const took = performance.now() - begun
  for (const connection of pool) connection.close()
  return { took, times }
}

async function growthOfTenants() {
  const body = 'grant_type=client_credentials'
  const authorization = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')
  const type = 'application/x-www-form-urlencoded'
  const head = `Host: x\r\nAuthorization: Basic ${authorization}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}`
  const requestTo = tenant => `POST /t${tenant}/oauth2/token HTTP/1.1\r\n${head}\r\n\r\n${body}`
  const rows = [['tenants', 'requests', 'req/s', 'CPU µs', 'median ms', 'p99 ms', 'memory']]
  for (const count of sizes(1, 1_000, 10_000)) {
    const { child, said: port } = await started('server.mjs', { count })
    await drive(port, Math.max(count, requests), index => requestTo(index % count), 200)
    const random = randomBelow(count)
    for (const [which, tenant] of [
      ['to one', () => 0],
      ['spread over all', random]
    ]) {
      tell(rows, [whole(count), which, ...(await measured(child, port, () => requestTo(tenant()), 200))])
    }
    child.disconnect()
  }
  return table(rows)
}

/** An authorization request of a client that exists, without anybody there: one look into the store, and nothing written. */
function authorizationRequest(client_id) {
  const query = new URLSearchParams({
    client_id,
    response_type: 'code',
    redirect_uri: 'https://client.example.com/cb',
    prompt: 'none',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256'
  })
  return `GET /oauth2/authorize?${query.toString()} HTTP/1.1\r\nHost: x\r\n\r\n`
}

/** Registers one client; answers with what is kept of any of them. */
async function registeredRecord(database, setting) {
  const { child, said: port } = await started('server.mjs', setting)
  const response = await fetch(`http://127.0.0.1:${port}/oauth2/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://client.example.com/cb'], token_endpoint_auth_method: 'none' })
  })
  const { client_id } = await response.json()
  child.disconnect()
  const value = await database.valueLike(`%"client_id":"${client_id}"%`)
  // as the server keeps the records of its issuer apart
  const kind = `${issuer.length}:${issuer}registered_client`
  return id => [rowKeyOf({ kind, id }), value.replaceAll(client_id, id)]
}

const clientId = index => index.toString(16).padStart(32, '0')

async function growthOfClients(databases) {
  const rows = [['engine', 'clients', 'req/s', 'CPU µs', 'median ms', 'p99 ms', 'memory']]
  const keys = await generateKeys(['ES256'])
  for (const database of databases) {
    const setting = { engine: database.engine, address: database.address, keys }
    const recordOf = await registeredRecord(database, setting)
    let filled = 0
    for (const count of sizes(10, 10_000, 1_000_000)) {
      await fill(database, filled, count, index => recordOf(clientId(index)))
      filled = count
      const { child, said: port } = await started('server.mjs', setting)
      const random = randomBelow(count)
      const request = () => authorizationRequest(clientId(random()))
      await drive(port, 3_000, request, 303)
      tell(rows, [database.engine, whole(count), ...(await measured(child, port, request, 303))])
      child.disconnect()
    }
  }
  return table(rows)
}

async function growthOfJtis(databases) {
  const rows = [['engine', 'live jtis', 'CPU µs', 'new: median ms', 'p99 ms', 'used before: median ms', 'p99 ms', 'memory']]
  const recordOf = index => [rowKeyOf(jtiKey(index)), 'null']
  for (const database of [{ engine: 'memory' }, ...databases]) {
    let filled = 0
    for (const live of sizes(1_000, 1_000_000)) {
      if (database.insert !== undefined) await fill(database, filled, live, recordOf)
      filled = live
      const { said } = await started('jtis.mjs', { engine: database.engine, address: database.address, live, first: 2e9 + live })
      const times = [...timesOf(said.fresh), ...timesOf(said.used)]
      tell(rows, [database.engine, whole(live), whole(said.cpu), ...times, megabytes(said.rss)])
    }
  }
  return table(rows)
}

const parts = { tenants: growthOfTenants, clients: growthOfClients, jtis: growthOfJtis }
const wanted = process.argv.slice(2).filter(argument => argument in parts)
for (const [name, measure] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const databases = name === 'tenants' ? [] : [await sqlite(), await postgres()].filter(database => database !== undefined)
  try {
    console.log(`\n**${name}**, issuer ${issuer}\n\n${await measure(databases)}`)
  } finally {
    for (const database of databases) await database.stop()
  }
}
