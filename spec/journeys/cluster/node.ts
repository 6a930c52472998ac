/** One server process of several on one store: started by cluster.ts, which tells it all that the processes have in common. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  authorizationCode,
  authorizationServer,
  clientCredentials,
  deviceCode,
  refreshToken,
  type AuthorizationServerOptions,
  type Store
} from 'clientele'
import express from 'express'
import { openStore } from './engines.ts'
import { issuer, strictIssuer, type NodeSetup, type StoreOperation } from './setup.ts'

/** After which operation this process ends, as if somebody had killed it. */
let dieAfter: StoreOperation | undefined

/** The same store; but what it did in the operation that was asked for, nobody ever hears. */
function mortal(store: Store): Store {
  const lastly = <T>(operation: StoreOperation, done: boolean, outcome: T): T => {
    if (done && dieAfter === operation) process.kill(process.pid, 'SIGKILL')
    return outcome
  }
  return {
    get: key => store.get(key),
    set: (key, value, ttl) => store.set(key, value, ttl),
    add: (key, value, ttl) => store.add(key, value, ttl),
    delete: key => store.delete(key),
    deleteGrant: grant => store.deleteGrant(grant),
    close: () => store.close(),
    take: key => store.take(key).then(taken => lastly('take', taken.outcome === 'taken', taken)),
    swap: (...swap) => store.swap(...swap).then(swapped => lastly('swap', swapped, swapped))
  }
}

async function serve({ store: engine, keys, clients }: NodeSetup): Promise<number> {
  const store = mortal(await openStore(engine))
  const options = {
    store,
    keys,
    clients,
    scopes: ['openid', 'offline_access'],
    tokenIssuers: [authorizationCode(), clientCredentials(), refreshToken(), deviceCode()],
    refreshTokenRotation: 'always',
    // codes wait until everything else that a spec needs is ready
    authorizationCodeTtl: 600,
    // what fails is counted by the clients
    onError: () => undefined,
    deviceAuthorization: { verificationUri: `${issuer}/device` },
    interaction: {
      // whoever the client expects is there, and agrees
      account: ({ query: { login_hint } }) =>
        typeof login_hint === 'string' ? { sub: login_hint, auth_time: Math.floor(Date.now() / 1000) } : undefined,
      consented: () => true,
      prompt: (_req, res, { name }) => void res.status(403).send(name)
    }
  } satisfies Partial<AuthorizationServerOptions>
  // longer than a slow machine takes to start a killed database again
  const server = authorizationServer({ ...options, issuer, refreshRetryWindow: 60 })
  const app = express()
  app.use(server, authorizationServer({ ...options, issuer: strictIssuer, refreshRetryWindow: 0 }))
  app.post('/approve/:code', async (req, res) => {
    const account = { sub: 'somebody', auth_time: Math.floor(Date.now() / 1000) }
    res.json(await server.device.approve(req.params.code, account))
  })
  const listener = createServer(app)
  // a client about to use a connection must not find it closed
  listener.keepAliveTimeout = 600_000
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  return (listener.address() as AddressInfo).port
}

process.on('message', (message: NodeSetup | { readonly dieAfter: StoreOperation }) => {
  if ('dieAfter' in message) dieAfter = message.dieAfter
  else void serve(message).then(port => process.send?.(port))
})
process.once('disconnect', () => process.exit(0))
