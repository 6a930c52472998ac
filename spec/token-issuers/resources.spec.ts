import { describe, expect, it } from '@jest/globals'
import type { Express } from 'express'
import { decodeJwt } from 'jose'
import { assertionHarness, exchangeGrant, tokenType } from '../support/servers/assertion-grants.ts'
import {
  api,
  authorizationQuery,
  callback,
  code_verifier,
  files,
  redirected,
  registeredFor,
  token
} from '../support/servers/authorization-server.ts'
import { account, begun, deviceServer, grant_type as deviceGrant } from '../support/servers/devices.ts'
import request from 'supertest'

const invoices = 'https://invoices.example.com'
const nobody = 'https://nobody.example'
const resources = [
  { resource: api, scopes: ['api:read', 'api:write'], accessTokenTtl: 1_200 },
  { resource: invoices, scopes: ['invoices:read'], accessTokenTtl: 300 },
  { resource: files, scopes: ['files:read'], accessTokenFormat: 'opaque' as const }
]
const scopes = ['openid', 'offline_access']
const naming = (...named: string[]) => named.map(resource => `&resource=${encodeURIComponent(resource)}`).join('')
const encode = (form: Readonly<Record<string, string>>) => new URLSearchParams(form).toString()

/** The query that asks for these resources. */
const query = (client_id: string, ...named: string[]) =>
  `${authorizationQuery({ client_id, scope: 'openid offline_access api:read invoices:read' })}${naming(...named)}`

async function codeOf(app: Express, client_id: string, ...named: string[]): Promise<string> {
  const response = await request(app).get(`/oauth2/authorize?${query(client_id, ...named)}`)
  return encode({
    grant_type: 'authorization_code',
    code: redirected(response)['code'] ?? '',
    redirect_uri: callback,
    code_verifier
  })
}

const client = {
  client_id: 'several',
  client_secret: 'secret of several',
  redirect_uris: [callback],
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials', deviceGrant, exchangeGrant]
}
const build = () => deviceServer({ clients: registeredFor([...client.grant_types.slice(0, -1)], [client]), scopes, resources })

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
  readonly expires_in: number
}

describe('one token for several resources', () => {
  it('is made of a code, narrowed to what was asked for, and lives as long as the shortest', async () => {
    const { app, server } = await build()
    const response = await token(app, 'several', `${await codeOf(app, 'several', api, invoices)}${naming(api, invoices, api)}`)
    const { access_token, scope, expires_in } = response.body as Tokens
    expect([response.status, scope.split(' '), expires_in]).toEqual([
      200,
      ['openid', 'offline_access', 'api:read', 'invoices:read'],
      300
    ])
    expect(decodeJwt(access_token)).toMatchObject({ aud: [api, invoices] })
    expect(await server.verifyAccessToken(access_token)).toMatchObject({ aud: [api, invoices] })
  })

  it('is made of a refresh token, and so is one for one of them', async () => {
    const { app } = await build()
    const first = await token(app, 'several', `${await codeOf(app, 'several', api, invoices)}${naming(invoices)}`)
    const { access_token, refresh_token, scope } = first.body as Tokens
    expect([decodeJwt(access_token).aud, scope.includes('api:read')]).toEqual([invoices, false])
    const refresh = `${encode({ grant_type: 'refresh_token', refresh_token })}${naming(api, invoices)}`
    expect(decodeJwt(((await token(app, 'several', refresh)).body as Tokens).access_token).aud).toEqual([api, invoices])
  })

  it('is what a code and a refresh token for several buy where the token request names none', async () => {
    const { app } = await build()
    const first = await token(app, 'several', await codeOf(app, 'several', api, invoices))
    const { access_token, refresh_token } = first.body as Tokens
    expect([first.status, decodeJwt(access_token).aud]).toEqual([200, [api, invoices]])
    const again = await token(app, 'several', encode({ grant_type: 'refresh_token', refresh_token }))
    expect(decodeJwt((again.body as Tokens).access_token).aud).toEqual([api, invoices])
  })

  it('is refused where no token is for all that were granted, and one is for each', async () => {
    const { app } = await build()
    const all = await token(app, 'several', await codeOf(app, 'several', api, files))
    expect([all.status, all.body]).toMatchObject([400, { error: 'invalid_target' }])
    const one = await token(app, 'several', `${await codeOf(app, 'several', api, files)}${naming(api)}`)
    expect(decodeJwt((one.body as Tokens).access_token).aud).toBe(api)
  })

  it('is made of a client’s own credentials', async () => {
    const { app } = await build()
    const form = `${encode({ grant_type: 'client_credentials', scope: 'api:read invoices:read' })}${naming(api, invoices)}`
    const { body } = await token(app, 'several', form)
    expect(decodeJwt((body as Tokens).access_token).aud).toEqual([api, invoices])
  })

  it('is made of a device code', async () => {
    const { app, server } = await build()
    const asked = `scope=api%3Aread+invoices%3Aread${naming(api, invoices)}`
    const { body } = await token(app, 'several', asked, '/oauth2/device_authorization')
    const { device_code, user_code } = body as Awaited<ReturnType<typeof begun>>
    await server.device.approve(user_code, account)
    const poll = encode({ grant_type: deviceGrant, device_code })
    expect((await token(app, 'several', `${poll}${naming(api, files)}`)).body).toMatchObject({ error: 'invalid_target' })
    const polled = await token(app, 'several', `${poll}${naming(api, invoices)}`)
    expect(decodeJwt((polled.body as Tokens).access_token).aud).toEqual([api, invoices])
  })

  it.each([
    ['one that is not granted', [api], [api, invoices]],
    ['one nobody knows', [], [api, nobody]],
    ['of two kinds of token', [], [api, files]],
    ['more than twenty', [], Array.from({ length: 21 }, (_, index) => `https://r${index}.example`)]
  ])('is not made for %s', async (_, granted, asked) => {
    const { app } = await build()
    const response = await token(app, 'several', `${await codeOf(app, 'several', ...granted)}${naming(...asked)}`)
    expect([response.status, response.body]).toMatchObject([400, { error: 'invalid_target' }])
  })

  it('is exchanged where the policy allows each of them', async () => {
    const asked: (string | undefined)[] = []
    const made = await assertionHarness({
      server: { resources, scopes },
      exchange: {
        policy: ({ resource }) => {
          asked.push(resource)
          return { allow: resource === api || resource === invoices ? 'impersonation' : false }
        }
      }
    })
    const own = await token(made.app, 'unscoped', 'grant_type=client_credentials&scope=api:read invoices:read')
    const { access_token } = own.body as Tokens
    const form = { grant_type: exchangeGrant, subject_token: access_token, subject_token_type: tokenType('access_token') }
    const both = await token(made.app, 'unscoped', `${encode(form)}${naming(api, invoices)}`)
    expect([both.status, asked]).toEqual([200, [api, invoices]])
    expect(decodeJwt((both.body as Tokens).access_token).aud).toEqual([api, invoices])
    const other = await token(made.app, 'unscoped', `${encode(form)}${naming(files)}`)
    expect(other.body).toMatchObject({ error: 'invalid_request' })
    const audience = await token(made.app, 'unscoped', `${encode({ ...form, audience: api })}${naming(api, invoices)}`)
    expect(audience.body).toMatchObject({ error: 'invalid_target' })
  })
})
