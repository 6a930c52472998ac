/**
 * The application of somebody who made a mistake, in a process of its own: started by ten-mistakes.spec.ts, which reads what its owner would.
 * Says the port it serves at.
 */
import type { AddressInfo } from 'node:net'
import express from 'express'
import { authorizationServer, generateKeys, memoryStore, type AuthorizationServerOptions } from 'clientele'

/** What the spec tells of its clients. */
const { mistake, clients } = JSON.parse(process.env['MISTAKEN'] ?? '{}') as {
  readonly mistake: string
  readonly clients: AuthorizationServerOptions['clients']
}

const issuer = 'http://localhost:4998'
const api = 'https://api.example.com'
const files = 'https://files.example.com'
const interaction = { account: () => undefined, consented: () => false, prompt: () => undefined }
const keys = generateKeys(['ES256'])
const good: AuthorizationServerOptions = {
  ...{ issuer, clients, interaction, keys: await keys, store: memoryStore() },
  resources: [
    { resource: api, scopes: ['api:read'] },
    { resource: files, scopes: ['files:read'] }
  ]
}
const changes: Readonly<Record<string, object>> = {
  none: {},
  'a misspelt option': { requirePKCE: 'always' },
  'an option of another type': { accessTokenTtl: '3600' },
  'no store': { store: undefined },
  'a store that was not made': { store: memoryStore },
  'an issuer without TLS': { issuer: 'http://as.example.com' },
  'no keys': { keys: undefined },
  'keys that nobody waited for': { keys },
  'a client without keys': { clients: [{ client_id: 'signs', token_endpoint_auth_method: 'private_key_jwt' }] }
}
const server = authorizationServer({ ...good, ...changes[mistake] })
const app = express().use(express.json()).use(server)
app.get('/files', server.requireAccessToken({ resources: [files] }), (_req, res) => void res.json({}))
const listening = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`serving ${(listening.address() as AddressInfo).port}\n`)
})
