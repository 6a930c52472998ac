/** What every server process answers. */
import {
  authorizationCode,
  authorizationServer,
  clientCredentials,
  deviceCode,
  refreshToken,
  type AuthorizationServerOptions,
  type Store
} from 'clientele'
import express, { type Express } from 'express'
import { issuer, strictIssuer, type NodeSetup } from './setup.ts'

export function application(store: Store, { keys, clients, workloads, credentials }: Omit<NodeSetup, 'store'>): Express {
  const options = {
    store,
    keys,
    clients,
    workloads,
    ...(credentials === true && { credentials: { maxAge: 1 } }),
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
  app.get('/people/:sub/grants', async (req, res) => {
    res.json(await server.grants(req.params.sub))
  })
  app.post('/people/:sub/revoke/:client', async (req, res) => {
    await server.revokeGrants(req.params.sub, req.params.client)
    res.sendStatus(204)
  })
  app.post('/credentials/:name', express.json(), async (req, res) => {
    const called: unknown = Reflect.get(server.credentials, req.params.name)
    res.json(typeof called === 'function' ? await Reflect.apply(called, server.credentials, req.body as unknown[]) : undefined)
  })
  return app
}
