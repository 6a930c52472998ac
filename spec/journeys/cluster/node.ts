/** One server process of several on one store: started by cluster.ts, which tells it all that the processes have in common. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  authorizationCode,
  authorizationServer,
  clientCredentials,
  deviceCode,
  refreshToken,
  type AuthorizationServerOptions
} from 'clientele'
import express from 'express'
import { openStore } from './engines.ts'
import { issuer, strictIssuer, type NodeSetup } from './setup.ts'

async function serve({ store: engine, keys, clients }: NodeSetup): Promise<number> {
  const store = await openStore(engine)
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
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  return (listener.address() as AddressInfo).port
}

process.once('message', (setup: NodeSetup) => {
  void serve(setup).then(port => process.send?.(port))
})
process.once('disconnect', () => process.exit(0))
