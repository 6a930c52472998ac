/**
 * Every option of a public function that takes a listener, given one that fails, and made to be told something at least twice. Started by
 * listeners.spec.ts as a process of its own, which has no handler for rejections: whether it lives is the question.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type RequestHandler } from 'express'
import {
  authenticateClient,
  authorizationServer,
  builtInStrategies,
  credentialSets,
  generateKeys,
  memoryStore,
  oauthErrorHandler,
  proxyCertificate,
  storedClients,
  storedKeys,
  tenants,
  tokenRouter,
  type ClientMetadata,
  type Store
} from 'clientele'
import { keptAuthentications } from 'clientele/replay'

const how = process.argv[2]

/** Fails as it is asked to, with its own name. */
function failing(name: string): () => undefined {
  const error = new Error(`the log of ${name} is full`)
  const rejecting = (): Promise<never> => Promise.reject(error)
  const throwing = (): never => {
    throw error
  }
  return how === 'rejects' ? (rejecting as unknown as () => undefined) : throwing
}

const issuer = 'http://localhost:4999'
const clients: ClientMetadata[] = [
  { client_id: 'billing', client_secret: 'a secret of billing that is long enough' },
  { client_id: 'tls', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'billing.example' }
]
const store = memoryStore()
const keys = await generateKeys(['ES256'])
const interaction = { account: () => undefined, consented: () => false, prompt: () => undefined }
const common = { issuer, clients, store, keys, certificateMethods: true }
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const assertion = (alg: string): Record<string, string> => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: `${part({ alg })}.${part({ iss: 'nobody', sub: 'nobody' })}.AAAA`
})
const refused = { client_id: 'billing', client_secret: 'wrong' }

/** Serves the handlers and sends the form twice. Answers with the statuses. */
async function send(
  handlers: readonly RequestHandler[],
  form: Record<string, string>,
  { path = '/', headers = {} }: { readonly path?: string; readonly headers?: Record<string, string> } = {}
): Promise<readonly number[]> {
  const app = express()
  app.set('env', 'test')
  for (const handler of handlers) app.use(handler)
  app.use(oauthErrorHandler())
  const server = createServer(app)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const statuses: number[] = []
  for (let times = 0; times < 2; times++) {
    const body = new URLSearchParams(form)
    statuses.push((await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body, headers })).status)
  }
  server.close()
  server.closeAllConnections()
  return statuses
}

const workloads = {
  issuers: [{ issuer: 'https://platform.example', jwks: { keys: [] } }],
  trustDomains: [{ trustDomain: 'prod.example', bundle: { keys: [] } }]
}
const foreign = (client_assertion_type: string): Record<string, string> => ({
  client_id: 'nobody',
  client_assertion_type: `urn:ietf:params:oauth:client-assertion-type:${client_assertion_type}`,
  client_assertion: `${part({ alg: 'ES256' })}.${part({ iss: 'https://platform.example', sub: 'spiffe://prod.example/job' })}.AAAA`
})

const basicOf = (id: string) => ({ Authorization: `Basic ${Buffer.from(`${id}:wrong`).toString('base64')}` })
const strategyRequests: Readonly<Record<string, { form: Record<string, string>; headers?: Record<string, string> }>> = {
  client_secret_basic: { form: {}, headers: basicOf('nobody') },
  client_secret_post: { form: { client_id: 'nobody', client_secret: 'wrong' } },
  client_secret_jwt: { form: assertion('HS256') },
  private_key_jwt: { form: assertion('ES256') },
  tls_client_auth: { form: { client_id: 'nobody' } },
  self_signed_tls_client_auth: { form: { client_id: 'nobody' } },
  federated_jwt: { form: foreign('jwt-bearer') },
  spiffe_jwt: { form: foreign('jwt-spiffe') },
  spiffe_x509: { form: { client_id: 'nobody' } },
  none: { form: { client_id: 'nobody' } }
}
/** What a strategy needs beside clients and a listener. */
const neededBy: Readonly<Record<string, object>> = {
  client_secret_jwt: { issuer, store },
  private_key_jwt: { issuer, store },
  federated_jwt: { issuer, store, workloads },
  spiffe_jwt: { issuer, workloads },
  spiffe_x509: { issuer, workloads }
}

/** By the file that declares the option: what tells its listener something twice. */
const cases: Readonly<Record<string, () => Promise<unknown>>> = {
  'authorizationServer onDecision': () =>
    send([authorizationServer({ ...common, interaction, onDecision: failing('authorizationServer onDecision') })], refused, {
      path: '/oauth2/token'
    }),
  'authorizationServer onEvent': () =>
    send([authorizationServer({ ...common, interaction, onEvent: failing('authorizationServer onEvent') })], refused, {
      path: '/oauth2/token'
    }),
  'authorizationServer onError': () =>
    send([authorizationServer({ ...common, interaction, onError: failing('authorizationServer onError') })], refused, {
      path: '/oauth2/token'
    }),
  'tokenRouter onDecision': () =>
    send([tokenRouter({ ...common, onDecision: failing('tokenRouter onDecision') })], refused, { path: '/token' }),
  'tokenRouter onEvent': () =>
    send([tokenRouter({ ...common, onEvent: failing('tokenRouter onEvent') })], refused, { path: '/token' }),
  'tokenRouter onError': () =>
    send([tokenRouter({ ...common, onError: failing('tokenRouter onError') })], refused, { path: '/token' }),
  'tenants onEvent': () =>
    send([tenants({ issuer, resolve: () => ({ ...common, interaction }), onEvent: failing('tenants onEvent') })], refused, {
      path: '/acme/oauth2/token'
    }),
  'tenants onError': () =>
    send(
      [tenants({ issuer, resolve: () => Promise.reject(new Error('no database')), onError: failing('tenants onError') })],
      refused,
      {
        path: '/acme/oauth2/token'
      }
    ),
  'tenants dispose': async () => {
    const dispose = failing('tenants dispose')
    const all = tenants({ issuer, max: 1, resolve: () => ({ ...common, interaction, dispose }) })
    for (const path of ['/a', '/b', '/c']) await all.server(path)
  },
  'authenticateClient onDecision': () =>
    send([authenticateClient({ clients, strategies, onDecision: failing('authenticateClient onDecision') })], refused),
  'authenticateClient onEvent': () =>
    send([authenticateClient({ clients, strategies, onEvent: failing('authenticateClient onEvent') })], refused),
  'authenticateClient onJudged': () =>
    send([authenticateClient({ clients, strategies, onJudged: failing('authenticateClient onJudged') })], refused),
  'tokenRouter onJudged': () =>
    send([tokenRouter({ ...common, onJudged: failing('tokenRouter onJudged') })], refused, { path: '/token' }),
  'keptAuthentications onLost': async () => {
    const down = Object.assign(Object.create(memoryStore()) as Store, { get: () => Promise.reject(new Error('down')) })
    const kept = keptAuthentications({ store: down, issuer, onLost: failing('keptAuthentications onLost') })
    const checks: [] = []
    for (let times = 0; times < 2; times++) {
      kept.keep({ at: 0, trace_id: 'a'.repeat(32), endpoint: 'token', outcome: 'refused', checks })
      await kept.flush()
    }
  },
  'authenticateClient shadow.onDifference': () => {
    const shadow = {
      options: { strategies: builtInStrategies({ clients: [], issuer, store }) },
      sample: 1,
      onDifference: failing('authenticateClient shadow.onDifference')
    }
    return send([authenticateClient({ clients, strategies, shadow })], refused)
  },
  'oauthErrorHandler onError': () => {
    const handler = oauthErrorHandler({ onError: failing('oauthErrorHandler onError') })
    return send([(_req, _res, next) => next(new Error('a fault')), handler as unknown as RequestHandler], {})
  },
  // the request that ended the process of the first release
  'proxyCertificate onReport': () => {
    const certificate = proxyCertificate({
      format: 'rfc9440',
      trustedProxies: ['192.0.2.1'],
      onReport: failing('proxyCertificate onReport')
    })
    const headers = { 'client-cert': ':AAAA:' }
    return send(
      [authorizationServer({ ...common, interaction, certificateSource: certificate })],
      { client_id: 'tls' },
      { path: '/oauth2/token', headers }
    )
  },
  'credentialSets onEvent': async () => {
    const sets = credentialSets({ issuer, clients, store, keys, onEvent: failing('credentialSets onEvent') })
    for (let times = 0; times < 2; times++) await sets.rotateSecret('billing')
  },
  'storedClients onEvent': async () => {
    const stored = storedClients({ issuer, clients, store, keys, onEvent: failing('storedClients onEvent') })
    for (const client_id of ['one', 'another']) await stored.add({ client_id })
  },
  'builtInStrategies onSecretUpgrade': async () => {
    let told = 0
    const fails: () => unknown = failing('builtInStrategies onSecretUpgrade')
    const onSecretUpgrade = (): unknown => {
      told++
      return fails()
    }
    const foreign = (client_id: string) => {
      const hash = `$plain$of-a-client-of-the-old-server:${client_id}`
      return { client_id, credentials: [{ type: 'secret', id: 'old', hash }] } as const
    }
    const secretHashes = { $plain$: (presented: string, hash: string) => hash.endsWith(`:${presented}`) }
    const old = [foreign('one'), foreign('another')]
    const both = builtInStrategies({ issuer, store, clients: old, secretHashes, onSecretUpgrade })
    const handlers = [
      authenticateClient({ clients: old, strategies: both }),
      (_req, res) => void res.json({})
    ] as RequestHandler[]
    const statuses: number[] = []
    for (const { client_id } of old) {
      const headers = { Authorization: `Basic ${Buffer.from(`${client_id}:${client_id}`).toString('base64')}` }
      statuses.push(...(await send(handlers, {}, { headers })))
    }
    while (told < old.length) await new Promise(resolve => setTimeout(resolve, 10))
    return statuses
  },
  'storedKeys onError': async () => {
    let broken = false
    const inner = memoryStore()
    const flaky = Object.assign(Object.create(inner) as Store, {
      get: (...given: Parameters<Store['get']>) => (broken ? Promise.reject(new Error('no store')) : inner.get(...given))
    })
    const onError = failing('storedKeys onError')
    const followed = await storedKeys({ store: flaky, issuer, algorithms: ['ES256'], followEvery: 1, onError })
    broken = true
    await new Promise(resolve => setTimeout(resolve, 2300))
    followed.close()
  }
}

const strategies = builtInStrategies({ clients, issuer, store })
for (const { name, constructor } of builtInStrategies({ clients, issuer, store, workloads })) {
  const about = `${constructor.name} onDecision`
  const Made = constructor as new (options: object) => (typeof strategies)[number]
  Object.assign(cases, {
    [about]: () => {
      const { form, headers = {} } = strategyRequests[name] ?? { form: {} }
      const strategy = new Made({ clients, ...neededBy[name], onDecision: failing(about) })
      return send([authenticateClient({ clients, strategies: [strategy] })], form, { headers })
    }
  })
}

const warnings: string[] = []
process.on('warning', ({ name, message }) => {
  if (name === 'ClienteleWarning') warnings.push(message)
})
const answers: Record<string, unknown> = {}
for (const [name, run] of Object.entries(cases)) answers[name] = (await run()) ?? null
// the last rejection is looked at, and the last warning given, after the turn in which it came
await new Promise(resolve => setTimeout(resolve, 50))
process.send?.({ answers, warnings })
process.disconnect()
