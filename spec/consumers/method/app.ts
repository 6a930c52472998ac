/** The class of docs/adding-a-method.md, which the test writes to api-key.ts, among the built-in methods; and listeners that fail. */
import {
  authorizationServer,
  builtInStrategies,
  clientCredentials,
  generateKeys,
  memoryStore,
  type ClientMetadata
} from 'clientele'
import express from 'express'
import { ApiKeyStrategy } from './api-key.js'

const port = Number(process.env['PORT'])
const issuer = `http://127.0.0.1:${port}`
const grant_types = ['client_credentials']
const clients: ClientMetadata[] = [
  { client_id: 'keyed', token_endpoint_auth_method: 'x_api_key', grant_types },
  { client_id: 'other', token_endpoint_auth_method: 'x_api_key', grant_types },
  { client_id: 'billing', client_secret: process.env['BILLING_SECRET'] ?? '', grant_types }
]
const warnings: string[] = []
process.on('warning', ({ message }) => void warnings.push(message))

const store = memoryStore()
const app = express()
app.use(
  authorizationServer({
    ...{ issuer, clients, store, keys: await generateKeys(), scopes: ['api:read'], tokenIssuers: [clientCredentials()] },
    strategies: [...builtInStrategies({ clients, issuer, store }), new ApiKeyStrategy({ clients })],
    onDecision: () => {
      throw new Error('onDecision throws')
    },
    onEvent: () => Promise.reject(new Error('onEvent rejects')),
    onError: () => {
      throw new Error('onError throws')
    }
  })
)
app.get('/warnings', (_req, res) => void res.json(warnings))
app.listen(port, '127.0.0.1', () => {
  console.log(`serving ${issuer}`)
})
