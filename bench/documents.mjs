/**
 * Clients with documents beside configured ones: what a token request of each costs once the document is kept, in interleaved rounds, and what becomes
 * of the others while ten thousand ids that nobody has heard of are asked for within a minute.
 *
 *   npm run build && node bench/documents.mjs
 *   node bench/documents.mjs --flood
 *
 * The control is a second configured client. CPU time is the server's alone: who asks, and who serves the documents, is another process.
 */
import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import { Agent } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { codeChallenge, codeVerifier, newKey, publicHalf } from './cases.mjs'
import { ask, documentHost, start } from './document-servers.mjs'

const redirect_uri = 'http://127.0.0.1:7777/callback'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const connections = 16

const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url')

function assertion(client_id, issuer, key) {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 240 }
  const text = `${encode({ alg: 'ES256', kid: 'client' })}.${encode(claims)}`
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

function must({ status, text }, expected = 200) {
  if (status !== expected) throw new Error(`${status} in place of ${expected}: ${text}`)
  return text
}

/** What each case's client is, and its `count` requests: in each of the chains the next follows from the answer before. */
const cases = {
  'private_key_jwt ES256 → opaque': {
    client: jwk => ({
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [jwk] },
      grant_types: ['client_credentials'],
      redirect_uris: []
    }),
    chains: ({ client_id, issuer, key, count }) => {
      const of = { grant_type: 'client_credentials', scope: 'api:read', client_id, client_assertion_type: assertionType }
      const forms = Array.from({ length: count }, () => ({ ...of, client_assertion: assertion(client_id, issuer, key) }))
      return Array.from({ length: connections }, () => () => forms.pop())
    }
  },
  'none, refresh with rotation': {
    client: () => ({
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [redirect_uri],
      scope: 'api:read offline_access'
    }),
    chains: async ({ client_id, issuer, agent, count }) => {
      const query = { client_id, redirect_uri, response_type: 'code', scope: 'api:read offline_access', prompt: 'consent' }
      const pkce = { code_challenge: codeChallenge, code_challenge_method: 'S256' }
      const left = { count }
      return Promise.all(
        Array.from({ length: connections }, async () => {
          const asked = await ask(agent, `${issuer}/oauth2/authorize?${new URLSearchParams({ ...query, ...pkce })}`)
          must(asked, 303)
          const code = new URL(asked.location).searchParams.get('code')
          const form = { grant_type: 'authorization_code', client_id, code, redirect_uri, code_verifier: codeVerifier }
          let { refresh_token } = JSON.parse(must(await ask(agent, `${issuer}/oauth2/token`, form)))
          return text => {
            if (text !== undefined) ({ refresh_token } = JSON.parse(text))
            return left.count-- > 0 ? { grant_type: 'refresh_token', client_id, refresh_token } : undefined
          }
        })
      )
    }
  }
}

async function round(server, agent, chains) {
  const before = await server.usage()
  const begun = performance.now()
  let answers = 0
  await Promise.all(
    chains.map(async next => {
      for (let form = next(); form !== undefined; answers++)
        form = next(must(await ask(agent, `${server.issuer}/oauth2/token`, form)))
    })
  )
  const seconds = (performance.now() - begun) / 1000
  return { cpu: ((await server.usage()).cpu - before.cpu) / answers, rate: answers / seconds }
}

const quantile = (list, share) => list.toSorted((a, b) => a - b)[Math.floor((list.length - 1) * share)]
const median = list => quantile(list, 0.5)

async function compare(name, { rounds, count }) {
  const { client, chains } = cases[name]
  const jwk = newKey('ES256', 'client')
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const metadata = client(publicHalf(jwk))
  const host = await documentHost(address => ({ client_id: address, client_name: 'Bench', ...metadata }))
  const document = `${host.origin}/client.json`
  // as long as the other id: what is signed and parsed is
  const ids = { configured: 'configured'.padEnd(document.length, '-'), document, control: 'control'.padEnd(document.length, '-') }
  const clients = [ids.configured, ids.control].map(client_id => ({ client_id, client_name: 'Bench', ...metadata }))
  const server = await start({ clients, ca: host.ca })
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const run = async (client_id, many) =>
    round(server, agent, await chains({ client_id, issuer: server.issuer, key, agent, count: many }))
  for (const client_id of Object.values(ids)) await run(client_id, count * 4)
  const results = { configured: [], document: [], control: [] }
  const kinds = Object.keys(ids)
  // in an order that turns: whoever comes first finds a heap that was just swept
  for (let turn = 0; turn < rounds * kinds.length; turn++) {
    const kind = kinds[(turn + Math.floor(turn / kinds.length)) % kinds.length]
    results[kind].push(await run(ids[kind], count))
  }
  agent.destroy()
  server.stop()
  host.close()
  const ratio = (kind, figure) =>
    median(results[kind].map((one, index) => one[figure] / results.configured[index][figure])).toFixed(3)
  const cpu = kind =>
    quantile(
      results[kind].map(one => one.cpu),
      0.1
    ).toFixed(0)
  const cells = [name, ratio('document', 'rate'), ratio('control', 'rate'), cpu('configured'), cpu('document'), cpu('control')]
  console.log(`| ${[...cells, ratio('document', 'cpu'), ratio('control', 'cpu'), host.asked()].join(' | ')} |`)
}

/** Somebody who asks for tokens all the time, one request every ten milliseconds, and how long each took, in milliseconds. */
function patient(server, form) {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const took = []
  let goesOn = true
  const ends = (async () => {
    while (goesOn) {
      const begun = performance.now()
      must(await ask(agent, `${server.issuer}/oauth2/token`, form))
      took.push(performance.now() - begun)
      await pause(10)
    }
  })()
  return {
    async end() {
      goesOn = false
      await ends
      agent.destroy()
      return took
    }
  }
}

const figures = list => `${list.length} answers, median ${median(list).toFixed(2)} ms, p99 ${quantile(list, 0.99).toFixed(2)} ms`

/** Ids nobody has heard of, spread evenly over a minute: each asked for once, by somebody who wants to sign in. */
async function flood(title, idOf, host, seconds, count) {
  const secret = 'a secret of the patient client, long enough'
  const clients = [
    {
      client_id: 'patient',
      client_secret: secret,
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'client_secret_post'
    }
  ]
  const server = await start({ clients, ca: host.ca, flooded: true })
  const form = { grant_type: 'client_credentials', scope: 'api:read', client_id: 'patient', client_secret: secret }
  const idle = patient(server, form)
  await pause(1000 * Math.min(seconds, 20))
  const quiet = await idle.end()
  const before = await server.usage()
  const asked = host.asked()
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const busy = patient(server, form)
  const begun = performance.now()
  const answers = new Map()
  const sent = []
  for (let index = 0; index < count; index++) {
    const ahead = begun + (index * 1000 * seconds) / count - performance.now()
    if (ahead > 0) await pause(ahead)
    const query = new URLSearchParams({
      client_id: idOf(index),
      redirect_uri,
      response_type: 'code',
      code_challenge: codeChallenge,
      code_challenge_method: 'S256'
    })
    sent.push(
      ask(agent, `${server.issuer}/oauth2/authorize?${query}`).then(
        ({ status }) => void answers.set(status, (answers.get(status) ?? 0) + 1)
      )
    )
  }
  await Promise.all(sent)
  const took = ((performance.now() - begun) / 1000).toFixed(0)
  const during = await busy.end()
  const after = await server.usage()
  agent.destroy()
  server.stop()
  const mib = bytes => (bytes / 1_048_576).toFixed(1)
  console.log(`${title}: ${count} ids in ${took} s, answered ${JSON.stringify(Object.fromEntries(answers))}`)
  console.log(
    `  fetched ${host.asked() - asked}; heap ${mib(before.heap)} → ${mib(after.heap)} MiB, rss ${mib(before.rss)} → ${mib(after.rss)} MiB`
  )
  console.log(`  CPU ${((after.cpu - before.cpu) / 1_000_000).toFixed(1)} s`)
  console.log(`  another client, idle: ${figures(quiet)}; meanwhile: ${figures(during)}`)
}

async function main() {
  const { values } = parseArgs({
    options: {
      flood: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '21' },
      count: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '60' },
      ids: { type: 'string', default: '10000' }
    }
  })
  if (!values.flood) {
    console.log(
      '| case | rate, document | rate, control | CPU µs, configured | document | control | CPU ratio, document | control | fetches |'
    )
    console.log('| --- | --: | --: | --: | --: | --: | --: | --: | --: |')
    for (const name of Object.keys(cases)) await compare(name, { rounds: Number(values.rounds), count: Number(values.count) })
    return
  }
  const [seconds, ids] = [Number(values.seconds), Number(values.ids)]
  const none = await documentHost(() => undefined)
  await flood('one host without documents', index => `${none.origin}/${index}`, none, seconds, ids)
  await flood('as many hosts that are not there', index => `https://host-${index}.invalid/client`, none, seconds, ids)
  none.close()
  const all = await documentHost(address => ({
    client_id: address,
    client_name: 'Bench',
    redirect_uris: [redirect_uri],
    filler: 'x'.repeat(4000)
  }))
  await flood('one host with a document at every address', index => `${all.origin}/${index}`, all, seconds, ids)
  all.close()
}

await main()
