/** clientele in a plain Express 5 application, one line as its README shows it. */
import { authorizationServer, generateKeys, memoryStore } from '../../dist/lib/index.js'
import express from 'express'
import { assertionClient, basicClient, resource, scope } from '../cases.mjs'
import { serve } from './serve.mjs'

const common = { grant_types: ['client_credentials'], response_types: [], scope }

serve(async ({ issuer, clientJwk }) => {
  const app = express()
  app.use(
    authorizationServer({
      issuer,
      clients: [
        { ...common, ...basicClient, token_endpoint_auth_method: 'client_secret_basic' },
        {
          ...common,
          ...assertionClient,
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: 'ES256',
          jwks: { keys: [clientJwk] }
        }
      ],
      store: memoryStore(),
      keys: await generateKeys(),
      scopes: [scope],
      resources: [{ resource, scopes: [scope], access_token_format: 'jwt' }],
      // client credentials involve nobody
      interaction: { account: () => undefined, consented: () => false, prompt: () => undefined }
    })
  )
  return { handler: app }
})
