import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { memoryStore, tenants, type ClientMetadata, type TenantOptions, type TenantsOptions } from '../../lib/index.ts'
import { basic } from '../support/servers/authorization-server.ts'
import { serverKeys } from '../support/keys/made-keys.ts'

const issuer = 'https://as.example.com/base'
const interaction = { account: () => undefined, consented: () => false, prompt: () => undefined }
const one = await serverKeys(['ES256', 'RS256'])
const two = await serverKeys(['ES256', 'RS256'])
const known = ['/acme', '/acme/banking', '/beta']

const client = (client_id: string, secret: string): ClientMetadata => ({
  client_id,
  client_secret: secret,
  grant_types: ['client_credentials'],
  response_types: []
})

function setup(options: Partial<TenantsOptions> = {}) {
  const store = memoryStore()
  const asked: string[] = []
  const disposed: string[] = []
  const errors: unknown[] = []
  const resolve = (path: string): TenantOptions | undefined => {
    asked.push(path)
    if (!known.includes(path) && !path.startsWith('/t')) return undefined
    return {
      store,
      keys: path === '/acme' ? one : two,
      clients: [client('app', `secret of ${path}`), client(`only${path.replaceAll('/', '-')}`, 'secret')],
      interaction,
      dispose: () => void disposed.push(path)
    }
  }
  const all = tenants({ issuer, resolve, onError: error => errors.push(error), ...options })
  const app = express().use(all)
  app.use((_req, res) => void res.status(404).send('elsewhere'))
  const token = (tenant: string, id = 'app', secret = `secret of ${tenant}`) =>
    request(app)
      .post(`/base${tenant}/oauth2/token`)
      .set('Authorization', basic(id, secret))
      .type('form')
      .send({ grant_type: 'client_credentials' })
  return { app, all, asked, disposed, errors, token }
}

describe('tenants', () => {
  it('are issuers of their own, whose endpoints and metadata stand where clients look for them', async () => {
    const { app } = setup()
    for (const path of known) {
      for (const address of [
        `/.well-known/oauth-authorization-server/base${path}`,
        `/.well-known/openid-configuration/base${path}`,
        `/base${path}/.well-known/oauth-authorization-server`,
        `/base${path}/.well-known/openid-configuration`
      ]) {
        const { body, status } = await request(app).get(address)
        expect(status).toBe(200)
        expect(body).toMatchObject({ issuer: issuer + path, token_endpoint: `${issuer}${path}/oauth2/token` })
        expect((await request(app).options(address)).status).toBe(204)
      }
    }
    const acme = await request(app).get('/base/acme/oauth2/jwks')
    const beta = await request(app).get('/base/beta/oauth2/jwks')
    expect(acme.body).not.toEqual(beta.body)
  })

  it('know no client, secret or token of another', async () => {
    const { all, token } = setup()
    const { body } = await token('/acme').expect(200)
    await token('/acme/banking').expect(200)
    await token('/beta', 'app', 'secret of /acme').expect(401)
    await token('/acme', 'only-beta', 'secret').expect(401)
    const { access_token } = body as { access_token: string }
    const [acme, banking] = await Promise.all([all.server('/acme'), all.server('/acme/banking')])
    expect(await acme?.verifyAccessToken(access_token)).toMatchObject({ client_id: 'app' })
    expect(await banking?.verifyAccessToken(access_token)).toBeUndefined()
  })

  it('are resolved once, however many requests come first', async () => {
    const { token, asked } = setup()
    const answers = await Promise.all(Array.from({ length: 50 }, () => token('/acme')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(asked).toEqual(['/acme'])
  })

  it('leave everything that is no endpoint of a tenant to the application', async () => {
    const { app, asked } = setup()
    for (const address of [
      '/base/oauth2/token',
      '/base/acme',
      '/base/acme/oauth2',
      '/base/acme/oauth2/tokens',
      '/base/acme/oauth2/token/more',
      '/acme/oauth2/token',
      '/base/../acme/oauth2/token',
      '/base/.acme/oauth2/token',
      '/base/a%63me/oauth2/token',
      '/base//acme/oauth2/token',
      `/base/${'a'.repeat(300)}/oauth2/token`,
      '/.well-known/oauth-authorization-server/acme',
      '/.well-known/oauth-authorization-server/base',
      '/.well-known/oauth-authorization-serverx/base/acme',
      '/.well-known/openid-configuration/acme',
      '/.well-known/openid-configuration/base/acme/.well-known/openid-configuration',
      '/base/acme/.well-known/oauth-authorization-server/more'
    ]) {
      const { text, status } = await request(app).post(address)
      expect([address, status, text]).toEqual([address, 404, 'elsewhere'])
    }
    expect(asked).toEqual([])
  })

  it('that are not there are asked for once in a while, and take no tenant’s place', async () => {
    const { token, asked } = setup({ max: 2 })
    await token('/acme').expect(200)
    for (let i = 0; i < 20; i++) await token(`/nobody${i % 10}`).expect(404)
    await token('/acme').expect(200)
    expect(asked).toHaveLength(11)
  })

  it('are kept in bounded memory, and disposed of once', async () => {
    const { token, asked, disposed } = setup({ max: 3 })
    for (const path of ['/t1', '/t2', '/t3', '/t4', '/t1']) await token(path).expect(200)
    expect(asked).toEqual(['/t1', '/t2', '/t3', '/t4', '/t1'])
    expect(disposed).toEqual(['/t1', '/t2'])
  })

  it('are resolved anew when they are forgotten, or have been kept long enough', async () => {
    const { all, token, asked, disposed } = setup({ maxAge: 1 })
    await token('/acme').expect(200)
    all.forget('/acme')
    await token('/acme').expect(200)
    expect(asked).toHaveLength(2)
    expect(disposed).toEqual(['/acme'])
    await new Promise(resolve => setTimeout(resolve, 1100))
    await token('/acme').expect(200)
    expect(asked).toHaveLength(3)
  })

  it('answer 503 while they cannot be resolved, and are there again afterwards', async () => {
    let down = true
    const resolve = (path: string): TenantOptions => {
      if (down) throw new Error(`no connection, password=hunter2 ${path}`)
      return { store: memoryStore(), keys: one, clients: [client('app', 'secret of /acme')], interaction }
    }
    const { token, errors } = setup({ resolve })
    const { body, headers } = await token('/acme').expect(503)
    expect(body).toEqual({ error: 'temporarily_unavailable', error_description: 'the server cannot answer at the moment' })
    expect(headers['retry-after']).toBe('5')
    expect(errors).toHaveLength(1)
    down = false
    await token('/acme').expect(200)
  })

  it('weigh little each, until they are asked for more than tokens', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const used = (): number => {
      collect()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const { all, token } = setup()
    const ask = async (first: number, count: number): Promise<void> => {
      for (let index = first; index < first + count; index++) {
        const path = `/t${index}`
        if (index % 50 === 0) await token(path).expect(200)
        else expect(await all.server(path)).toBeDefined()
      }
    }
    await ask(0, 50)
    const before = used()
    await ask(50, 400)
    expect((used() - before) / 400).toBeLessThan(23_500)
  })

  it('with wrong options of their own are a fault the operator hears of, and the caller does not', async () => {
    const resolve = () => ({ store: memoryStore(), keys: one, clients: 'nonsense', interaction }) as never
    const { token, errors } = setup({ resolve })
    expect((await token('/acme').expect(500)).body).toEqual({
      error: 'server_error',
      error_description: 'the server met an error'
    })
    expect(String(errors[0])).toContain('clients must be a list')
  })

  it.each([
    [{ issuer: 'http://as.example.com' }, 'issuer must be an https URL'],
    [{ resolve: undefined }, 'resolve must be a function'],
    [{ max: 0 }, 'max must be a whole number'],
    [{ maxAge: -1 }, 'maxAge must be a whole number'],
    [{ resolver: 1 }, 'resolver is not a known option; did you mean resolve?']
  ])('refuses %j, naming the option', (options, message) => {
    expect(() => setup(options as never)).toThrow(message)
  })
})
