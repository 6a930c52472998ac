/**
 * Whether time tells a client that is not there from one whose credential is wrong: pairs of requests in random order, one after the other on one
 * connection, medians of both, and how often the one took longer than the other.
 *
 *   npm run build && node bench/timing.mjs --pairs 20000 --store memory --store sqlite
 *
 * The last figure is the area under the curve (Mann-Whitney): 0.5 where nobody could tell them apart, 1 or 0 where each request gives it away. Beside it
 * the same of two clients that both exist, which is what chance and this machine make of 0.5.
 */
import { createHmac, generateKeyPairSync, randomUUID, sign as signWith } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import express from 'express'
import { authorizationServer, generateKeys, hashSecret, memoryStore } from '../dist/lib/index.js'
import { sqliteStore } from '../dist/lib/stores/sqlite.js'

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '20000' },
    store: { type: 'string', multiple: true, default: ['memory', 'sqlite'] },
    method: { type: 'string', multiple: true }
  }
})
const pairs = Number(values.pairs)
const issuer = 'http://localhost:3000'
const secret = 'a secret of forty-eight characters, and some more'
const form = 'application/x-www-form-urlencoded'

const base64url = value => Buffer.from(JSON.stringify(value)).toString('base64url')
const keyPairs = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519')
}
const signers = {
  HS256: text => createHmac('sha256', 'another secret, as long as the right one is').update(text).digest(),
  RS256: (text, key) => signWith('sha256', text, key),
  PS256: (text, key) => signWith('sha256', text, { key, padding: 6, saltLength: 32 }),
  ES256: (text, key) => signWith('sha256', text, { key, dsaEncoding: 'ieee-p1363' }),
  EdDSA: (text, key) => signWith(null, text, key)
}

/** The body of a request with a good assertion that nobody registered made. */
function assertion(alg, client_id, key) {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 3600 }
  const text = `${base64url({ alg })}.${base64url(claims)}`
  const signature = signers[alg](Buffer.from(text), key).toString('base64url')
  const type = encodeURIComponent('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
  return `grant_type=client_credentials&client_assertion_type=${type}&client_assertion=${text}.${signature}`
}

const basic = id => `Basic ${Buffer.from(`${id}:wrong`).toString('base64')}`
const grant = 'grant_type=client_credentials'

/** Each method: what a client registers, and a request of somebody who has not its credential. */
function methodsFor() {
  const jwt = alg => {
    const foreign = keyPairs[alg]?.()
    const own = keyPairs[alg]?.()
    const jwk = own?.publicKey.export({ format: 'jwk' })
    return {
      metadata:
        own === undefined
          ? { token_endpoint_auth_method: 'client_secret_jwt', client_secret: secret }
          : { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
      request: id => ({ body: assertion(alg, id, foreign?.privateKey) })
    }
  }
  return {
    client_secret_basic: {
      metadata: { client_secret: secret },
      request: id => ({ authorization: basic(id), body: grant })
    },
    client_secret_post: {
      metadata: { token_endpoint_auth_method: 'client_secret_post', client_secret: secret },
      request: id => ({ body: `${grant}&client_id=${id}&client_secret=wrong` })
    },
    'client_secret_jwt HS256': jwt('HS256'),
    'private_key_jwt ES256': jwt('ES256'),
    'private_key_jwt RS256': jwt('RS256'),
    'private_key_jwt PS256': jwt('PS256'),
    'private_key_jwt EdDSA': jwt('EdDSA'),
    // the last: from then on every refusal of this process costs what such a secret costs
    'client_secret_basic hashed': {
      metadata: async () => ({ credentials: [{ type: 'secret', id: 'a', hash: await hashSecret('correct horse') }] }),
      request: id => ({ authorization: basic(id), body: grant }),
      // a fifth of a second each
      share: 0.01
    }
  }
}

const ids = { known: 'client-that-is-there-1', other: 'client-that-is-there-2', unknown: 'client-that-is-there-3' }

async function serve(metadata, store) {
  const app = express()
  const given = typeof metadata === 'function' ? await metadata() : metadata
  const clients = [ids.known, ids.other].map(client_id => ({ client_id, grant_types: ['client_credentials'], ...given }))
  const guessProtection = { attempts: 1_000_000, window: 86_400 }
  const quiet = {
    onError: () => undefined,
    interaction: { account: () => undefined, consented: () => false, prompt: () => undefined }
  }
  app.use(authorizationServer({ issuer, clients, keys: await generateKeys(), store, guessProtection, scopes: ['a'], ...quiet }))
  const server = createServer(app)
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

function ask(port, agent, { authorization, body }) {
  const headers = { 'Content-Type': form, 'Content-Length': body.length, ...(authorization && { Authorization: authorization }) }
  return new Promise((resolve, reject) => {
    const begun = process.hrtime.bigint()
    const sent = request({ port, host: '127.0.0.1', path: '/oauth2/token', method: 'POST', agent, headers }, response => {
      response.resume()
      response.on('end', () => {
        const took = Number(process.hrtime.bigint() - begun) / 1000
        if (response.statusCode === 401) resolve(took)
        else reject(new Error(`${response.statusCode} in place of 401`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Some hundred requests of each kind, so that what is special about one of them is no pattern. */
function requestsOf(request, id) {
  return Array.from({ length: 200 }, () => request(id))
}

async function measure({ metadata, request }, store, count) {
  const server = await serve(metadata, store)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const { port } = server.address()
  const kinds = Object.keys(ids)
  const requests = Object.fromEntries(kinds.map(kind => [kind, requestsOf(request, ids[kind])]))
  const times = { known: [], other: [], unknown: [] }
  const round = async (index, keep) => {
    for (const kind of kinds
      .map(one => [Math.random(), one])
      .sort()
      .map(([, one]) => one)) {
      const took = await ask(port, agent, requests[kind][index % 200])
      if (keep) times[kind].push(took)
    }
  }
  for (let index = 0; index < Math.min(1000, count); index++) await round(index, false)
  for (let index = 0; index < count; index++) await round(index, true)
  agent.destroy()
  await new Promise(resolve => server.close(resolve))
  return times
}

const median = list => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]

/** How often a member of `a` is larger than one of `b`, equal ones half: by ranks. */
function area(a, b) {
  const all = [...a.map(value => [value, 1]), ...b.map(value => [value, 0])].sort(([x], [y]) => x - y)
  let sum = 0
  for (let index = 0; index < all.length;) {
    let end = index
    while (end < all.length && all[end][0] === all[index][0]) end++
    const rank = (index + 1 + end) / 2
    for (; index < end; index++) sum += all[index][1] * rank
  }
  return (sum - (a.length * (a.length + 1)) / 2) / (a.length * b.length)
}

const stores = {
  memory: async run => run(memoryStore()),
  sqlite: async run => {
    const folder = mkdtempSync(join(tmpdir(), 'clientele-timing-'))
    const store = await sqliteStore({ path: join(folder, 'store.db') })
    try {
      return await run(store)
    } finally {
      await store.close()
      rmSync(folder, { recursive: true })
    }
  }
}

const methods = Object.entries(methodsFor()).filter(([name]) => values.method === undefined || values.method.includes(name))
console.log(
  '| method | store | pairs | wrong credential, µs | unknown client, µs | unknown slower | two known: slower | 95 % of chance |'
)
console.log('| --- | --- | --: | --: | --: | --: | --: | --: |')
for (const [name, method] of methods) {
  for (const store of values.store) {
    const count = Math.max(20, Math.round(pairs * (method.share ?? 1)))
    const { known, other, unknown } = await stores[store](opened => measure(method, opened, count))
    const chance = 1.96 * Math.sqrt(1 / (6 * count))
    const cells = [
      name,
      store,
      count,
      median(known).toFixed(0),
      median(unknown).toFixed(0),
      area(unknown, known).toFixed(3),
      area(other, known).toFixed(3),
      `±${chance.toFixed(3)}`
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}
