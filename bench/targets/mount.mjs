/** What both clientele targets mount: one line as its README shows it. */
import { authorizationServer, generateKeys, memoryStore } from '../../dist/lib/index.js'
import { assertionClient, basicClient, resource, scope } from '../cases.mjs'

const common = { grant_types: ['client_credentials'], response_types: [], scope }

export async function mount(app, { issuer, clientJwk }) {
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
}
