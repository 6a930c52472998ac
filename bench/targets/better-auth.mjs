/**
 * better-auth with its oauth-provider plugin, in an Express 5 application as its documentation mounts it, over its memory adapter. That
 * searches a list for everything it looks up, so the cases that look up what the load creates, refresh tokens and codes, are left out:
 * they would measure the list.
 */
import { createHash } from 'node:crypto'
import { oauthProvider } from '@better-auth/oauth-provider'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import express from 'express'
import { issuer, paths, resource, scope, tokenLifetime } from '../cases.mjs'
import { Connection } from '../connection.mjs'
import { credentialsRequest } from '../requests.mjs'
import { serve } from './serve.mjs'

const models = [
  ...['user', 'session', 'account', 'verification', 'jwks'],
  ...['oauthClient', 'oauthResource', 'oauthClientResource', 'oauthAccessToken'],
  ...['oauthRefreshToken', 'oauthConsent', 'oauthClientAssertion']
]

/** A table with the primary key a database gives it, which the memory adapter does not: what it refuses replays by. */
class KeyedTable extends Array {
  #ids = new Set()
  static get [Symbol.species]() {
    return Array
  }
  push(row) {
    if (this.#ids.has(row.id)) throw new Error(`there is a row ${row.id} already`)
    this.#ids.add(row.id)
    return super.push(row)
  }
}

function makeAuth({ client_id }) {
  return betterAuth({
    baseURL: issuer,
    basePath: '/',
    secret: 'nothing here is signed with this secret, but there has to be one',
    database: memoryAdapter(Object.fromEntries(models.map(model => [model, new KeyedTable()]))),
    disabledPaths: ['/token'],
    // it would answer 429 to the load
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [
      jwt({ jwks: { keyPairConfig: { alg: 'ES256' } }, jwt: { issuer } }),
      oauthProvider({
        loginPage: '/login',
        consentPage: '/consent',
        scopes: ['openid', scope],
        resources: [{ identifier: resource, name: 'API', allowedScopes: [scope] }],
        enforcePerClientResources: false,
        cachedTrustedClients: new Set([client_id]),
        m2mAccessTokenExpiresIn: tokenLifetime,
        silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true }
      })
    ]
  })
}

/** The client's row, as registering it would leave it. */
function rowOf({ client_id, client_secret, token_endpoint_auth_method, grant_types, jwks }) {
  return {
    clientId: client_id,
    ...(client_secret !== undefined && { clientSecret: createHash('sha256').update(client_secret).digest('base64url') }),
    ...(jwks !== undefined && { jwks: JSON.stringify(jwks) }),
    tokenEndpointAuthMethod: token_endpoint_auth_method,
    grantTypes: grant_types,
    responseTypes: [],
    redirectUris: [],
    scopes: [scope],
    clientCredentialsScopes: [scope],
    disabled: false
  }
}

/** Tokens to ask about, from its own token endpoint. */
async function prepare(bench, port, count) {
  const connection = await Connection.open(port)
  const tokens = []
  try {
    while (tokens.length < count) {
      const body = await new Promise((resolve, reject) =>
        connection.send(credentialsRequest(bench), (_, body) => resolve(body), reject)
      )
      tokens.push(JSON.parse(body).access_token)
    }
  } finally {
    connection.close()
  }
  return tokens
}

serve(async ({ bench, client, port }) => {
  const auth = makeAuth(client)
  const { adapter } = await auth.$context
  await adapter.create({ model: 'oauthClient', data: rowOf(client) })
  const app = express()
  app.all([paths.token, paths.introspection, '/jwks'], toNodeHandler(auth))
  return { handler: app, jwks: await auth.api.getJwks(), prepare: count => prepare(bench, port, count) }
})
