/**
 * `@node-oauth/express-oauth-server` as its documentation mounts it, over Maps. What it leaves to its user is done as little as is
 * right: secrets compared in constant time, replaced refresh tokens and used codes forgotten.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import OAuthServer from '@node-oauth/express-oauth-server'
import express from 'express'
import { codeChallenge, codeLifetime, paths, redirectUri, scope, tokenLifetime } from '../cases.mjs'
import { serve } from './serve.mjs'

const newValue = () => randomBytes(32).toString('base64url')
const user = { id: 'somebody' }

function modelOf({ client_id, client_secret, grant_types, redirect_uris }) {
  const client = { id: client_id, grants: grant_types, redirectUris: redirect_uris }
  const expected = Buffer.from(client_secret)
  const [codes, tokens, refreshTokens] = [new Map(), new Map(), new Map()]
  const isSecret = given => given.length === expected.length && timingSafeEqual(given, expected)
  const model = {
    getClient: (id, secret) => (id === client_id && isSecret(Buffer.from(secret ?? '')) ? client : false),
    getUserFromClient: () => user,
    validateScope: (_user, _client, asked) => (asked?.every(value => value === scope) ? asked : false),
    generateAccessToken: newValue,
    generateRefreshToken: newValue,
    saveToken(token, client, user) {
      const saved = { ...token, client, user }
      tokens.set(token.accessToken, saved)
      if (token.refreshToken !== undefined) refreshTokens.set(token.refreshToken, saved)
      return saved
    },
    getAccessToken: token => tokens.get(token),
    getRefreshToken: token => refreshTokens.get(token),
    revokeToken: ({ refreshToken }) => refreshTokens.delete(refreshToken),
    getAuthorizationCode: code => codes.get(code),
    revokeAuthorizationCode: ({ authorizationCode }) => codes.delete(authorizationCode)
  }
  const makers = {
    authorization_code() {
      const authorizationCode = newValue()
      const expiresAt = new Date(Date.now() + codeLifetime * 1000)
      const challenge = { codeChallenge, codeChallengeMethod: 'S256' }
      codes.set(authorizationCode, { authorizationCode, expiresAt, redirectUri, scope: [scope], client, user, ...challenge })
      return authorizationCode
    },
    refresh_token() {
      const refreshToken = newValue()
      const refreshTokenExpiresAt = new Date(Date.now() + 86_400_000)
      refreshTokens.set(refreshToken, { refreshToken, refreshTokenExpiresAt, scope: [scope], client, user })
      return refreshToken
    }
  }
  return { model, makers }
}

serve(async ({ bench, client }) => {
  const { model, makers } = modelOf(client)
  const app = express()
  app.oauth = new OAuthServer({ model, accessTokenLifetime: tokenLifetime })
  app.use(express.urlencoded({ extended: false }))
  app.post(paths.token, app.oauth.token())
  return {
    handler: app,
    jwks: { keys: [] },
    prepare: async count => Array.from({ length: count }, makers[bench.grant])
  }
})
