/**
 * oauth2orize with Passport as its documentation mounts them, over Maps. What it leaves to its user is done as little as is right:
 * secrets compared in constant time, PKCE verified, replaced refresh tokens and used codes forgotten.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import express from 'express'
import oauth2orize from 'oauth2orize'
import passport from 'passport'
import { BasicStrategy } from 'passport-http'
import ClientPasswordStrategy from 'passport-oauth2-client-password'
import { codeChallenge, codeLifetime, paths, redirectUri, scope, tokenLifetime } from '../cases.mjs'
import { serve } from './serve.mjs'

const newValue = () => randomBytes(32).toString('base64url')
const user = 'somebody'
const [codes, tokens, refreshTokens] = [new Map(), new Map(), new Map()]

function issue(client, userId) {
  const token = newValue()
  tokens.set(token, { client_id: client.client_id, userId, scope, expires_at: Date.now() + tokenLifetime * 1000 })
  return token
}

function exchanges() {
  const server = oauth2orize.createServer()
  const response = { expires_in: tokenLifetime, scope }
  server.exchange(
    oauth2orize.exchange.clientCredentials((client, asked, done) => {
      if (!asked?.every(value => value === scope)) return done(null, false)
      done(null, issue(client), response)
    })
  )
  server.exchange(
    oauth2orize.exchange.refreshToken((client, presented, _scope, done) => {
      const family = refreshTokens.get(presented)
      if (family?.client_id !== client.client_id || family.expires_at < Date.now()) return done(null, false)
      refreshTokens.delete(presented)
      done(null, issue(client, family.userId), newRefreshToken(client), response)
    })
  )
  server.exchange(
    oauth2orize.exchange.code((client, presented, redirectUri, body, done) => {
      const code = codes.get(presented)
      codes.delete(presented)
      if (code?.client_id !== client.client_id || code.expires_at < Date.now() || code.redirectUri !== redirectUri)
        return done(null, false)
      const challenge = createHash('sha256')
        .update(body.code_verifier ?? '')
        .digest('base64url')
      if (challenge !== code.codeChallenge) return done(null, false)
      done(null, issue(client, code.userId), null, response)
    })
  )
  return server
}

function newRefreshToken({ client_id }) {
  const token = newValue()
  refreshTokens.set(token, { client_id, userId: user, expires_at: Date.now() + 86_400_000 })
  return token
}

function newCode({ client_id }) {
  const code = newValue()
  codes.set(code, { client_id, userId: user, redirectUri, codeChallenge, expires_at: Date.now() + codeLifetime * 1000 })
  return code
}

serve(async ({ bench, client }) => {
  const expected = Buffer.from(client.client_secret)
  const verify = (id, secret, done) => {
    const given = Buffer.from(secret)
    const isRight = id === client.client_id && given.length === expected.length && timingSafeEqual(given, expected)
    done(null, isRight ? client : false)
  }
  passport.use(new BasicStrategy(verify))
  passport.use(new ClientPasswordStrategy(verify))
  const server = exchanges()
  const app = express()
  app.use(express.urlencoded({ extended: false }))
  app.post(
    paths.token,
    passport.authenticate(['basic', 'oauth2-client-password'], { session: false }),
    server.token(),
    server.errorHandler()
  )
  const make = bench.grant === 'refresh_token' ? newRefreshToken : newCode
  return { handler: app, jwks: { keys: [] }, prepare: async count => Array.from({ length: count }, () => make(client)) }
})
