/**
 * ML-DSA (RFC 9964) beside ES256 and RS256: how long what is signed becomes, and what a token request of a `private_key_jwt` client costs.
 *
 *   npm run build && node bench/post-quantum.mjs
 *
 * It needs Node 24.7; an older one measures the other two, and says so. CPU time is the server's alone, in rounds that are interleaved: assertions are
 * signed before the measured time, in another process.
 */
import { generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto'
import { Agent } from 'node:http'
import { parseArgs } from 'node:util'
import { ask, start } from './document-servers.mjs'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const connections = 16
const mlDsa = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87']
const pairs = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ...Object.fromEntries(mlDsa.map(alg => [alg, () => generateKeyPairSync(alg.toLowerCase())]))
}
const digests = { ES256: 'sha256', RS256: 'sha256' }

const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url')
const quantile = (list, share) => list.toSorted((a, b) => a - b)[Math.floor((list.length - 1) * share)]

function algorithms() {
  if (typeof globalThis.SubtleCrypto?.supports === 'function') return Object.keys(pairs)
  console.log(`ML-DSA is left out: it needs Node 24.7 or later, and this is Node ${process.versions.node}.\n`)
  return Object.keys(pairs).filter(alg => !mlDsa.includes(alg))
}

function signerOf(alg) {
  const { privateKey, publicKey } = pairs[alg]()
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: alg, alg, use: 'sig' }
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' }
  const assertion = (client_id, issuer) => {
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 240 }
    const text = `${encode({ alg, kid: alg })}.${encode(claims)}`
    return `${text}.${sign(digests[alg] ?? null, Buffer.from(text), key).toString('base64url')}`
  }
  return { alg, jwk, publicKey, key, assertion }
}

/** Microseconds of one operation: the fastest tenth of many batches. */
function timeOf(operation) {
  const took = []
  for (let batch = 0; batch < 40; batch++) {
    const begun = performance.now()
    for (let index = 0; index < 25; index++) operation()
    took.push(((performance.now() - begun) * 1000) / 25)
  }
  return quantile(took, 0.1)
}

async function round(server, agent, { alg, assertion }, count) {
  const of = { grant_type: 'client_credentials', scope: 'api:read', client_id: alg, client_assertion_type: assertionType }
  const forms = Array.from({ length: count }, () => ({ ...of, client_assertion: assertion(alg, server.issuer) }))
  const before = await server.usage()
  const send = async () => {
    for (let form = forms.pop(); form !== undefined; form = forms.pop()) {
      const { status, text } = await ask(agent, `${server.issuer}/oauth2/token`, form)
      if (status !== 200) throw new Error(`${status}: ${text}`)
    }
  }
  await Promise.all(Array.from({ length: connections }, send))
  return ((await server.usage()).cpu - before.cpu) / count
}

async function main() {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '15' }, count: { type: 'string', default: '500' } }
  })
  const signers = algorithms().map(signerOf)
  const clients = signers.map(({ alg, jwk }) => ({
    client_id: alg,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg,
    jwks: { keys: [jwk] },
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: []
  }))
  const server = await start({ clients })
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const count = Number(values.count)
  for (const signer of signers) await round(server, agent, signer, 4 * count)
  const cost = new Map(signers.map(({ alg }) => [alg, []]))
  // in an order that turns: whoever comes first finds a heap that was just swept
  for (let turn = 0; turn < Number(values.rounds) * signers.length; turn++) {
    const signer = signers[(turn + Math.floor(turn / signers.length)) % signers.length]
    cost.get(signer.alg).push(await round(server, agent, signer, count))
  }
  agent.destroy()
  console.log(
    '| algorithm | public JWK, bytes | signature | client assertion | sign µs | verify µs | CPU µs per token request | beside ES256 |'
  )
  console.log('| --- | --: | --: | --: | --: | --: | --: | --: |')
  for (const { alg, jwk, publicKey, key, assertion } of signers) {
    const text = Buffer.from('x'.repeat(300))
    const digest = digests[alg] ?? null
    const signature = sign(digest, text, key)
    const cpu = quantile(cost.get(alg), 0.5)
    const cells = [
      ...[alg, JSON.stringify(jwk).length, signature.length, assertion(alg, server.issuer).length],
      timeOf(() => sign(digest, text, key)).toFixed(0),
      timeOf(() => verify(digest, text, { ...key, key: publicKey }, signature)).toFixed(0),
      cpu.toFixed(0),
      (cpu / quantile(cost.get('ES256'), 0.5)).toFixed(2)
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
  server.stop()
}

await main()
