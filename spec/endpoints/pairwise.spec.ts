/** Clients that know people by pairwise identifiers (OpenID Connect Core §8): the same one wherever they look. */
import { describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import { decodeJwt } from 'jose'
import request from 'supertest'
import { memoryStore, type AuthorizationServerOptions, type TokenIssuer } from '../../lib/index.ts'
import {
  api,
  authorize,
  callback,
  clients,
  code_verifier,
  codeForm,
  files,
  harness,
  redeemed,
  redirected,
  token,
  atApi,
  userinfo,
  type Harness
} from '../support/servers/authorization-server.ts'
import { asking, resume, signIn } from '../support/servers/asking-server.ts'
import { open, pushed } from '../support/servers/pushed-requests.ts'
import { serverKeys } from '../support/keys/made-keys.ts'

const pairwiseSecret = 'p'.repeat(32)
const apart = 'https://apart.example/cb'
const pairwise = clients.map(client => ({
  ...client,
  ...(client.client_id === 'other' ? { redirect_uris: [apart, callback], sector_identifier_uri: 'https://apart.example' } : {}),
  ...(client.client_id === 'native' ? {} : { subject_type: 'pairwise' })
}))
const options: Partial<AuthorizationServerOptions> = { clients: pairwise, pairwiseSecret }
const build = (more: Partial<AuthorizationServerOptions> = {}): Promise<Harness> => harness({ ...options, ...more })

/** What `web` calls Alice. */
async function nameOf(app: Express, client_id = 'web'): Promise<string> {
  return String(decodeJwt((await redeemed(app, client_id)).id_token).sub)
}

describe('a pairwise client', () => {
  it.each([
    ['opaque access tokens', 'none'],
    ['JWT access tokens', 'inferred']
  ])('reads one identifier everywhere, and never the person’s own: %s', async (_, defaultResource) => {
    const { app, server } = await build({ defaultResource: defaultResource as 'none' | 'inferred' })
    const scope = 'openid email offline_access api:read'
    const bought = await redeemed(app, 'web', { scope })
    const refreshed = (await token(app, 'web', { grant_type: 'refresh_token', refresh_token: bought.refresh_token }))
      .body as typeof bought
    const names = new Set<unknown>()
    for (const { access_token, id_token } of [bought, refreshed]) {
      names.add(decodeJwt(id_token).sub)
      const { body } = await userinfo(app, access_token)
      names.add((body as { sub: string }).sub)
      expect(body).toMatchObject({ email: 'alice@example.com' })
      if (access_token.startsWith('eyJ')) names.add(decodeJwt(access_token).sub)
      const seen = JSON.stringify([decodeJwt(id_token), access_token.startsWith('eyJ') && decodeJwt(access_token)])
      expect(seen).not.toMatch(/"alice"|pairwise/)
      // the host's own API knows the person as the host does
      expect(await server.verifyAccessToken(access_token)).toMatchObject({ sub: 'alice', pairwise_sub: decodeJwt(id_token).sub })
    }
    expect([...names]).toEqual([expect.stringMatching(/^[A-Za-z0-9_-]{43}$/)])
  })

  it('reads it at introspection, of access and refresh tokens, and a resource reads the client’s', async () => {
    const resources = [api, files].map((resource, index) => ({
      resource,
      accessTokenFormat: index === 0 ? ('jwt' as const) : ('opaque' as const),
      introspectionClients: ['other']
    }))
    const { app } = await build({ resources })
    for (const resource of [{}, { resource: api }, { resource: files }]) {
      const { access_token, refresh_token, id_token } = await redeemed(app, 'web', {
        ...resource,
        scope: 'openid offline_access'
      })
      const asked = ['web', ...('resource' in resource ? ['other'] : [])].map(by => [by, access_token] as const)
      for (const [client_id, about] of [...asked, ['web', refresh_token] as const]) {
        const { text, body } = await token(app, client_id, { token: about }, '/oauth2/introspect')
        expect(body).toMatchObject({ active: true, sub: decodeJwt(id_token).sub })
        expect(text).not.toMatch(/"alice"|pairwise/)
      }
    }
  })

  it('shares it with its sector alone', async () => {
    const { app } = await build()
    const names = [await nameOf(app), await nameOf(app, 'spa'), await nameOf(app, 'other'), await nameOf(app, 'native')]
    expect(names[1]).toBe(names[0])
    expect(new Set(names).size).toBe(3)
    expect(names[3]).toBe('alice')
  })

  it('reads it in signed userinfo too', async () => {
    const { app } = await build({ clients: pairwise.map(client => ({ ...client, userinfo_signed_response_alg: 'ES256' })) })
    const { access_token, id_token } = await redeemed(app)
    const response = await userinfo(app, access_token).responseType('blob')
    expect(decodeJwt((response.body as Buffer).toString()).sub).toBe(decodeJwt(id_token).sub)
  })

  it('reads it after every key was replaced, and another after the secret was', async () => {
    const before = await nameOf((await build()).app)
    expect(await nameOf((await build({ keys: await serverKeys() })).app)).toBe(before)
    expect(await nameOf((await build({ pairwiseSecret: 'q'.repeat(32) })).app)).not.toBe(before)
  })

  it('has tokens that the host’s middleware reads', async () => {
    const app = express()
    const { server } = await harness(options, app)
    app.get('/api', server.requireAccessToken(), (req, res) => void res.json(req.accessToken))
    for (const resource of [{}, { resource: api }]) {
      const { access_token, id_token } = await redeemed(app, 'web', resource)
      const response = await request(app).get('/api').set('Authorization', `Bearer ${access_token}`)
      expect(response.body).toMatchObject({ sub: 'alice', pairwise_sub: decodeJwt(id_token).sub, client_id: 'web' })
    }
  })

  it('acting for itself is called what it is', async () => {
    const { app, server } = await build()
    for (const resource of [{}, { resource: api }]) {
      const { access_token } = (await token(app, 'web', { grant_type: 'client_credentials', ...resource })).body as {
        access_token: string
      }
      const read = await server.verifyAccessToken(access_token)
      expect([read?.sub, read?.pairwise_sub]).toEqual(['web', undefined])
    }
  })

  it('has grants that are listed and ended by the person’s own sub', async () => {
    const { app, server } = await build()
    const { access_token, id_token } = await redeemed(app)
    expect(await server.grants('alice')).toMatchObject([{ client_id: 'web' }])
    expect(await server.grants(String(decodeJwt(id_token).sub))).toEqual([])
    await server.revokeGrants('alice', 'web')
    expect((await userinfo(app, access_token)).status).toBe(401)
  })
})

describe('a grant without an id', () => {
  const voucher: TokenIssuer = {
    grant_type: 'urn:example:voucher',
    issue: (given, server) =>
      server.respond(
        given,
        { client_id: given.client.client_id, sub: 'alice', scope: ['openid', 'api:read'], resources: [] },
        given.parameters
      )
  }
  const mayUse = pairwise.map(client => ({ ...client, grant_types: [voucher.grant_type] }))

  it.each([api, files, undefined])('is about the same person, here and there: %s', async resource => {
    const { app, server } = await build({ clients: mayUse, tokenIssuers: [voucher] })
    const form = { grant_type: voucher.grant_type, ...(resource !== undefined && { resource }) }
    const { access_token, id_token } = (await token(app, 'web', form)).body as { access_token: string; id_token: string }
    const { sub } = decodeJwt(id_token)
    expect(sub).not.toBe('alice')
    expect(await server.verifyAccessToken(access_token)).toMatchObject({ sub: 'alice', pairwise_sub: sub })
    expect((await atApi(app, access_token)).body).toMatchObject({ sub: 'alice', pairwise_sub: sub })
    if (resource === api) expect(decodeJwt(access_token).sub).toBe(sub)
  })

  it('has one all the same, which its person can end', async () => {
    const { app, server } = await build({ clients: mayUse, tokenIssuers: [voucher] })
    const form = { grant_type: voucher.grant_type, resource: api }
    const { access_token } = (await token(app, 'native', form)).body as { access_token: string }
    const read = await server.verifyAccessToken(access_token)
    expect([read?.sub, read?.pairwise_sub]).toEqual(['alice', undefined])
    expect(await server.grants('alice')).toMatchObject([{ id: read?.grant, client_id: 'native', scope: ['openid', 'api:read'] }])
    await server.revokeGrants('alice', 'native')
    expect(await server.verifyAccessToken(access_token)).toBeUndefined()
  })
})

describe('naming a person in a request', () => {
  const claims = (sub: unknown) => JSON.stringify({ id_token: { sub: { value: sub } } })

  it('works by what the client calls them: id_token_hint', async () => {
    const h = await asking(options)
    const { id_token: id_token_hint } = await redeemed(h.app)
    expect(redirected(await authorize(h.app, { id_token_hint, prompt: 'none' }))).toHaveProperty('code')
    signIn(h, 'bob')
    expect(redirected(await authorize(h.app, { id_token_hint, prompt: 'none' }))).toMatchObject({ error: 'login_required' })
    await authorize(h.app, { id_token_hint })
    expect(redirected(await resume(h.app, h.prompts.at(-1)?.id, signIn(h, 'carol')))).toMatchObject({ error: 'login_required' })
    await authorize(h.app, { id_token_hint })
    expect(redirected(await resume(h.app, h.prompts.at(-1)?.id, signIn(h, 'alice')))).toHaveProperty('code')
  })

  it('works by what the client calls them: claims, pushed or not', async () => {
    const { app } = await build()
    const [ours, theirs] = [await nameOf(app), await nameOf(app, 'other')]
    const answers = async (sub: string) => [
      redirected(await authorize(app, { claims: claims(sub), prompt: 'none' })),
      redirected(await open(app, await pushed(app, { claims: claims(sub), prompt: 'none' })))
    ]
    for (const answer of await answers(ours)) expect(answer).toHaveProperty('code')
    // neither the person's own sub nor another sector's name for them
    for (const sub of ['alice', theirs, ours.toLowerCase(), ''])
      for (const answer of await answers(sub)) expect(answer).toMatchObject({ error: 'login_required' })
  })

  it('by two names is no different', async () => {
    const { app } = await build()
    const { id_token: id_token_hint } = await redeemed(app)
    const sub = String(decodeJwt(id_token_hint).sub)
    expect(redirected(await authorize(app, { id_token_hint, claims: claims(sub), prompt: 'none' }))).toHaveProperty('code')
    expect(redirected(await authorize(app, { id_token_hint, claims: claims('alice'), prompt: 'none' }))).toMatchObject({
      error: 'invalid_request'
    })
  })
})

describe('the metadata', () => {
  it.each([
    [undefined, ['public']],
    [pairwiseSecret, ['public', 'pairwise']]
  ])('names the subject types there are (%s)', async (secret, subject_types_supported) => {
    const { app } = await harness({ pairwiseSecret: secret })
    expect((await request(app).get('/.well-known/openid-configuration')).body).toMatchObject({ subject_types_supported })
  })
})

describe('a server without a secret', () => {
  it('refuses pairwise clients of a list at start, by name', async () => {
    await expect(harness({ clients: pairwise })).rejects.toMatchObject({ key: 'clients[0].subject_type' })
    await expect(build({ pairwiseSecret: 'short' })).rejects.toMatchObject({ key: 'pairwiseSecret' })
  })

  it('tells those it looks up that the fault is its own, before anybody signs in, and never who somebody is', async () => {
    const look = (client_id: string) => pairwise.find(client => client.client_id === client_id)
    const h = await harness({ clients: look })
    h.person.account = undefined
    expect(redirected(await authorize(h.app, { state: 's' }))).toMatchObject({ error: 'server_error', state: 's' })
    // a code from before
    const store = memoryStore()
    const form = await codeForm((await build({ store, clients: look })).app)
    const { app } = await harness({ store, clients: look })
    const response = await token(app, 'web', { ...form, code_verifier })
    expect([response.status, response.body]).toEqual([500, { error: 'server_error', error_description: expect.any(String) }])
  })
})
