/** FAPI-CIBA as the conformance suite's `fapi-ciba-id1` asks for it, poll mode: signed requests, certificate-bound tokens, PS256. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { authorizationCode, ciba } from 'clientele'
import type { Request } from 'express'
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import * as client from 'openid-client'
import { certificateBound, holdingCertificate, registering } from '../support/journeys/bound.ts'
import { api, keyParty } from '../support/journeys/clients.ts'
import { discover, refusal } from '../support/journeys/openid-client.ts'
import { alice, startServer, type RunningServer } from '../support/journeys/server.ts'
import { serverKeys } from '../support/keys/made-keys.ts'

const grant_type = 'urn:openid:params:grant-type:ciba'
const bank = registering(certificateBound(holdingCertificate(await keyParty('bank', 'PS256'))), {
  grant_types: [grant_type],
  response_types: [],
  backchannel_token_delivery_mode: 'poll',
  backchannel_authentication_request_signing_alg: 'PS256',
  id_token_signed_response_alg: 'PS256'
})
const { key, kid } = bank.key
const invalidRequest = { status: 400, error: 'invalid_request' }

let server: RunningServer
let config: client.Configuration
let polling: client.Configuration

beforeAll(async () => {
  server = await startServer({
    clients: [bank],
    listeners: 'aliases',
    options: {
      keys: await serverKeys(['PS256', 'RS256']),
      assertionAudience: 'legacy',
      tokenIssuers: [authorizationCode(), ciba()],
      backchannelAuthentication: {
        identify: hint => ('login_hint' in hint && hint.login_hint === 'alice@example.com' ? alice : undefined),
        interval: 1
      }
    }
  })
  config = await addressing('/oauth2/bc-authorize')
  polling = await addressing('/oauth2/token')
})
afterAll(() => server.close())

/** Whose assertions name the endpoint they are sent to (CIBA Core §7.1). */
async function addressing(path: string): Promise<client.Configuration> {
  const auth = client.PrivateKeyJwt(bank.key, {
    [client.modifyAssertion](_header, payload) {
      payload['aud'] = server.issuer + path
    }
  })
  return discover(server, bank, { auth })
}

const now = () => Math.floor(Date.now() / 1000)

function signed(change: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const claims = {
    iss: bank.client_id,
    aud: server.issuer,
    iat: now(),
    nbf: now(),
    exp: now() + 300,
    jti: randomUUID(),
    scope: 'openid api:read',
    resource: api,
    login_hint: 'alice@example.com',
    binding_message: '1234',
    ...change
  }
  return new SignJWT(claims).setProtectedHeader({ alg: 'PS256', kid }).sign(key)
}

const ask = async (change?: Readonly<Record<string, unknown>>) =>
  client.initiateBackchannelAuthentication(config, { request: await signed(change) })

/** Alice agrees to what she was asked last. */
async function approve(): Promise<void> {
  const account = { sub: alice, auth_time: now() - 5 }
  const [newest] = await server.server.backchannel.pending(account)
  // where a decision comes from matters to `onError` alone
  expect(await server.server.backchannel.approve({} as unknown as Request, newest?.id ?? '', account)).toBe(true)
}

describe('a bank', () => {
  it('finds in the metadata what it needs', () => {
    const { mtls_endpoint_aliases = {}, ...metadata } = config.serverMetadata()
    expect(metadata).toMatchObject({
      backchannel_token_delivery_modes_supported: ['poll', 'ping', 'push'],
      backchannel_authentication_request_signing_alg_values_supported: expect.arrayContaining(['PS256', 'ES256']),
      grant_types_supported: expect.arrayContaining([grant_type]),
      tls_client_certificate_bound_access_tokens: true
    })
    expect(mtls_endpoint_aliases).toMatchObject({
      token_endpoint: `${String(server.mtlsOrigin)}/oauth2/token`,
      backchannel_authentication_endpoint: `${String(server.mtlsOrigin)}/oauth2/bc-authorize`
    })
  })

  it.each([
    ['without requested_expiry', undefined, 120],
    ['with requested_expiry as a number', 30, 30],
    ['with requested_expiry as a string', '30', 30]
  ])('signs its request %s, polls, and gets bound tokens', async (_name, requested_expiry, expires_in) => {
    const asked = await ask({ requested_expiry })
    expect(asked).toMatchObject({ expires_in, interval: 1 })
    expect(Buffer.from(asked.auth_req_id.split('.')[1] ?? '', 'base64url').length * 8).toBeGreaterThanOrEqual(160)
    await approve()
    const tokens = await client.pollBackchannelAuthenticationGrant(polling, asked)
    expect(decodeProtectedHeader(tokens.id_token ?? '')).toMatchObject({ alg: 'PS256', kid: expect.any(String) })
    expect(decodeJwt(tokens.access_token)).toMatchObject({ sub: alice, cnf: { 'x5t#S256': bank.certificate.thumbprint } })
  })

  it('is told when the time it asked for is over', async () => {
    const asked = await ask({ requested_expiry: 1 })
    const late = client.pollBackchannelAuthenticationGrant(polling, { ...asked, expires_in: 60 })
    expect(await refusal(late)).toEqual({ status: 400, error: 'expired_token' })
  })

  it.each<[string, () => Record<string, unknown>]>([
    ['without aud', () => ({ aud: undefined })],
    ['without iss', () => ({ iss: undefined })],
    ['without exp', () => ({ exp: undefined })],
    ['without iat', () => ({ iat: undefined })],
    ['without nbf', () => ({ nbf: undefined })],
    ['without jti', () => ({ jti: undefined })],
    ['for somebody else', () => ({ aud: 'https://elsewhere.example' })],
    ['that has expired', () => ({ nbf: now() - 600, exp: now() - 300 })],
    ['that lives longer than an hour', () => ({ exp: now() + 4200 })],
    ['that is older than an hour', () => ({ nbf: now() - 4200 })]
  ])('is refused a request %s', async (_name, change) => {
    expect(await refusal(ask(change()))).toEqual(invalidRequest)
  })

  it('is refused a request that is not signed, or has a hint beside it', async () => {
    const plain = { scope: 'openid', login_hint: 'alice@example.com' }
    expect(await refusal(client.initiateBackchannelAuthentication(config, plain))).toEqual(invalidRequest)
    const beside = { request: await signed(), login_hint: 'alice@example.com' }
    expect(await refusal(client.initiateBackchannelAuthentication(config, beside))).toEqual(invalidRequest)
  })

  it('is refused tokens without its certificate, and does not lose them by that', async () => {
    const asked = await ask()
    await approve()
    const { certificate, ...bare } = bank
    expect(certificate.thumbprint).toMatch(/^[\w-]{43}$/)
    const without = await discover(server, bare)
    expect(await refusal(client.pollBackchannelAuthenticationGrant(without, asked))).toEqual(invalidRequest)
    expect(decodeJwt((await client.pollBackchannelAuthenticationGrant(polling, asked)).access_token)).toMatchObject({
      sub: alice
    })
  })
})
