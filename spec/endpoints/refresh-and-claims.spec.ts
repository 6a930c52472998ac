/** What clients get back as they sent it, and what userinfo says claim by claim. */
import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import request from 'supertest'
import {
  authorizationQuery,
  authorize,
  callback,
  code_verifier,
  codeForm,
  harness,
  redeemed,
  redirected,
  token,
  userinfo
} from '../support/servers/authorization-server.ts'
import { open, pushed } from '../support/servers/pushed-requests.ts'

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
  readonly scope: string
}

const reversed = (scope: string): string => scope.split(' ').reverse().join(' ')

describe('K6: a refresh', () => {
  it.each<[string, (scope: string) => string]>([
    ['exactly the granted scope', scope => scope],
    ['the granted scope in another order', reversed]
  ])('may ask for %s', async (_, asked) => {
    const { app, server } = await harness()
    const granted = await redeemed(app)
    expect(granted.scope.split(' ').sort()).toEqual(['api:read', 'offline_access', 'openid'])
    const form = { grant_type: 'refresh_token', refresh_token: granted.refresh_token, scope: asked(granted.scope) }
    const response = await token(app, 'web', form)
    expect(response.status).toBe(200)
    const refreshed = response.body as Tokens
    expect(refreshed.scope.split(' ').sort()).toEqual(granted.scope.split(' ').sort())
    expect(await server.verifyAccessToken(refreshed.access_token)).toMatchObject({ sub: 'alice' })
    expect((await userinfo(app, refreshed.access_token)).status).toBe(200)
  })
})

describe('max_age 10000', () => {
  it('of a silent second authorization gives the auth_time of the first', async () => {
    const { app, clock, person } = await harness()
    const authTime = async (change: Readonly<Record<string, string>>): Promise<unknown> =>
      decodeJwt((await redeemed(app, 'web', change)).id_token)['auth_time']
    const first = await authTime({ max_age: '15000' })
    expect(first).toBe(person.account?.auth_time)
    clock.now += 5_000_000
    expect(await authTime({ max_age: '10000', prompt: 'none' })).toBe(first)
    clock.now += 5_000_000
    expect(redirected(await authorize(app, { max_age: '10000', prompt: 'none' }))).toMatchObject({ error: 'login_required' })
  })
})

describe('P8: a nonce', () => {
  it.each([64, 384])('of %d characters comes back whole, pushed or not', async length => {
    const nonce = `a-._~${'Zz9'.repeat(length)}`.slice(0, length - 1).concat('!')
    const { app } = await harness()
    const { code = '' } = redirected(await open(app, await pushed(app, { nonce })))
    const ofPushed = await token(app, 'web', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: callback,
      code_verifier
    })
    for (const { id_token } of [await redeemed(app, 'web', { nonce }), ofPushed.body as Tokens])
      expect(decodeJwt(id_token)['nonce']).toBe(nonce)
  })
})

/** An account with every claim of OpenID Connect Core §5.1, as JSON has them. */
const full: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  profile: {
    name: 'Alice Liddell',
    family_name: 'Liddell',
    given_name: 'Alice',
    middle_name: 'Pleasance',
    nickname: 'Al',
    preferred_username: 'alice',
    profile: 'https://people.example/alice',
    picture: 'https://people.example/alice.png',
    website: 'https://alice.example',
    gender: 'female',
    birthdate: '1852-05-04',
    zoneinfo: 'Europe/London',
    locale: 'en-GB',
    updated_at: 1_700_000_000
  },
  email: { email: 'alice@example.com', email_verified: false },
  address: {
    address: {
      formatted: '1 Deanery\nOxford',
      street_address: '1 Deanery',
      locality: 'Oxford',
      region: 'Oxon',
      postal_code: 'OX1 1DP',
      country: 'GB'
    }
  },
  phone: { phone_number: '+44 1865 276150', phone_number_verified: true }
}
const everyClaim = Object.assign({}, ...Object.values(full)) as Readonly<Record<string, unknown>>
const single = Object.entries(full).flatMap(([scope, claims]) =>
  Object.entries(claims).map(([name, value]) => ({ scope, name, value }))
)

describe('userinfo', () => {
  async function tell(scope: string, claims: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { app } = await harness({ claims: () => claims })
    return (await userinfo(app, (await redeemed(app, 'web', { scope }))['access_token'])).body
  }

  it.each(single)('$scope: tells $name, with its type', async ({ scope, name, value }) => {
    expect(await tell(`openid ${scope}`, { [name]: value })).toStrictEqual({ sub: 'alice', [name]: value })
    const others = Object.keys(full).filter(other => other !== scope)
    expect(await tell(`openid ${others.join(' ')}`, everyClaim)).not.toHaveProperty(name)
  })

  it.each(Object.entries(full))('%s: tells all its claims and no others', async (scope, claims) => {
    expect(await tell(`openid ${scope}`, everyClaim)).toStrictEqual({ sub: 'alice', ...claims })
  })

  it('tells everything for all of them together', async () => {
    expect(await tell('openid profile email address phone', everyClaim)).toStrictEqual({ sub: 'alice', ...everyClaim })
  })
})

describe('parameters in another order', () => {
  const scope = 'openid profile email address phone'
  const backwards = (form: string): string => new URLSearchParams([...new URLSearchParams(form)].reverse()).toString()

  it('and scope values too: the same answer, tokens and claims', async () => {
    const { app } = await harness({ claims: () => everyClaim })
    const sent = backwards(authorizationQuery({ scope: reversed(scope), state: 's', nonce: 'n' }))
    expect(sent).toMatch(/^nonce=.*client_id=web$/)
    const { code = '', ...answer } = redirected(await request(app).get(`/oauth2/authorize?${sent}`))
    expect(answer).toMatchObject({ state: 's' })
    const inOrder = await codeForm(app, { scope })
    const response = await token(app, 'web', backwards(new URLSearchParams({ ...inOrder, code }).toString()))
    expect(response.status).toBe(200)
    const tokens = response.body as Tokens
    expect(tokens.scope.split(' ').sort()).toEqual(scope.split(' ').sort())
    expect(decodeJwt(tokens.id_token)).toMatchObject({ sub: 'alice', nonce: 'n' })
    expect((await userinfo(app, tokens.access_token)).body).toStrictEqual({ sub: 'alice', ...everyClaim })
  })
})
