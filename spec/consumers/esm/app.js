/** An ECMAScript module application on Express 5 that becomes an authorization server by one line. */
import { authorizationServer, generateKeys, memoryStore } from 'clientele'
import express from 'express'

const port = Number(process.env.PORT)
const issuer = `http://127.0.0.1:${port}`

const app = express()
app.get('/', (_req, res) => res.send('an application that was here before'))
app.use(
  authorizationServer({
    issuer,
    clients: [{ client_id: 'billing', client_secret: process.env.BILLING_SECRET, grant_types: ['client_credentials'] }],
    store: memoryStore(),
    keys: await generateKeys(),
    scopes: ['api:read'],
    interaction: {
      account: () => undefined,
      consented: () => false,
      prompt: (_req, res) => void res.status(501).send('nobody signs in here')
    }
  })
)
app.listen(port, '127.0.0.1', () => console.log(`serving ${issuer}`))
