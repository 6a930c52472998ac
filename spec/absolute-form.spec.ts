/** Requests whose target is written in absolute form, as to a proxy: RFC 9112 §3.2.2 has every server take them. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import { request, type IncomingMessage } from 'node:http'
import express, { type Express } from 'express'
import {
  generateKeys,
  memoryStore,
  tenants,
  tokenRouter,
  type AuthorizationServerOptions,
  type ClientMetadata
} from '../lib/index.ts'
import { api, authorizationQuery, basic, callback, clients, harness, listening } from './support/servers/authorization-server.ts'
import { makeDpopKey, prove, type DpopKey } from './support/clients/dpop.ts'

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
}

/** Sends a request whose target is exactly as given. */
function send(address: string, target: string, { method = 'GET', headers = {}, form }: Sent = {}): Promise<Answer> {
  const body = form && new URLSearchParams(form).toString()
  const type = form && { 'Content-Type': 'application/x-www-form-urlencoded' }
  return new Promise((resolve, reject) => {
    const sent = request(address, { path: target, method, headers: { ...type, ...headers } }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.once('error', reject).end(body)
  })
}

/** What each spelling of a host makes of an address: none of them has a say. */
const hosts = ['http://127.0.0.1', 'http://evil.example:99', 'HTTPS://as.example.com']
const grant = { form: { grant_type: 'client_credentials' }, method: 'POST', headers: { Authorization: basic('web') } }
const open: AuthorizationServerOptions['registration'] = { access: 'open' }
let key: DpopKey

beforeAll(async () => {
  key = await makeDpopKey()
})

async function elsewhere(app: Express): Promise<Express> {
  const { server } = await harness({ registration: open, certificateMethods: true }, app)
  app.use(server.protectedResourceMetadata({ resource: `${api}/files` }))
  app.get('/api', server.requireAccessToken({ origins: [api] }), (req, res) => void res.json(req.accessToken))
  app.use((_req, res) => void res.status(404).send('elsewhere'))
  return app
}

describe.each(hosts)('a target that begins with %s', host => {
  it.each([
    ['GET', '/.well-known/oauth-authorization-server', 200],
    ['GET', '/.well-known/openid-configuration?x=y', 200],
    ['GET', '/.well-known/oauth-protected-resource/files', 200],
    ['GET', '/oauth2/jwks', 200],
    ['GET', `/oauth2/authorize?${authorizationQuery()}`, 303],
    ['GET', '/oauth2/userinfo', 401],
    ['GET', '/oauth2/register/nobody', 401],
    ['GET', '/api?x', 401],
    ['PUT', '/oauth2/token', 405]
  ])('%s %s is answered as without it', async (method, path, status) => {
    await listening(await elsewhere(express()), async address => {
      const [absolute, origin] = [await send(address, host + path, { method }), await send(address, path, { method })]
      expect([absolute.status, origin.status]).toEqual([status, status])
      if (!path.includes('authorize')) expect(absolute.text).toBe(origin.text)
    })
  })

  it('gets tokens, pushes requests and registers clients', async () => {
    await listening(await elsewhere(express()), async address => {
      expect((await send(address, `${host}/oauth2/token`, grant)).status).toBe(200)
      const push = Object.fromEntries(new URLSearchParams(authorizationQuery()))
      expect((await send(address, `${host}/oauth2/par`, { ...grant, form: push })).status).toBe(201)
      const pushed = await send(address, `${host}/oauth2/token?client_secret=x`, grant)
      expect(JSON.parse(pushed.text)).toMatchObject({ error: 'invalid_request' })
    })
  })

  it('is the address a DPoP proof is for, on the origin that was configured', async () => {
    const app = express()
    const { server, clock } = await harness({}, app)
    app.get('/api', server.requireAccessToken({ origins: [api] }), (req, res) => void res.json(req.accessToken))
    await listening(app, async address => {
      const proof = await prove(key, 'POST', 'https://as.example.com/oauth2/token', clock.now)
      const bought = await send(address, `${host}/oauth2/token`, { ...grant, headers: { ...grant.headers, DPoP: proof } })
      const { access_token } = JSON.parse(bought.text) as { access_token: string }
      const call = async (htu: string, target: string) => {
        const DPoP = await prove(key, 'GET', htu, clock.now, { access_token })
        return (await send(address, target, { headers: { Authorization: `DPoP ${access_token}`, DPoP } })).status
      }
      expect(await call(`${api}/api`, `${host}/api?x=y`)).toBe(200)
      expect(await call(`${api}/api`, '/api')).toBe(200)
      expect(await call(`${host}/api`.toLowerCase(), `${host}/api`)).toBe(401)
    })
  })

  it('reaches tenants and a token router', async () => {
    const keys = await generateKeys(['ES256', 'RS256'])
    const client: ClientMetadata = { client_id: 'web', client_secret: 'secret of web', grant_types: ['client_credentials'] }
    const options = { clients: [client], store: memoryStore(), keys }
    const interaction = { account: () => undefined, consented: () => false, prompt: () => undefined }
    const all = tenants({ issuer: 'https://as.example.com', resolve: () => ({ ...options, interaction }) })
    const app = express().use('/only', tokenRouter({ ...options, issuer: 'https://as.example.com/only' }))
    app.use(all)
    await listening(app, async address => {
      expect((await send(address, `${host}/only/token`, grant)).status).toBe(200)
      expect((await send(address, `${host}/acme/oauth2/token`, grant)).status).toBe(200)
      expect((await send(address, `${host}/acme/.well-known/openid-configuration`)).status).toBe(200)
      expect((await send(address, `${host}/.well-known/oauth-authorization-server/acme`)).status).toBe(200)
    })
  })
})

describe('a target of another form', () => {
  it.each(['*', 'http://me:secret@127.0.0.1/oauth2/jwks', 'ftp://127.0.0.1/oauth2/jwks', 'http:///oauth2/jwks'])(
    '%s is nothing of this server’s, and no fault',
    async target => {
      await listening(await elsewhere(express()), async address => {
        const { status, text } = await send(address, target, { method: 'OPTIONS' })
        expect([status, text.includes('"keys"')]).toEqual([404, false])
      })
    }
  )

  it.each(['*', 'ftp://host/api', 'http://me@host/api', '@evil.example/api', ':8/api'])(
    '%s at a protected resource is refused for its proof, whatever that is for',
    async target => {
      const app = express()
      const { server, clock } = await harness({}, app)
      app.use(server.requireAccessToken({ origins: [`${api}:8443`] }), (_req, res) => void res.json({}))
      await listening(app, async address => {
        const proof = await prove(key, 'POST', 'https://as.example.com/oauth2/token', clock.now)
        const bought = await send(address, '/oauth2/token', { ...grant, headers: { ...grant.headers, DPoP: proof } })
        const { access_token } = JSON.parse(bought.text) as { access_token: string }
        const DPoP = await prove(key, 'OPTIONS', `${api}:8443${target}`, clock.now, { access_token })
        const headers = { Authorization: `DPoP ${access_token}`, DPoP }
        const answer = await send(address, target, { method: 'OPTIONS', headers })
        expect([400, 401, 404]).toContain(answer.status)
      })
    }
  )
})

describe('what a request in absolute form is answered with', () => {
  it('goes to the addresses that were registered', async () => {
    await listening(await elsewhere(express()), async address => {
      const { headers } = await send(address, `http://evil.example/oauth2/authorize?${authorizationQuery()}`)
      expect(headers.location).toMatch(new RegExp(`^${callback}\\?`))
      expect(clients[0]?.redirect_uris).toContain(callback)
    })
  })
})
