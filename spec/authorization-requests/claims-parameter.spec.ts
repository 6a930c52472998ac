/** Every claim of the metadata, asked for one by one (OpenID Connect Core §5.5): it comes where it was asked for, and nowhere else. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decodeJwt } from 'jose'
import request from 'supertest'
import { InvalidRequestError, type AuthorizationServerOptions } from '../../lib/index.ts'
import { readClaimsParameter } from '../../lib/authorization-requests/claims-parameter.ts'
import { asking, resume } from '../support/servers/asking-server.ts'
import {
  callback,
  code_verifier,
  codeForm,
  harness,
  redirected,
  token,
  userinfo
} from '../support/servers/authorization-server.ts'

/** What a person may be asked for, as OpenID Connect Core §5.1 types it. */
const person: Readonly<Record<string, unknown>> = {
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
  updated_at: 1_700_000_000,
  email: 'alice@example.com',
  email_verified: false,
  address: { country: 'GB' },
  phone_number: '+44 1865 276150',
  phone_number_verified: true
}
/** What an ID Token says of itself. */
const ofTheToken = ['sub', 'iss', 'auth_time', 'acr']
const names = Object.keys(person)
const options: Partial<AuthorizationServerOptions> = { claims: () => ({ ...person, secret_note: 'never told' }) }

/** What a client learns that asks with the scope `openid` alone, of a person who agrees. */
async function learned(claims: object): Promise<{ userinfo: object; id_token: Record<string, unknown> }> {
  const h = await asking(options, 'urn:pwd')
  await codeForm(h.app, { scope: 'openid', claims: JSON.stringify(claims) }).catch(() => undefined)
  const { code = '' } = redirected(await resume(h.app, h.prompts.at(-1)?.id, { consent: true }))
  const { body } = await token(h.app, 'web', { grant_type: 'authorization_code', code, code_verifier, redirect_uri: callback })
  const { access_token, id_token } = body as { access_token: string; id_token: string }
  return { userinfo: (await userinfo(h.app, access_token)).body as object, id_token: decodeJwt(id_token) }
}

describe('claims_supported', () => {
  it('is every claim a client can get, and what an ID Token says of itself', async () => {
    const { app } = await harness()
    const { body } = await request(app).get('/.well-known/openid-configuration')
    const { claims_supported, claims_parameter_supported } = body as Record<string, string[]>
    expect([...(claims_supported ?? [])].sort()).toEqual([...ofTheToken, ...names].sort())
    expect(claims_parameter_supported).toBe(true)
  })

  it('has no claims of scopes the server does not have', async () => {
    const { app } = await harness({ scopes: ['openid', 'email'] })
    const { body } = await request(app).get('/.well-known/openid-configuration')
    expect((body as Record<string, unknown>)['claims_supported']).toEqual([...ofTheToken, 'email', 'email_verified'])
  })
})

describe('every claim', () => {
  it.each([null, { essential: true }, { essential: false }])('comes in userinfo where it was asked for there: %j', async how => {
    const told = await learned({ userinfo: Object.fromEntries(names.map(name => [name, how])) })
    expect(told.userinfo).toStrictEqual({ sub: 'alice', ...person })
    for (const name of names) expect(told.id_token).not.toHaveProperty(name)
  })

  it.each([null, { essential: true }])('comes in the ID Token where it was asked for there: %j', async how => {
    const told = await learned({ id_token: Object.fromEntries([...names, ...ofTheToken].map(name => [name, how])) })
    expect(told.id_token).toMatchObject({ ...person, sub: 'alice', acr: 'urn:pwd', auth_time: expect.any(Number) })
    expect(told.userinfo).toStrictEqual({ sub: 'alice' })
  })

  it.each(names)('comes alone: %s', async name => {
    const told = await learned({ userinfo: { [name]: { essential: true } }, id_token: { [name]: null } })
    expect(told.userinfo).toStrictEqual({ sub: 'alice', [name]: person[name] })
    expect(names.filter(other => other in told.id_token)).toEqual([name])
  })

  it('comes beside unknown ones, which are no error and never come', async () => {
    const unknown = { 'https://example.com/claim': { essential: true }, secret_note: null, constructor: null, __proto__: null }
    const told = await learned({
      userinfo: { ...unknown, name: null },
      id_token: { ...unknown, email: null },
      verified_claims: {}
    })
    expect(told.userinfo).toStrictEqual({ sub: 'alice', name: person['name'] })
    expect(JSON.stringify(told)).not.toContain('never told')
  })
})

describe('reading the parameter', () => {
  it('refuses what it cannot read, and nothing else happens', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map(value => JSON.stringify({ userinfo: value }))
        ),
        text => {
          try {
            const { claims } = readClaimsParameter(text, names)
            for (const asked of [...(claims?.userinfo ?? []), ...(claims?.id_token ?? [])]) expect(names).toContain(asked)
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidRequestError)
          }
        }
      )
    )
  })
})
