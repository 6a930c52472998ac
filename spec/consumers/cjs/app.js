/** A CommonJS application on Express 4 that mounts only the token endpoint, behind the body parser it always had. */
const {
  ClientSecretBasicStrategy,
  clientCredentials,
  generateKeys,
  memoryStore,
  oauthErrorHandler,
  tokenRouter
} = require('clientele')
const express = require('express')

const port = Number(process.env.PORT)
const issuer = `http://127.0.0.1:${port}`
const clients = [{ client_id: 'billing', client_secret: process.env.BILLING_SECRET, grant_types: ['client_credentials'] }]

async function main() {
  const app = express()
  app.use(express.urlencoded({ extended: true }))
  app.use(
    '/oauth2',
    tokenRouter({
      issuer,
      clients,
      store: memoryStore(),
      keys: await generateKeys(),
      scopes: ['api:read'],
      strategies: [new ClientSecretBasicStrategy({ clients })],
      tokenIssuers: [clientCredentials()]
    })
  )
  app.use(oauthErrorHandler())
  app.listen(port, '127.0.0.1', () => console.log(`serving ${issuer}`))
}

main()
