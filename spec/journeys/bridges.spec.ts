/** One client, which knows two addresses, against servers of other libraries and against this one in their place: it need not change. */
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import oauth2orize from 'oauth2orize'
import Provider from 'oidc-provider'
import passport from 'passport'
import { BasicStrategy } from 'passport-http'
import { Strategy as ClientPasswordStrategy } from 'passport-oauth2-client-password'
import { authorizationServer, memoryStore, type EndpointPaths } from '../../lib/index.ts'
import { code_challenge, code_verifier, listening, specKeys } from '../support/servers/authorization-server.ts'

const callback = 'https://client.example.com/cb'
const client_secret = 'a secret of thirty-two characters'
const scope = 'openid offline_access'
const metadata = {
  client_id: 'web',
  client_secret,
  redirect_uris: [callback],
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  response_types: ['code']
}
const keys = await specKeys()

/** Where a server has what the client needs. */
interface Addresses {
  readonly authorize: string
  readonly token: string
}

/** A browser, as far as it keeps cookies and goes where it is sent: from an address to one of the client's. */
async function followed(address: string): Promise<URL> {
  const cookies = new Map<string, string>()
  let at = new URL(address)
  for (let steps = 0; !at.href.startsWith(callback); steps++) {
    const cookie = [...cookies].map(pair => pair.join('=')).join('; ')
    const response = await fetch(at, { redirect: 'manual', headers: { cookie } })
    const location = response.headers.get('location')
    if (location === null || steps > 10) throw new Error(`${response.status} ${await response.text()}`)
    for (const set of response.headers.getSetCookie()) {
      const [pair = ''] = set.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    at = new URL(location, at)
  }
  return at
}

/** Everything the client does in its life, and what it makes of it. */
async function clientOf({ authorize, token }: Addresses) {
  const ask = async (form: Readonly<Record<string, string>>, secret = client_secret) => {
    const authorization = `Basic ${Buffer.from(`web:${encodeURIComponent(secret)}`).toString('base64')}`
    const response = await fetch(token, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) })
    const text = await response.text()
    return { status: response.status, tokens: (response.ok ? JSON.parse(text) : {}) as Record<string, string> }
  }
  const state = randomUUID()
  const query = {
    client_id: 'web',
    redirect_uri: callback,
    response_type: 'code',
    scope,
    state,
    code_challenge,
    code_challenge_method: 'S256',
    prompt: 'consent'
  }
  const answer = await followed(`${authorize}?${new URLSearchParams(query).toString()}`)
  const code = answer.searchParams.get('code') ?? ''
  const redeem = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
  const forItself = await ask({ grant_type: 'client_credentials' })
  const redeemed = await ask(redeem)
  const again = await ask(redeem)
  const guessed = await ask({ grant_type: 'client_credentials' }, 'wrong')
  return {
    forItself: [forItself.status, forItself.tokens['token_type']?.toLowerCase(), typeof forItself.tokens['access_token']],
    state: answer.searchParams.get('state') === state,
    redeemed: [redeemed.status, redeemed.tokens['token_type']?.toLowerCase(), typeof redeemed.tokens['refresh_token']],
    usedCodeIsRefused: again.status >= 400 && again.status < 500,
    wrongSecretIsRefused: guessed.status
  }
}

const whole = {
  forItself: [200, 'bearer', 'string'],
  state: true,
  redeemed: [200, 'bearer', 'string'],
  usedCodeIsRefused: true,
  wrongSecretIsRefused: 401
}

/** oauth2orize with Passport, as its documentation mounts them. */
function withOauth2orize(app: Express): Pick<Addresses, 'authorize' | 'token'> {
  const codes = new Map<string, { readonly redirectUri: string }>()
  const newValue = () => randomBytes(32).toString('base64url')
  const server = oauth2orize.createServer()
  const find = (id: string) => (id === 'web' ? metadata : false)
  server.grant(
    oauth2orize.grant.code((_client, redirectUri, _user, _response, done) => {
      const code = newValue()
      codes.set(code, { redirectUri })
      done(null, code)
    })
  )
  server.exchange(
    oauth2orize.exchange.code((_client, code, redirectUri, done) => {
      const known = codes.get(code)
      codes.delete(code)
      if (known?.redirectUri !== redirectUri) done(null, false)
      else done(null, newValue(), newValue(), {})
    })
  )
  server.exchange(oauth2orize.exchange.clientCredentials((_client, _scope, done) => done(null, newValue())))
  const verify = (id: string, secret: string, done: (error: null, client: object | false) => void): void =>
    done(null, secret === client_secret && find(id))
  const authenticator = new passport.Passport()
  authenticator.use(new BasicStrategy((id, secret, done) => verify(id, decodeURIComponent(secret), done)))
  authenticator.use(new ClientPasswordStrategy(verify))
  app.get(
    '/dialog/authorize',
    (req, _res, next) => {
      Object.assign(req, { session: {}, user: { id: 'alice' } })
      next()
    },
    server.authorization(
      (id: string, redirectUri: string, done: (...results: unknown[]) => void) => done(null, find(id), redirectUri),
      (_client: unknown, _user: unknown, done: (...results: unknown[]) => void) => done(null, true)
    )
  )
  const authenticate = authenticator.authenticate(['basic', 'oauth2-client-password'], {
    session: false
  }) as express.RequestHandler
  app.post('/oauth/token', express.urlencoded({ extended: false }), authenticate, server.token(), server.errorHandler())
  return { authorize: '/dialog/authorize', token: '/oauth/token' }
}

/** oidc-provider, mounted in Express, with a person who agrees at once. */
function withOidcProvider(app: Express, issuer: string): Pick<Addresses, 'authorize' | 'token'> {
  const provider = new Provider(issuer, {
    clients: [{ ...metadata, id_token_signed_response_alg: 'ES256' }],
    jwks: { keys: keys.keys.filter(({ alg }) => alg === 'ES256') },
    cookies: { keys: ['a key of cookies'] },
    scopes: ['openid', 'offline_access'],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    findAccount: (_ctx: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: { url: (_ctx: unknown, { uid }: { readonly uid: string }) => `/interaction/${uid}` }
  })
  app.get('/interaction/:uid', async (req, res) => {
    const { prompt } = await provider.interactionDetails(req, res)
    const grant = new provider.Grant({ accountId: 'alice', clientId: 'web' })
    grant.addOIDCScope(scope)
    const result = prompt.name === 'login' ? { login: { accountId: 'alice' } } : { consent: { grantId: await grant.save() } }
    await provider.interactionFinished(req, res, result)
  })
  app.use(provider.callback())
  return { authorize: '/auth', token: '/token' }
}

/** This library in their place, at the same addresses. */
function withThisLibrary(app: Express, issuer: string, paths: EndpointPaths): void {
  const account = { sub: 'alice', auth_time: Math.floor(Date.now() / 1000) }
  const server = authorizationServer({
    ...{ issuer, keys, paths, store: memoryStore(), scopes: ['openid', 'offline_access'] },
    clients: [metadata],
    interaction: {
      account: () => account,
      consented: () => true,
      prompt: (req, res, { id }) => server.resume(req, res, id, { consent: true })
    }
  })
  app.use(server)
}

const others: readonly (readonly [string, (app: Express, issuer: string) => Pick<Addresses, 'authorize' | 'token'>])[] = [
  ['oauth2orize', withOauth2orize],
  ['oidc-provider', withOidcProvider]
]

describe.each(others)('a client of a server made with %s', (_name, withOther) => {
  const lives = (mount: (app: Express, issuer: string) => Addresses) => {
    const app = express()
    return listening(app, async address => {
      const { authorize, token } = mount(app, address)
      return clientOf({ authorize: address + authorize, token: address + token })
    })
  }

  it('lives as well with this library in its place', async () => {
    let places: Addresses = { authorize: '', token: '' }
    expect(await lives((app, issuer) => (places = withOther(app, issuer)))).toEqual(whole)
    const paths = { authorization: places.authorize, token: places.token }
    const mount = (app: Express, issuer: string): Addresses => {
      withThisLibrary(app, issuer, paths)
      return places
    }
    expect(await lives(mount)).toEqual(whole)
  })
})
