/** What an operator reads of a refused request says what was in it. */
import { describe, expect, it } from '@jest/globals'
import { OAuthError, RequestAbortedError, type AuthorizationServerOptions, type Decision } from 'clientele'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import request from 'supertest'
import { authorize, callback, codeForm, harness, issuer, token } from '../support/servers/authorization-server.ts'
import { makeCertificate } from '../support/certificates/certificates.ts'
import { makeKey, sign } from '../strategies/assertions.ts'

const own = makeCertificate()
const key = await makeKey('RS256', { kid: 'k' })

async function watched(options: Partial<AuthorizationServerOptions> = {}) {
  const decisions: Decision[] = []
  const world = await harness({
    clients: [
      { client_id: 'keyed', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] }, redirect_uris: [callback] },
      {
        client_id: 'web',
        client_secret: 'secret of web',
        redirect_uris: [callback],
        scope: 'openid api:read',
        grant_types: ['authorization_code', 'client_credentials', 'refresh_token']
      },
      { client_id: 'spa', token_endpoint_auth_method: 'none', redirect_uris: [callback] }
    ],
    onDecision: decision => void decisions.push(decision),
    ...options
  })
  const failed = () => decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')
  const reason = () => {
    const error = world.errors.at(-1)
    return error instanceof OAuthError ? error.reason : error
  }
  return { ...world, decisions, failed, reason }
}

const grant = { grant_type: 'client_credentials' }
const send = (app: Parameters<typeof request>[0], form: object) => request(app).post('/oauth2/token').type('form').send(form)

describe('a client that used another method than its own', () => {
  it('and sent its client_id alone is told of as that', async () => {
    const { app, decisions, failed } = await watched()
    expect((await send(app, { ...grant, client_id: 'keyed' })).status).toBe(401)
    expect(decisions).toMatchObject([{ method: 'none' }])
    expect(failed()).toMatchObject({ check: 'registered_method', expected: 'private_key_jwt', received: 'none' })
    expect(failed()?.fix).not.toContain('allow it this method')
  })

  it('and sent no certificate where certificates alone are accepted is not said to have sent one', async () => {
    const { app, failed } = await watched({
      certificateMethods: true,
      endpointAuthMethods: { token: ['tls_client_auth', 'self_signed_tls_client_auth'] }
    })
    expect((await send(app, { ...grant, client_id: 'keyed' })).status).toBe(401)
    expect(failed()).toMatchObject({ expected: 'private_key_jwt', received: 'a client_id alone, without a certificate' })
  })

  it('and sent a certificate is told of by the kind it is', async () => {
    const { app, failed } = await watched({ certificateSource: () => ({ der: own.der, verified: false }) })
    expect((await send(app, { ...grant, client_id: 'keyed' })).status).toBe(401)
    expect(failed()).toMatchObject({ expected: 'private_key_jwt', received: 'self_signed_tls_client_auth' })
  })

  it('and whose certificate cannot be read is refused all the same', async () => {
    const { app, failed } = await watched({
      certificateSource: () => {
        throw new Error('no certificate')
      }
    })
    expect((await send(app, { ...grant, client_id: 'keyed' })).status).toBe(401)
    expect(failed()).toMatchObject({ check: 'registered_method' })
  })

  it.each([
    ['RS256', 'private_key_jwt'],
    ['HS256', 'client_secret_jwt']
  ])('and signed with %s is told of as %s', async (alg, method) => {
    const { app, decisions, failed } = await watched()
    const now = 1_800_000_000
    const claims = { iss: 'web', sub: 'web', aud: issuer, jti: alg, iat: now, exp: now + 60 }
    const client_assertion = await sign(alg === 'HS256' ? 'a secret of thirty-two bytes or so' : key.privateKey, { alg }, claims)
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    expect((await send(app, { ...grant, client_assertion, client_assertion_type })).status).toBe(401)
    expect([decisions.at(-1)?.method, failed()]).toMatchObject([method, { expected: 'client_secret_basic', received: method }])
  })

  it('and is public is not told to allow itself another', async () => {
    const { app, failed } = await watched()
    expect((await send(app, { ...grant, client_id: 'spa', client_secret: 'x' })).status).toBe(401)
    expect(failed()).toMatchObject({ expected: 'none', received: 'client_secret_post', fix: expect.stringContaining('public') })
    expect(failed()?.fix).not.toContain('allow it')
  })
})

describe('the reason', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  it.each([
    [{ typ: 'dpop+jwt', alg: 'RS256' }, {}, /^alg is RS256, not one of ES256/],
    [{ typ: 'dpop+jwt', alg: 'none' }, {}, /^alg is none, not one of/],
    [{ typ: 'dpop+jwt' }, {}, /^alg is missing, not one of/],
    [{ typ: 'dpop+jwt', alg: 7 }, {}, /^alg is a number, not one of/],
    [{ typ: 'dpop+jwt', alg: 'a\nb' }, {}, /^alg is a\ufffdb, not one of/],
    [{ typ: 'JWT', alg: 'ES256' }, {}, /^typ is JWT, not dpop\+jwt$/]
  ])('of a DPoP proof with the header %p names it', async (header, claims, expected) => {
    const { app, reason } = await watched()
    const response = await token(app, 'web', grant).set('DPoP', `${part(header)}.${part(claims)}.AAAA`)
    expect([response.status, response.body.error]).toEqual([400, 'invalid_dpop_proof'])
    expect(reason()).toMatch(expected)
  })

  it('of a redirect URI that is not registered names both', async () => {
    const { app, reason } = await watched()
    expect((await authorize(app, { redirect_uri: 'https://client.example.com/other' })).status).toBe(400)
    expect(reason()).toBe(`asked for https://client.example.com/other, registered ${callback}`)
  })

  it.each([
    ['https://client.example.com/other', `redirect_uri is https://client.example.com/other; the code was sent to ${callback}`],
    [undefined, `redirect_uri is missing; the code was sent to ${callback}`]
  ])('of a code redeemed with the redirect URI %p names both', async (redirect_uri, expected) => {
    const { app, reason } = await watched()
    const { code, grant_type, code_verifier } = await codeForm(app, { scope: 'openid' })
    const sent = { code, grant_type, code_verifier, ...(redirect_uri !== undefined && { redirect_uri }) }
    expect((await token(app, 'web', sent)).body.error).toBe('invalid_grant')
    expect(reason()).toBe(expected)
  })

  it.each([
    ['openid', 'about a person, of whom client_credentials knows none: openid'],
    ['api:write', 'not available: api:write; the client may have openid api:read'],
    ['api:read  openid', 'scope is "api:read  openid"'],
    ['api:readé', 'scope is "api:read?"']
  ])('of the scope %p names it', async (scope, expected) => {
    const { app, reason } = await watched()
    expect((await token(app, 'web', { ...grant, scope })).body.error).toBe('invalid_scope')
    expect(reason()).toBe(expected)
  })

  it('of a scope at the authorization endpoint names it', async () => {
    const { app, reason } = await watched()
    await authorize(app, { scope: 'openid api:write' })
    expect(reason()).toBe('not available: api:write; the client may have openid api:read')
  })
})

describe('a body that is broken off', () => {
  it.each([
    ['/oauth2/token', 'application/x-www-form-urlencoded'],
    ['/oauth2/authorize', 'application/x-www-form-urlencoded'],
    ['/oauth2/par', 'application/x-www-form-urlencoded'],
    ['/oauth2/register', 'application/json']
  ])('at %s is told once, as what it is and without a stack, and shown to nobody', async (path, type) => {
    let shown = 0
    const world = await watched({ registration: { access: 'open' } })
    const { app, errors } = world
    app.use(() => shown++)
    const server = createServer(app)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const begun = once(server, 'request')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 100\r\n\r\nclient_id=web`)
    await begun
    socket.destroy()
    for (let waited = 0; errors.length === 0 && waited < 50; waited++) await new Promise(resolve => setTimeout(resolve, 10))
    server.close()
    const [error] = errors
    expect(errors).toHaveLength(1)
    expect(error).toBeInstanceOf(RequestAbortedError)
    expect(error).toMatchObject({
      status: 400,
      error: 'invalid_request',
      stack: 'RequestAbortedError: the request body ended early'
    })
    expect(shown).toBe(0)
  })
})
