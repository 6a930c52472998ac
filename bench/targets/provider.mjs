/**
 * oidc-provider as its documentation sets it up: the same client, grant, scope, resource and token formats. Its own memory adapter forgets
 * all but the last thousand records; a Map forgets nothing, as the others.
 */
import Provider from 'oidc-provider'
import { codeChallenge, codeLifetime, issuer, paths, publicHalf, redirectUri, resource, scope, tokenLifetime } from '../cases.mjs'

const records = new Map()

/** Only what the cases call for. */
class MapAdapter {
  #model
  constructor(model) {
    this.#model = model
  }
  #name(id) {
    return `${this.#model}:${id}`
  }
  async upsert(id, payload) {
    records.set(this.#name(id), payload)
  }
  async find(id) {
    return records.get(this.#name(id))
  }
  async consume(id) {
    records.get(this.#name(id)).consumed = Math.floor(Date.now() / 1000)
  }
  async destroy(id) {
    records.delete(this.#name(id))
  }
  async revokeByGrantId(grantId) {
    for (const [name, payload] of records) if (payload.grantId === grantId) records.delete(name)
  }
}

const accountId = 'somebody'

function configuration({ bench, client, signingJwk }) {
  return {
    adapter: MapAdapter,
    // its default, RS256, has no key here; clients that never get an ID Token must say so all the same
    clients: [{ id_token_signed_response_alg: 'ES256', ...client }],
    clientAuthMethods: [bench.method],
    jwks: { keys: [signingJwk] },
    routes: { token: paths.token, introspection: paths.introspection },
    scopes: [scope, 'offline_access'],
    rotateRefreshToken: true,
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    ttl: {
      AccessToken: tokenLifetime,
      AuthorizationCode: codeLifetime,
      ClientCredentials: tokenLifetime,
      Grant: 14 * 86_400,
      RefreshToken: 14 * 86_400
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, indicator) => {
          if (indicator !== resource) throw new Error(`unknown resource ${indicator}`)
          return { scope, accessTokenFormat: 'jwt', accessTokenTTL: tokenLifetime, jwt: { sign: { alg: 'ES256' } } }
        }
      }
    }
  }
}

/** Makes codes and tokens as its own endpoints do, with its models. */
function preparation(provider, { bench, client: { client_id } }) {
  const agreed = async () => {
    const client = await provider.Client.find(client_id)
    const grant = new provider.Grant({ accountId, clientId: client_id })
    grant.addOIDCScope(client.scope)
    return { accountId, client, grantId: await grant.save(), scope: client.scope, gty: 'authorization_code' }
  }
  const makers = {
    authorization_code: async () =>
      new provider.AuthorizationCode({
        ...(await agreed()),
        redirectUri,
        codeChallenge,
        codeChallengeMethod: 'S256'
      }).save(),
    refresh_token: async () => new provider.RefreshToken(await agreed()).save(),
    introspection: async () =>
      new provider.ClientCredentials({ client: await provider.Client.find(client_id), scope, gty: 'client_credentials' }).save()
  }
  return count => Promise.all(Array.from({ length: count }, makers[bench.grant]))
}

/** The provider both oidc-provider targets serve. */
export function provide(setting) {
  const provider = new Provider(issuer, configuration(setting))
  return {
    handler: provider.callback(),
    jwks: { keys: [publicHalf(setting.signingJwk)] },
    prepare: preparation(provider, setting)
  }
}
