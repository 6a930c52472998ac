/** A TypeScript application on Express 5: a grant of its own beside the built-in ones, and a route only clients may call. */
import {
  authenticateClient,
  authorizationServer,
  ClientSecretBasicStrategy,
  clientCredentials,
  generateKeys,
  InvalidGrantError,
  memoryStore,
  oauthErrorHandler,
  type ClientMetadata,
  type TokenIssuer
} from 'clientele'
import { federatedJwt } from 'clientele/client-auth'
import { kubernetes } from 'clientele/workloads'
import express from 'express'

const port = Number(process.env['PORT'])
const issuer = `http://127.0.0.1:${port}`
const voucherGrant = 'urn:example:voucher'

const billing: ClientMetadata = {
  client_id: 'billing',
  client_secret: process.env['BILLING_SECRET'] ?? '',
  grant_types: ['client_credentials', voucherGrant]
}
const clients = [billing]

const voucher: TokenIssuer = {
  grant_type: voucherGrant,
  confidential: true,
  issue({ client, parameters, ...request }, server) {
    if (parameters['voucher'] !== '4711') throw new InvalidGrantError('this voucher is not valid')
    const grant = { client_id: client.client_id, sub: 'bearer of 4711', scope: ['api:read'], resources: [] }
    return server.respond({ ...request, client }, grant)
  }
}

const app = express()
app.use(
  authorizationServer({
    issuer,
    clients,
    store: memoryStore(),
    keys: await generateKeys(),
    scopes: ['api:read'],
    tokenIssuers: [clientCredentials(), voucher],
    interaction: {
      account: () => undefined,
      consented: () => false,
      prompt: (_req, res) => void res.status(501).send('nobody signs in here')
    }
  })
)
app.post('/reports', authenticateClient({ clients, strategies: [new ClientSecretBasicStrategy({ clients })] }), (req, res) => {
  res.json({ requested_by: req.authenticatedClient?.client_id })
})
/** What this application sends where it is a client itself. */
app.get('/assertion', async (_req, res) => {
  const form = new URLSearchParams()
  await federatedJwt({ get: audience => `a.${Buffer.from(audience).toString('base64url')}.c` })(
    { issuer },
    billing,
    form,
    new Headers()
  )
  res.json(Object.fromEntries(form))
})
/** The rule of a client that runs in a pod. */
app.get('/rule', (_req, res) => {
  res.json(kubernetes({ issuer: 'https://cluster.example', namespace: 'ci', serviceAccount: 'deployer' }))
})
app.use(oauthErrorHandler())
app.listen(port, '127.0.0.1', () => {
  console.log(`serving ${issuer}`)
})
