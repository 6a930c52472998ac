/**
 * oidc-provider as its documentation sets it up, on its own server: the same two clients, grant, scope, resource and token
 * formats. Its own memory adapter forgets all but the last thousand records; a Map forgets nothing, as the others.
 */
import Provider from 'oidc-provider'
import { assertionClient, basicClient, publicHalf, resource, scope, tokenLifetime, tokenPath } from '../cases.mjs'

/** Only what client_credentials and assertion replay call for. */
class MapAdapter {
  static #records = new Map()
  #model
  constructor(model) {
    this.#model = model
  }
  async upsert(id, payload) {
    MapAdapter.#records.set(`${this.#model}:${id}`, payload)
  }
  async find(id) {
    return MapAdapter.#records.get(`${this.#model}:${id}`)
  }
  async destroy(id) {
    MapAdapter.#records.delete(`${this.#model}:${id}`)
  }
}

// its default, RS256, has no key here; clients that never get an ID Token must say so all the same
const common = {
  id_token_signed_response_alg: 'ES256',
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
  scope
}

/** The provider both oidc-provider targets serve. */
export function provide({ issuer, clientJwk, signingJwk }) {
  const provider = new Provider(issuer, {
    adapter: MapAdapter,
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
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
    jwks: { keys: [signingJwk] },
    routes: { token: tokenPath },
    scopes: [scope],
    ttl: { ClientCredentials: tokenLifetime },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, indicator) => {
          if (indicator !== resource) throw new Error(`unknown resource ${indicator}`)
          return { scope, accessTokenFormat: 'jwt', accessTokenTTL: tokenLifetime, jwt: { sign: { alg: 'ES256' } } }
        }
      }
    }
  })
  return { handler: provider.callback(), jwks: { keys: [publicHalf(signingJwk)] } }
}
