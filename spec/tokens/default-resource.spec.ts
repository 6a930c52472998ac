/** What a token is for whose request names no resource, and where a token for a resource is good. */
import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import type { ServerEvent } from '../../lib/index.ts'
import { api, atApi, files, harness, issuer, redeemed, token, userinfo } from '../support/servers/authorization-server.ts'
import { exchange, tokensOf } from '../support/servers/assertion-grants.ts'
import { life, tickets, type Life } from '../support/servers/grant-life.ts'

const inferring = { defaultResource: 'inferred' } as const
const endpoint = `${issuer}/oauth2/userinfo`
const audienceOf = async (made: Pick<Life, 'server'>, access_token: string) =>
  (await made.server.verifyAccessToken(access_token))?.aud

describe('a request without a resource', () => {
  it.each([
    ['one resource', 'api:read', api],
    ['one, by two values', 'api:read api:write', api],
    ['one that reads no JWTs', 'files:read', files],
    ['one, and OpenID', 'openid api:read', [api, endpoint]],
    ['one, and all about the person', 'openid profile email address phone offline_access api:read', [api, endpoint]],
    ['one, and offline_access', 'offline_access api:read', api],
    ['two', 'api:read files:read', undefined],
    ['none', 'openid email', undefined],
    ['nothing at all', 'offline_access', undefined],
    ['one, and the server itself', 'api:read admin', undefined]
  ])('whose scope belongs to %s is for that', async (_, scope, aud) => {
    const scopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access', 'admin']
    const made = await harness({ ...inferring, scopes, clients: [{ ...web, scope: undefined }] })
    const { access_token } = await redeemed(made.app, 'web', { scope })
    expect(await audienceOf(made, access_token)).toEqual(aud)
    if (aud === api || Array.isArray(aud)) expect(decodeJwt(access_token).aud).toEqual(aud)
    const opens = scope.startsWith('openid')
    expect((await userinfo(made.app, access_token)).status).toBe(opens ? 200 : aud === undefined ? 403 : 401)
    expect((await atApi(made.app, access_token)).status).toBe(200)
  })

  it('is for the one resource that has all its values, where some are shared', async () => {
    const resources = [
      { resource: api, scopes: ['read', 'write'] },
      { resource: files, scopes: ['read'] }
    ]
    const made = await harness({ ...inferring, resources, clients: [{ ...web, scope: undefined }] })
    const of = async (scope: string) => audienceOf(made, (await redeemed(made.app, 'web', { scope })).access_token)
    expect([await of('read write'), await of('write'), await of('read')]).toEqual([api, api, undefined])
  })

  it.each(Object.entries(tickets))('is every one: %s', async (_, ticket) => {
    const made = await life()
    const { access_token } = tokensOf(await (await ticket(made))())
    expect(decodeJwt(access_token).aud).toEqual([api, endpoint])
    expect((await userinfo(made.app, access_token)).body).toMatchObject({ sub: 'alice', email: 'alice@example.com' })
  })

  it('is one of a client for itself too, and an exchange', async () => {
    const made = await life()
    const own = tokensOf(await token(made.app, 'web', { grant_type: 'client_credentials', scope: 'api:read' })).access_token
    expect(await audienceOf(made, own)).toBe(api)
    const several = (await redeemed(made.app, 'web', { scope: 'openid api:read files:read' })).access_token
    expect(await audienceOf(made, several)).toBeUndefined()
    const narrowed = tokensOf(await exchange(made, several, { scope: 'api:read' })).access_token
    expect(await audienceOf(made, narrowed)).toBe(api)
  })

  it('can refresh to one, where it asks for less', async () => {
    const made = await life()
    const { refresh_token } = await redeemed(made.app, 'web', { scope: 'openid offline_access api:read files:read' })
    const form = { grant_type: 'refresh_token', refresh_token, scope: 'files:read' }
    expect(await audienceOf(made, tokensOf(await token(made.app, 'web', form)).access_token)).toBe(files)
  })

  it.each(['none', undefined] as const)(
    'is for nothing that is named with defaultResource %s only where it is none',
    async given => {
      const made = await harness({ defaultResource: given })
      const { access_token } = await redeemed(made.app, 'web', { scope: 'openid api:read' })
      expect(await audienceOf(made, access_token)).toEqual(given === 'none' ? undefined : [api, endpoint])
    }
  )

  it.each(['None', '', true, null])('must not be answered by %j', async defaultResource => {
    await expect(harness({ defaultResource: defaultResource as never })).rejects.toThrow(/^defaultResource must be one of/)
  })

  it('is told to the operator where its scope belongs to several resources, and only there', async () => {
    const heard: ServerEvent[] = []
    const made = await harness({ ...inferring, onEvent: event => heard.push(event) })
    const ambiguous = async (scope: string, more = {}) => {
      heard.length = 0
      await redeemed(made.app, 'web', { scope, ...more })
      return heard.flatMap(event => (event.type === 'token.issued' ? [event.ambiguous_resources] : []))
    }
    expect(await ambiguous('openid api:read files:read')).toEqual([[api, files]])
    for (const scope of ['openid', 'api:read', 'openid api:read']) expect(await ambiguous(scope)).toEqual([undefined])
    expect(await ambiguous('api:read files:read', { resource: api })).toEqual([undefined])
  })

  it('shows the person the resource it is for, and asks for consent to that', async () => {
    const asked: (readonly string[])[] = []
    const shown: (readonly string[])[] = []
    const made = await harness({
      ...inferring,
      interaction: {
        account: () => ({ sub: 'alice', auth_time: 1_799_999_000 }),
        consented: (_req, { resources }) => asked.push(resources) < 0,
        prompt(_req, res, { resources }) {
          shown.push(resources)
          res.end()
        }
      }
    })
    for (const change of [{ scope: 'openid api:read' }, { scope: 'openid api:read', resource: api }, { scope: 'openid' }])
      await redeemed(made.app, 'web', change).catch(() => undefined)
    expect(asked).toEqual([[api], [api], []])
    expect(shown).toEqual([[api], [api], []])
  })
})

describe('an access token that names a resource', () => {
  it.each([
    ['JWT', api, 'openid api:read'],
    ['opaque', files, 'openid files:read']
  ])('does not open userinfo, asked for with the code or later (%s)', async (_, resource, scope) => {
    for (const defaultResource of ['inferred', 'none'] as const) {
      const made = await harness({ defaultResource })
      const first = await redeemed(made.app, 'web', { scope: `${scope} offline_access`, resource })
      const unnamed = await redeemed(made.app, 'web', { scope: `${scope} offline_access` })
      const refresh = async (refresh_token: string, more = {}) =>
        tokensOf(await token(made.app, 'web', { grant_type: 'refresh_token', refresh_token, ...more })).access_token
      for (const access_token of [
        first.access_token,
        await refresh(first.refresh_token),
        await refresh(unnamed.refresh_token, { resource })
      ]) {
        const response = await userinfo(made.app, access_token)
        expect([response.status, (response.body as { error: string }).error]).toEqual([401, 'invalid_token'])
        expect(response.headers['www-authenticate']).toContain('error="invalid_token"')
        expect((await atApi(made.app, access_token)).status).toBe(200)
      }
    }
  })
})

describe('a token for a resource and userinfo', () => {
  it('is known to the clients of the resource, and taken by its API and by no other', async () => {
    const made = await life()
    const { access_token } = await redeemed(made.app, 'web', { scope: 'openid api:read' })
    const { body } = await token(made.app, 'api-backend', { token: access_token }, '/oauth2/introspect')
    expect(body).toMatchObject({ active: true, aud: [api, endpoint] })
    expect((await token(made.app, 'other', { token: access_token }, '/oauth2/introspect')).body).toEqual({ active: false })
    made.app.get('/files', made.server.requireAccessToken({ resources: [files] }), (_req, res) => void res.end())
    made.app.get('/own', made.server.requireAccessToken({ resources: [api] }), (_req, res) => void res.end())
    const statusOf = async (path: string) => (await atApi(made.app, access_token, path)).status
    expect([await statusOf('/files'), await statusOf('/own')]).toEqual([401, 200])
  })

  it('is exchanged for one for that resource alone', async () => {
    const made = await life()
    const { access_token } = await redeemed(made.app, 'web', { scope: 'openid api:read' })
    const exchanged = tokensOf(await exchange(made, access_token)).access_token
    expect(await audienceOf(made, exchanged)).toBe(api)
    expect((await userinfo(made.app, exchanged)).status).toBe(401)
  })
})

const web = {
  client_id: 'web',
  client_secret: 'secret of web',
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  redirect_uris: ['https://client.example.com/cb']
}
