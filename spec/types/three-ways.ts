/** The three ways of use, as the README shows them: each line must compile, and the mistakes must not. */
import {
  authenticateClient,
  authorizationServer,
  clientCredentials,
  ClientSecretBasicStrategy,
  generateKeys,
  memoryStore,
  NoneStrategy,
  oauthErrorHandler,
  PrivateKeyJwtStrategy,
  refreshToken,
  tokenRouter,
  type Client,
  type ClientMetadata,
  type Decision,
  type Interaction
} from 'clientele'
import express, { type Router } from 'express'
import passport from 'passport'

const issuer = 'https://as.example.com'
const store = memoryStore()
const keys = await generateKeys()
const clients: readonly ClientMetadata[] = [
  { client_id: 'billing', client_secret: 'a generated secret', grant_types: ['client_credentials'], 'x-team': 'finance' }
]
const interaction: Interaction = {
  account: () => ({ sub: 'ada', auth_time: 1_700_000_000 }),
  consented: (_req, { client, scope }) => client.client_id === 'billing' && scope.length === 0,
  prompt: (_req, res, { id, name }) => {
    res.redirect(303, `/${name}/${id}`)
  }
}
const app = express()

// 1. the whole authorization server
const server = authorizationServer({ issuer, clients, store, keys, interaction })
app.use(server)
app.post('/login/:id', (req, res, next) => {
  server.resume(req, res, req.params.id, { login: { sub: 'ada', auth_time: 1_700_000_000 } }).catch(next)
})
app.get('/login/:id', async (req, res) => {
  const prompt = await server.interaction(req, req.params.id)
  res.send(prompt?.client.client_name ?? 'this sign-in has expired')
})
export const subjectOf = async (token: string): Promise<string | undefined> => (await server.verifyAccessToken(token))?.sub

// 2. only the token endpoint
const strategies = [
  new ClientSecretBasicStrategy({ clients }),
  new PrivateKeyJwtStrategy({ clients, issuer, store }),
  new NoneStrategy({ clients })
]
export const router: Router = tokenRouter({
  issuer,
  clients: id => clients.find(({ client_id }) => client_id === id),
  store,
  keys: await generateKeys(['ES256']),
  scopes: ['api:read'],
  resources: [{ resource: 'https://api.example.com', scopes: ['api:read'], accessTokenFormat: 'opaque' }],
  strategies,
  tokenIssuers: [clientCredentials(), refreshToken()],
  refreshTokenRotation: 'always',
  assertionAudience: 'report'
})
app.use('/oauth2', router)

// 3. a strategy on a route of one's own
passport.use(new PrivateKeyJwtStrategy({ clients, issuer, store }))
app.post('/jobs', passport.authenticate('private_key_jwt', { session: false, assignProperty: 'authenticatedClient' }))
app.post(
  '/reports',
  authenticateClient({
    clients,
    strategies,
    onDecision: ({ outcome, checks }: Decision) => {
      console.log(outcome, checks.length)
    }
  }),
  (req, res) => {
    const client: Client | undefined = req.authenticatedClient
    res.json({ client_id: client?.client_id })
  }
)
app.use(oauthErrorHandler({ onError: error => error instanceof Error && console.error(error.message) }))

// @ts-expect-error -- a server without an issuer has nothing to name itself by
tokenRouter({ clients, store, keys })
// @ts-expect-error -- a misspelt option would be a protection that silently never was
tokenRouter({ issuer, clients, store, keys, refreshTokenRotations: 'always' })
// @ts-expect-error -- rotation is one of three words
tokenRouter({ issuer, clients, store, keys, refreshTokenRotation: 'sometimes' })
// @ts-expect-error -- half an interaction would leave people standing somewhere
authorizationServer({ issuer, clients, store, keys, interaction: { account: () => undefined } })
// @ts-expect-error -- only algorithms this server signs with
await generateKeys(['HS256'])
// @ts-expect-error -- an assertion's jti must be remembered somewhere
new PrivateKeyJwtStrategy({ clients, issuer })
// @ts-expect-error -- strategies are objects made from classes, not the classes
authenticateClient({ clients, strategies: [ClientSecretBasicStrategy] })
// @ts-expect-error -- client metadata starts with a client_id
export const nameless: ClientMetadata = { client_secret: 'a generated secret' }

export function mistakes(client: Client, metadata: ClientMetadata): unknown[] {
  return [
    // @ts-expect-error -- the secret is not among what a client shows
    client.client_secret.length,
    // @ts-expect-error -- a secret-less method has none
    metadata.client_secret.length,
    // @ts-expect-error -- members nobody knows are of type unknown
    client['x-team'].length
  ]
}

export function reassign(client: Client): void {
  // @ts-expect-error -- a registered client does not change under the library's hands
  client.token_endpoint_auth_method = 'none'
}
