/** What `requireAccessToken()` asks of tokens and tells those it refuses. Bound tokens: spec/token-endpoint/confirmation.spec.ts. */
import { describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import request from 'supertest'
import type { RequireAccessTokenOptions } from '../../lib/index.ts'
import { api, files, harness, listening, redeemed, token, type Form } from '../support/servers/authorization-server.ts'

async function protectedBy(options: RequireAccessTokenOptions) {
  const made = await harness({}, express())
  made.app.get('/api', made.server.requireAccessToken(options), (req, res) => void res.json(req.accessToken))
  const call = (authorization?: string, headers: Form = {}) => {
    const get = request(made.app).get('/api').set(headers)
    return authorization === undefined ? get : get.set('Authorization', authorization)
  }
  const bought = async (form: Form = {}) => {
    const { body } = await token(made.app, 'web', { grant_type: 'client_credentials', ...form })
    return (body as { access_token: string }).access_token
  }
  return { ...made, call, bought }
}

/** The status, and each `WWW-Authenticate` field as it was sent: Node's own reading makes one of them all. */
async function answered(app: Express, path: string, ...authorization: readonly string[]) {
  return listening(app, async address => {
    const { request: ask } = await import('node:http')
    return new Promise<{ readonly status: number | undefined; readonly challenges: readonly string[] }>((resolve, reject) => {
      const headers = ['Host', new URL(address).host, ...authorization.flatMap(value => ['Authorization', value])]
      ask(`${address}${path}`, { headers }, response => {
        response.resume()
        resolve({ status: response.statusCode, challenges: response.headersDistinct['www-authenticate'] ?? [] })
      })
        .once('error', reject)
        .end()
    })
  })
}

async function challengesOf(options: RequireAccessTokenOptions, ...authorization: readonly string[]): Promise<readonly string[]> {
  return (await answered((await protectedBy(options)).app, '/api', ...authorization)).challenges
}

const algs = expect.stringMatching(/^DPoP algs="ES256[ \w]*"$/)

describe('the challenges of an API', () => {
  it.each([
    undefined,
    'Basic d2ViOnNlY3JldA==',
    'Bearer',
    'DPoP',
    'Bearerx token',
    'Negotiate x, Bearer y',
    'Digest username="Bearer x"',
    'token'
  ])('have no error code where %j has no Bearer or DPoP token', async authorization => {
    const { call } = await protectedBy({})
    const response = await call(authorization)
    expect(response.status).toBe(401)
    expect(response.headers['www-authenticate']).toMatch(/^Bearer realm="OAuth", DPoP algs="[^"]+"$/)
  })

  it.each(['Bearer x', 'bearer a b', 'Bearer é', 'DPoP x', 'BEARER ====='])(
    'say invalid_token of the token in %j',
    async authorization => {
      const { call } = await protectedBy({})
      const response = await call(Buffer.from(authorization).toString('latin1'))
      expect(response.status).toBe(401)
      expect(response.headers['www-authenticate']).toMatch(/^Bearer error="invalid_token", .*DPoP error="invalid_token", /)
    }
  )

  it('stand in a header field each, Bearer first', async () => {
    expect(await challengesOf({})).toEqual(['Bearer realm="OAuth"', algs])
    expect(await challengesOf({}, 'Bearer x')).toEqual([
      'Bearer error="invalid_token", error_description="the access token is not valid"',
      expect.stringMatching(/^DPoP error="invalid_token", .*, algs="ES256[ \w]*"$/)
    ])
  })

  it('name the scope that is needed and the metadata, whatever is wrong', async () => {
    const resourceMetadata = `${api}/.well-known/oauth-protected-resource`
    const options = { scope: ['api:read', 'api:write'], resourceMetadata }
    const needed = 'scope="api:read api:write"'
    expect((await challengesOf(options))[0]).toBe(`Bearer ${needed}, resource_metadata="${resourceMetadata}"`)
    for (const challenge of await challengesOf(options, 'Bearer x')) expect(challenge).toContain(needed)
    const { call, bought } = await protectedBy(options)
    const short = await call(`Bearer ${await bought({ scope: 'api:read', resource: api })}`)
    expect(short.status).toBe(403)
    expect(short.headers['www-authenticate']).toMatch(
      new RegExp(`^Bearer error="insufficient_scope", error_description="[^"=]*", ${needed}, resource_metadata="`)
    )
    expect((await call(`Bearer ${await bought({ scope: 'api:read api:write', resource: api })}`)).status).toBe(200)
  })

  it('say invalid_request where a token was sent twice, the same one too, of which a proxy may have seen the other', async () => {
    const { app, bought } = await protectedBy({})
    const good = `Bearer ${await bought()}`
    expect((await answered(app, '/api', good)).status).toBe(200)
    for (const path of ['/api', '/oauth2/userinfo']) {
      for (const two of [
        [good, good],
        [good, 'Bearer x'],
        ['Bearer x', good],
        [good, 'Basic d2ViOnNlY3JldA==']
      ]) {
        const { status, challenges } = await answered(app, path, ...two)
        expect([path, status, challenges]).toEqual([
          path,
          400,
          [
            expect.stringMatching(/^Bearer error="invalid_request", error_description="[^"=]+"/),
            expect.stringMatching(/^DPoP error="invalid_request", /)
          ]
        ])
      }
    }
  })

  it('say invalid_request where userinfo gets a token in two ways', async () => {
    const { app } = await harness()
    const { access_token } = await redeemed(app)
    const twice = await request(app)
      .post('/oauth2/userinfo')
      .set('Authorization', `Bearer ${access_token}`)
      .type('form')
      .send({ access_token })
    expect([twice.status, twice.headers['www-authenticate']]).toEqual([
      400,
      expect.stringMatching(/^Bearer error="invalid_request", /)
    ])
  })

  it('name openid at the userinfo endpoint', async () => {
    const { app } = await harness()
    const { access_token } = await redeemed(app, 'web', { scope: 'api:read' })
    const short = await request(app).get('/oauth2/userinfo').set('Authorization', `Bearer ${access_token}`)
    expect([short.status, short.headers['www-authenticate']]).toEqual([403, expect.stringContaining('scope="openid"')])
  })
})

describe('the audience', () => {
  it.each([
    [{}, 200, 200, 200],
    [{ resources: [api] }, 200, 401, 200],
    [{ audience: 'optional', resources: [api] }, 200, 401, 200],
    [{ audience: 'required', resources: [api] }, 200, 401, 401],
    [{ audience: 'required' }, 200, 200, 401],
    [{ audience: 'required', resources: [] }, 401, 401, 401]
  ] satisfies [RequireAccessTokenOptions, number, number, number][])(
    'with %j: %i for its own, %i for another’s, %i for a token that names none',
    async (options, own, another, none) => {
      const { call, bought } = await protectedBy(options)
      const statusOf = async (form: Form) => (await call(`Bearer ${await bought(form)}`)).status
      expect([
        await statusOf({ resource: api }),
        await statusOf({ resource: files }),
        await statusOf({ scope: 'api:read files:read' })
      ]).toEqual([own, another, none])
    }
  )
})

describe('x-fapi-interaction-id', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
  const sent = '73cac523-d3ae-2289-b106-330a6218710d'

  it('comes back as it was sent, from refusals too', async () => {
    const { call, bought } = await protectedBy({ interactionId: true })
    const good = `Bearer ${await bought()}`
    for (const authorization of [undefined, 'Bearer x', good]) {
      const { headers } = await call(authorization, { 'X-FAPI-Interaction-Id': sent })
      expect(headers['x-fapi-interaction-id']).toBe(sent)
    }
  })

  it.each(['', ' ', 'é', 'a b', 'x'.repeat(129), `${sent}, ${sent}`])('is a new UUID in place of %j', async given => {
    const { call } = await protectedBy({ interactionId: true })
    const ids = await Promise.all(
      [1, 2].map(async () => (await call(undefined, { 'x-fapi-interaction-id': Buffer.from(given).toString('latin1') })).headers)
    )
    const [first, second] = ids.map(headers => String(headers['x-fapi-interaction-id']))
    expect(first).toMatch(uuid)
    expect(second).toMatch(uuid)
    expect(first).not.toBe(second)
  })

  it('is a new UUID where none came, and is not there unless asked for', async () => {
    expect((await (await protectedBy({ interactionId: true })).call()).headers['x-fapi-interaction-id']).toMatch(uuid)
    const { call } = await protectedBy({})
    expect((await call(undefined, { 'x-fapi-interaction-id': sent })).headers).not.toHaveProperty('x-fapi-interaction-id')
  })
})

describe('requireAccessToken()', () => {
  it.each<[string, unknown, string]>([
    ['origins', 'https://api.example.com', 'origins must be a list'],
    ['origins', ['https://api.example.com/'], 'origins[0] must be an origin'],
    ['resources', api, 'resources must be a list'],
    ['resources', [api, 'api'], 'resources[1] must be an absolute URI'],
    ['resources', [`${api}#x`], 'resources[0] must be an absolute URI'],
    ['scope', 'api:read', 'scope must be a list'],
    ['scope', ['api:read api:write'], 'scope[0] must be a scope value'],
    ['scope', ['"'], 'scope[0] must be a scope value'],
    ['scope', [undefined], 'scope[0] must be a scope value'],
    ['audience', 'require', 'audience must be one of "required", "optional"'],
    ['audience', true, 'audience must be one of'],
    ['interactionId', 'yes', 'interactionId must be true or false'],
    ['resourceMetadata', '/.well-known/oauth-protected-resource', 'resourceMetadata must be an absolute URL'],
    ['resourceMetadata', `${api}/"x`, 'resourceMetadata must be an absolute URL'],
    ['resourceMetadata', `${api}/\r\nx`, 'resourceMetadata must be an absolute URL'],
    ['resourceMetadata', 1, 'resourceMetadata must be an absolute URL']
  ])('is not built with %s: %j', async (name, value, message) => {
    const { server } = await harness({}, express())
    expect(() => server.requireAccessToken({ [name]: value })).toThrow(message)
  })
})
