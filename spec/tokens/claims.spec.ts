/** Which claims of a person are told, where, and that those without a value never are. */
import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import type { AccountClaims, AuthorizationServerOptions, ClientMetadata } from '../../lib/index.ts'
import { callback, harness, redeemed, token, userinfo } from '../support/servers/authorization-server.ts'
import { life, tickets } from '../support/servers/grant-life.ts'
import { tokensOf } from '../support/servers/assertion-grants.ts'

const scope = 'openid profile email address phone'
const client = (more: Partial<ClientMetadata> = {}): ClientMetadata => ({
  client_id: 'web',
  client_secret: 'secret of web',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [callback],
  ...more
})

async function told(
  claims: AccountClaims,
  more: Partial<ClientMetadata> = {},
  options: Partial<AuthorizationServerOptions> = {}
) {
  const made = await harness({ claims: () => claims, clients: [client(more)], ...options })
  const { access_token, id_token } = await redeemed(made.app, 'web', { scope })
  const atUserinfo = (await userinfo(made.app, access_token)).body as Record<string, unknown>
  return { atUserinfo, inIdToken: decodeJwt(id_token) }
}

const empty = {
  name: null,
  nickname: '',
  picture: undefined,
  email: 'alice@example.com',
  email_verified: false,
  updated_at: 0,
  address: {},
  phone_number: {}
}
const left = { email: 'alice@example.com', email_verified: false, updated_at: 0 }

describe('claims without a value', () => {
  it('are left out at userinfo, what is false or zero is not', async () => {
    expect((await told(empty)).atUserinfo).toEqual({ sub: 'alice', ...left })
  })

  it.each([
    [{ country: 'DE', locality: '', region: null }, { country: 'DE' }],
    [{ country: '', locality: null }, undefined],
    [{ formatted: {} }, undefined],
    [['DE'], ['DE']],
    [{ lines: [] }, { lines: [] }]
  ])('are left out of an address too: %j', async (address, expected) => {
    const { atUserinfo } = await told({ address })
    expect(atUserinfo).toEqual(expected === undefined ? { sub: 'alice' } : { sub: 'alice', address: expected })
  })

  it('are left out of ID Tokens, by scope or one by one', async () => {
    const { inIdToken } = await told(empty, { id_token_claims: 'scopes' })
    for (const absent of ['name', 'nickname', 'picture', 'address', 'phone_number']) expect(inIdToken).not.toHaveProperty(absent)
    expect(inIdToken).toMatchObject({ sub: 'alice', ...left })
    const made = await harness({ claims: () => empty, clients: [client()] })
    const claims = JSON.stringify({ id_token: { name: null, email: null, address: null } })
    const { id_token } = await redeemed(made.app, 'web', { scope, claims })
    const one = decodeJwt(id_token)
    expect(one).toMatchObject({ email: 'alice@example.com' })
    for (const absent of ['name', 'address']) expect(one).not.toHaveProperty(absent)
  })
})

describe('signed userinfo', () => {
  it('leaves them out as well', async () => {
    const made = await harness({ claims: () => empty, clients: [client({ userinfo_signed_response_alg: 'ES256' })] })
    const { access_token } = await redeemed(made.app, 'web', { scope })
    const response = await userinfo(made.app, access_token).responseType('blob')
    const { iss, aud, ...said } = decodeJwt((response.body as Buffer).toString())
    expect([iss, aud]).toEqual(['https://as.example.com', 'web'])
    expect(said).toEqual({ sub: 'alice', ...left })
  })
})

describe('claims in ID Tokens', () => {
  const claims = { name: 'Alice', email: 'alice@example.com', secret_note: 'never told', sub: 'not-alice' }

  it.each([
    ['nothing said', undefined, undefined, false],
    ['the server', 'scopes', undefined, true],
    ['the client', undefined, 'scopes', true],
    ['the client, against the server', 'scopes', 'requested', false],
    ['the client, against the server, the other way', 'requested', 'scopes', true]
  ] as const)('are those of the granted scope where it is asked for by %s', async (_, server, ofClient, expected) => {
    const { inIdToken, atUserinfo } = await told(claims, { id_token_claims: ofClient }, { idTokenClaims: server })
    expect([inIdToken['name'], inIdToken['email']]).toEqual(expected ? ['Alice', 'alice@example.com'] : [undefined, undefined])
    expect(inIdToken).not.toHaveProperty('secret_note')
    expect([inIdToken.sub, atUserinfo['name']]).toEqual(['alice', 'Alice'])
  })

  it('follow the scope of each response', async () => {
    const made = await harness({ claims: () => claims, clients: [client()], idTokenClaims: 'scopes' })
    const { refresh_token } = await redeemed(made.app, 'web', { scope: 'openid email profile offline_access' })
    const form = { grant_type: 'refresh_token', refresh_token, scope: 'openid email' }
    const refreshed = decodeJwt(tokensOf(await token(made.app, 'web', form)).id_token ?? '')
    expect(refreshed).toMatchObject({ email: 'alice@example.com' })
    expect(refreshed).not.toHaveProperty('name')
  })

  it.each(Object.entries(tickets))('are there whatever bought them: %s', async (_, ticket) => {
    const made = await life({ idTokenClaims: 'scopes' })
    const { id_token } = tokensOf(await (await ticket(made))())
    expect(decodeJwt(id_token ?? '')).toMatchObject({ sub: 'alice', email: 'alice@example.com', email_verified: true })
  })

  it.each(['scope', '', true, null, ['scopes']])('must not be %j, for a server or a client', async wrong => {
    await expect(harness({ idTokenClaims: wrong as never })).rejects.toThrow(/^idTokenClaims must be one of/)
    // null is nothing said, as in any client metadata
    if (wrong === null) return
    await expect(harness({ clients: [client({ id_token_claims: wrong as never })] })).rejects.toThrow(
      /^clients\[0\]\.id_token_claims must be/
    )
  })
})
