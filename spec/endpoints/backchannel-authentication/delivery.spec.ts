import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { memoryStore, NotificationError, type PostJson, type ResourceOptions } from '../../../lib/index.ts'
import { GuardedFetchError } from '../../../lib/outbound/guarded-fetch.ts'
import { api, breakableStore, files, token, userinfo } from '../../support/servers/authorization-server.ts'
import {
  account,
  ask,
  asked,
  askers,
  backchannelServer,
  client_notification_token,
  good,
  notificationEndpoint,
  page,
  pinged,
  poll,
  waiting,
  type Asking,
  type NotificationEndpoint
} from '../../support/servers/backchannel.ts'
import { outcome } from '../../support/servers/devices.ts'

const endpoints: NotificationEndpoint[] = []
afterEach(async () => {
  await Promise.all(endpoints.splice(0).map(endpoint => endpoint.close()))
})

/** A server on this machine, where clients on this machine may be told. */
async function telling(
  mode: 'ping' | 'push',
  more: { postJson?: PostJson; endpoint?: string; resources?: readonly ResourceOptions[] } = {}
) {
  const endpoint = await notificationEndpoint()
  endpoints.push(endpoint)
  const clients = askers(pinged(more.endpoint ?? endpoint.url, mode))
  const change = more.postJson === undefined ? {} : { postJson: more.postJson }
  const server = await backchannelServer(change, {
    issuer: 'http://localhost:9',
    clients,
    ...(more.resources !== undefined && { resources: more.resources })
  })
  const client_id = `${mode}ed`
  const form = { ...good, scope: 'openid offline_access api:read', client_notification_token }
  const { auth_req_id } = await asked(server.app, form, client_id)
  return { ...server, endpoint, auth_req_id, client_id, id: await waiting(server) }
}

/** Resolves with the first error that was reported. */
async function reported({ errors }: Asking): Promise<unknown> {
  while (errors.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
  return errors[0]
}

const half = (text: string) => createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url')

describe('a client that is pinged', () => {
  it.each(['approve', 'deny'] as const)('is told that its person decided (%s), with its own token, and asks how', async what => {
    const { app, server, endpoint, auth_req_id, client_id, id } = await telling('ping')
    expect(await server.backchannel[what](page, id, account)).toBe(true)
    expect(await endpoint.until(1)).toEqual([
      {
        url: '/ciba',
        headers: expect.objectContaining({
          authorization: `Bearer ${client_notification_token}`,
          'content-type': 'application/json'
        }),
        body: { auth_req_id }
      }
    ])
    expect(outcome(await poll(app, auth_req_id, client_id))).toBe(what === 'approve' ? '200' : '400 access_denied')
  })

  it('is told once, whoever else decides', async () => {
    const { server, endpoint, id } = await telling('ping')
    await Promise.all(Array.from({ length: 10 }, () => server.backchannel.approve(page, id, account)))
    await endpoint.until(1)
    await new Promise(resolve => setTimeout(resolve, 100))
    expect(endpoint.heard).toHaveLength(1)
  })

  it('does not keep its person waiting', async () => {
    const silent: PostJson = () => new Promise<number>(() => undefined)
    const { server, id } = await telling('ping', { postJson: silent })
    expect(await server.backchannel.approve(page, id, account)).toBe(true)
  })
})

describe('a client that is pushed to', () => {
  it('gets the tokens, and an ID Token that is bound to them and to its request', async () => {
    const { app, server, endpoint, auth_req_id, client_id, id } = await telling('push')
    expect(await server.backchannel.approve(page, id, account)).toBe(true)
    const [pushed] = await endpoint.until(1)
    expect(pushed?.headers).toMatchObject({ authorization: `Bearer ${client_notification_token}` })
    const body = pushed?.body ?? {}
    expect(body).toEqual({
      auth_req_id,
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: expect.any(String),
      id_token: expect.any(String),
      scope: 'openid offline_access api:read'
    })
    const { access_token = '', refresh_token = '', id_token = '' } = body
    expect(decodeJwt(id_token)).toMatchObject({
      ...account,
      aud: client_id,
      at_hash: half(access_token),
      'urn:openid:params:jwt:claim:auth_req_id': auth_req_id,
      'urn:openid:params:jwt:claim:rt_hash': half(refresh_token)
    })
    expect((await userinfo(app, access_token)).status).toBe(200)
    expect(outcome(await token(app, client_id, { grant_type: 'refresh_token', refresh_token }))).toBe('200')
    expect(outcome(await poll(app, auth_req_id, client_id))).toBe('400 unauthorized_client')
  })

  it('has no hash of a refresh token it does not get', async () => {
    const { app, server, endpoint } = await telling('push')
    const form = { ...good, scope: 'openid', client_notification_token }
    await asked(app, form, 'pushed')
    const [newest] = await server.backchannel.pending(account)
    await server.backchannel.approve(page, newest?.id ?? '', account)
    const [pushed] = await endpoint.until(1)
    expect(Object.keys(decodeJwt(pushed?.body['id_token'] ?? ''))).not.toContain('urn:openid:params:jwt:claim:rt_hash')
  })

  it('gets a token for the resource it asked for', async () => {
    const { app, server, endpoint } = await telling('push')
    await asked(app, { ...good, resource: api, client_notification_token }, 'pushed')
    const [newest] = await server.backchannel.pending(account)
    await server.backchannel.approve(page, newest?.id ?? '', account)
    const [pushed] = await endpoint.until(1)
    expect(decodeJwt(pushed?.body['access_token'] ?? '')).toMatchObject({ aud: api, client_id: 'pushed' })
  })

  it('gets one token for several resources, where there can be one', async () => {
    const invoices = 'https://invoices.example.com'
    const resources = [
      { resource: api, scopes: ['api:read'] },
      { resource: invoices },
      { resource: files, accessTokenFormat: 'opaque' as const }
    ]
    const { app, server, endpoint } = await telling('push', { resources })
    const asking = (...named: string[]) =>
      ask(
        app,
        `${new URLSearchParams({ ...good, client_notification_token }).toString()}${named.map(resource => `&resource=${resource}`).join('')}`,
        'pushed'
      )
    expect(outcome(await asking(api, files))).toBe('400 invalid_target')
    expect(outcome(await asking(api, invoices))).toBe('200')
    const [newest] = await server.backchannel.pending(account)
    await server.backchannel.approve(page, newest?.id ?? '', account)
    const [pushed] = await endpoint.until(1)
    expect(decodeJwt(pushed?.body['access_token'] ?? '').aud).toEqual([api, invoices])
  })

  it('is told that its person refused', async () => {
    const { server, endpoint, auth_req_id, id } = await telling('push')
    await server.backchannel.deny(page, id, account)
    const [pushed] = await endpoint.until(1)
    expect(pushed?.body).toEqual({ auth_req_id, error: 'access_denied', error_description: expect.any(String) })
  })

  it('is tried again where it fails, and gets the same tokens', async () => {
    const { app, server, endpoint, id, errors } = await telling('push')
    endpoint.statuses.push(503, 429)
    await server.backchannel.approve(page, id, account)
    const heard = await endpoint.until(3)
    expect(new Set(heard.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect((await userinfo(app, heard[0]?.body['access_token'] ?? '')).status).toBe(200)
    expect(errors).toEqual([])
  })

  it.each([401, 404, 302, 200])('that answers %i is asked once', async status => {
    const pushing = await telling('push')
    pushing.endpoint.statuses.push(status)
    await pushing.server.backchannel.approve(page, pushing.id, account)
    const [pushed] = await pushing.endpoint.until(1)
    const { access_token = '' } = pushed?.body ?? {}
    if (status === 200) {
      expect((await userinfo(pushing.app, access_token)).status).toBe(200)
      return
    }
    const error = await reported(pushing)
    expect(error).toBeInstanceOf(NotificationError)
    expect(error).toMatchObject({ client_id: 'pushed', message: `the notification endpoint of pushed answered ${status}` })
    expect(pushing.endpoint.heard).toHaveLength(1)
    // nobody may live on what its client does not know of
    expect((await userinfo(pushing.app, access_token)).status).toBe(401)
  })

  it('that never takes its tokens has them revoked, and the operator is told why', async () => {
    const pushing = await telling('push')
    pushing.endpoint.statuses.push(500, 502, 503)
    await pushing.server.backchannel.approve(page, pushing.id, account)
    expect(await reported(pushing)).toMatchObject({ message: 'the notification endpoint of pushed answered 503' })
    const { access_token = '', refresh_token = '' } = pushing.endpoint.heard[0]?.body ?? {}
    expect((await userinfo(pushing.app, access_token)).status).toBe(401)
    expect(outcome(await token(pushing.app, 'pushed', { grant_type: 'refresh_token', refresh_token }))).toBe('400 invalid_grant')
  })

  it('is told nothing while the store does not answer, and the operator is', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const posted: unknown[] = []
    const postJson: PostJson = (_url, message) => Promise.resolve(posted.push(message) > 0 ? 204 : 500)
    const server = await backchannelServer({ postJson }, { store, clients: askers(pinged(undefined, 'push')) })
    await asked(server.app, { ...good, client_notification_token }, 'pushed')
    const id = await waiting(server)
    broken.set('set', 'rejects')
    expect(await server.server.backchannel.approve(page, id, account)).toBe(true)
    expect(await reported(server)).toMatchObject({ error: 'temporarily_unavailable' })
    expect(posted).toEqual([])
  })
})

describe('a notification endpoint', () => {
  it.each([
    ['on an address of the server’s own network', 'https://10.0.0.1/ciba'],
    ['at a metadata service', 'https://169.254.169.254/ciba'],
    ['on this machine', 'https://localhost:9/ciba']
  ])('%s is not asked', async (_name, endpoint) => {
    const server = await backchannelServer({}, { clients: askers(pinged(endpoint)) })
    await asked(server.app, { ...good, client_notification_token }, 'pinged')
    await server.server.backchannel.approve(page, await waiting(server), account)
    expect(await reported(server)).toMatchObject({
      name: 'NotificationError',
      message: 'the notification endpoint of pinged did not answer',
      cause: { reason: 'forbidden_address' }
    })
  })

  it.each(['invalid_url', 'forbidden_scheme', 'forbidden_user_info', 'forbidden_address'] as const)(
    'that is refused (%s) is not tried again',
    async reason => {
      const tried: string[] = []
      const postJson: PostJson = url => {
        tried.push(url)
        return Promise.reject(new GuardedFetchError(reason, 'it may not be asked'))
      }
      const pushing = await telling('push', { postJson })
      await pushing.server.backchannel.approve(page, pushing.id, account)
      expect(await reported(pushing)).toMatchObject({ name: 'NotificationError', cause: { reason } })
      expect(tried).toHaveLength(1)
    }
  )

  it('of a client that is gone is not asked', async () => {
    const registered = new Map(askers(pinged()).map(client => [client.client_id, client]))
    const posted: unknown[] = []
    const postJson: PostJson = (_url, message) => Promise.resolve(posted.push(message) > 0 ? 204 : 500)
    const server = await backchannelServer({ postJson }, { clients: id => registered.get(id) })
    await asked(server.app, { ...good, client_notification_token }, 'pinged')
    const id = await waiting(server)
    registered.delete('pinged')
    expect(await server.server.backchannel.approve(page, id, account)).toBe(true)
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(posted).toEqual([])
  })
})
