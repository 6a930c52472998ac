/** What a client assertion may be addressed to, at every endpoint that authenticates clients. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import request from 'supertest'
import {
  authorizationCode,
  ciba,
  clientCredentials,
  deviceCode,
  type AuthorizationServerOptions,
  type Decision
} from '../../lib/index.ts'
import { authorizationQuery, callback, harness, issuer } from '../support/servers/authorization-server.ts'

const mtlsOrigin = 'https://as.example.com:8443'
const own = ['token', 'par', 'introspect', 'revoke', 'device_authorization', 'bc-authorize'].map(name => `/oauth2/${name}`)
/** What an assertion could once be addressed to. */
const named = ['/oauth2/token', '/oauth2/par', '/oauth2/bc-authorize']
let privateKey: CryptoKey
let jwk: JWK

beforeAll(async () => {
  const pair = await generateKeyPair('ES256')
  privateKey = pair.privateKey
  jwk = await exportJWK(pair.publicKey)
})

async function server(options: Partial<AuthorizationServerOptions>, metadata: object = {}) {
  const decisions: Decision[] = []
  const made = await harness({
    clients: [
      {
        client_id: 'robot',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [jwk] },
        redirect_uris: [callback],
        grant_types: ['authorization_code', 'client_credentials', ...[deviceCode(), ciba()].map(({ grant_type }) => grant_type)],
        scope: 'openid offline_access api:read',
        ...metadata
      }
    ],
    tokenIssuers: [authorizationCode(), clientCredentials(), deviceCode(), ciba()],
    deviceAuthorization: { verificationUri: `${issuer}/device` },
    backchannelAuthentication: { identify: () => 'alice' },
    onDecision: decision => void decisions.push(decision),
    mtlsOrigin,
    ...options
  })
  const form = {
    ...Object.fromEntries(new URLSearchParams(authorizationQuery({ client_id: 'robot' }))),
    grant_type: 'client_credentials',
    token: 'x',
    login_hint: 'alice'
  }
  let jti = 0
  const ask = async (path: string, aud: string) => {
    const client_assertion = await new SignJWT({ jti: `${++jti}` })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('robot')
      .setSubject('robot')
      .setAudience(aud)
      .setExpirationTime(made.clock.now / 1000 + 60)
      .sign(privateKey)
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const { status } = await request(made.app)
      .post(path)
      .type('form')
      .send({ ...form, client_assertion, client_assertion_type })
    const audience = decisions.at(-1)?.checks.find(({ check }) => check === 'audience')
    return { refused: status === 401, outcome: audience?.outcome, fix: audience?.fix }
  }
  return { ask }
}

describe('an assertion addressed to the endpoint for tokens, pushed requests or backchannel authentication', () => {
  it.each(own)('is accepted at %s under report and legacy, whichever it names', async path => {
    for (const assertionAudience of ['report', 'legacy'] as const) {
      const { ask } = await server({ assertionAudience })
      for (const aud of named.flatMap(path => [issuer + path, mtlsOrigin + path]))
        expect([aud, await ask(path, aud)]).toMatchObject([
          aud,
          { refused: false, outcome: assertionAudience === 'report' ? 'report' : 'pass' }
        ])
    }
  })

  it.each(own)('is refused at %s where the issuer alone will do, and the fix names what helps', async path => {
    const { ask } = await server({})
    for (const earlier of named)
      expect(await ask(path, issuer + earlier)).toMatchObject({
        refused: true,
        outcome: 'fail',
        fix: expect.stringContaining('"report"')
      })
    expect(await ask(path, issuer)).toMatchObject({ refused: false, outcome: 'pass' })
  })

  it('is accepted of one client that was not moved yet', async () => {
    const { ask } = await server({}, { assertion_audience: 'report' })
    for (const path of own) expect(await ask(path, `${issuer}/oauth2/par`)).toMatchObject({ refused: false, outcome: 'report' })
  })

  it.each([
    `${issuer}/oauth2/authorize`,
    `${issuer}/oauth2/userinfo`,
    `${issuer}/oauth2/register`,
    `${issuer}/oauth2/introspect`,
    `${issuer}/oauth2/revoke`,
    `${issuer}/oauth2/device_authorization`,
    `${issuer}/oauth2/par/`,
    `${issuer}/acme/oauth2/par`,
    'https://elsewhere.example/oauth2/par'
  ])('is none where it says %s', async aud => {
    const { ask } = await server({ assertionAudience: 'legacy' })
    expect(await ask('/oauth2/par', aud)).toMatchObject({
      refused: true,
      outcome: 'fail',
      fix: 'Send the issuer as the only aud.'
    })
  })
})
