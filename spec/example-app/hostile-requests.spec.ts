/** What a hostile caller writes on the wire: targets and headers no library sends, and every kind of refused request. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { freePort, startServer, stop, type HostedServer } from './running-server.ts'

const secret = 'secret of machine'
const credential = `Authorization: Basic ${Buffer.from(`machine:${secret}`).toString('base64')}`
const body = 'grant_type=client_credentials'

let port: number
let issuer: string
let server: HostedServer
let key: { readonly privateKey: CryptoKey; readonly jwk: JWK }

beforeAll(async () => {
  port = await freePort()
  issuer = `http://localhost:${port}/as`
  const machine = { client_id: 'machine', client_secret: secret, grant_types: ['client_credentials'] }
  server = await startServer({ issuer, clients: [machine], policy: { failure_budget: 'off' } })
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  key = { privateKey, jwk: await exportJWK(publicKey) }
})
afterAll(() => stop(server))

/** The answer to exactly these lines. */
function written(...lines: readonly string[]): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`))
    socket.on('data', data => (answer += data.toString()))
    socket.once('error', reject)
    socket.once('close', () => resolve({ status: Number(answer.split(' ')[1]), text: answer.split('\r\n\r\n')[1] ?? '' }))
  })
}

const form = ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`]

function proof(jti: string): Promise<string> {
  return new SignJWT({ htm: 'POST', htu: `${issuer}/oauth2/token`, jti })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk })
    .setIssuedAt()
    .sign(key.privateKey)
}

describe('the address of a request', () => {
  it.each([
    ['another host', 'POST /as/oauth2/token HTTP/1.1', 'Host: evil.example'],
    ['an absolute target elsewhere', 'POST http://evil.example/as/oauth2/token HTTP/1.1', 'Host: evil.example'],
    ['forwarding headers nobody is trusted with', 'POST /as/oauth2/token HTTP/1.1', 'Host: x\r\nX-Forwarded-Host: evil.example'],
    ['no host at all', 'POST /as/oauth2/token HTTP/1.0', 'X-Nothing: here']
  ])('is what the configuration says, for %s', async (name, target, host) => {
    const answer = await written(target, host, credential, `DPoP: ${await proof(name)}`, ...form)
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"token_type":"DPoP"') })
  })
})

describe('a header', () => {
  it('of a credential that stands there twice is refused, the same one too', async () => {
    for (const second of [credential, 'Authorization: Bearer x'])
      expect(await written('POST /as/oauth2/token HTTP/1.1', 'Host: x', credential, second, ...form)).toMatchObject({
        status: 400,
        text: expect.stringContaining('"invalid_request"')
      })
  })

  it('of a proof that stands there twice is refused', async () => {
    const proofs = [`DPoP: ${await proof('first')}`, `DPoP: ${await proof('second')}`]
    expect(await written('POST /as/oauth2/token HTTP/1.1', 'Host: x', credential, ...proofs, ...form)).toMatchObject({
      status: 400,
      text: expect.stringContaining('"invalid_dpop_proof"')
    })
  })
})

describe('every refusal', () => {
  const accept = ['text/html', 'image/png', 'text/html;q=1, application/json;q=0']
  it.each<[number, string, RequestInit]>([
    [405, 'oauth2/token', {}],
    [405, 'oauth2/introspect', {}],
    [415, 'oauth2/token', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }],
    [
      415,
      'oauth2/token',
      { method: 'POST', body, headers: { 'content-type': form[0]?.slice(14) ?? '', 'content-encoding': 'gzip' } }
    ],
    [413, 'oauth2/token', { method: 'POST', body: new URLSearchParams({ x: 'a'.repeat(200_000) }) }],
    [400, 'oauth2/token', { method: 'POST', body: new URLSearchParams('scope=%00') }],
    [
      400,
      'oauth2/token',
      { method: 'POST', body: new URLSearchParams(Array.from({ length: 2000 }, (_, at) => `p${at}=`).join('&')) }
    ],
    [401, 'oauth2/token', { method: 'POST', body: new URLSearchParams(body) }],
    [401, 'oauth2/par', { method: 'POST', body: new URLSearchParams() }],
    [401, 'oauth2/revoke', { method: 'POST', body: new URLSearchParams({ token: 'x' }) }],
    [401, 'oauth2/device_authorization', { method: 'POST', body: new URLSearchParams() }],
    [401, 'oauth2/bc-authorize', { method: 'POST', body: new URLSearchParams() }],
    [401, 'oauth2/userinfo', {}],
    [401, 'api/whoami', {}]
  ])('%i of %s is an error in JSON that nobody keeps, whatever is accepted', async (status, path, init) => {
    for (const accepted of accept) {
      const answer = await fetch(`${issuer}/${path}`, { ...init, headers: { ...(init.headers as object), accept: accepted } })
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([status, 'no-store'])
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
      expect(await answer.json()).toMatchObject({
        error: expect.stringMatching(/^[a-z_]+$/),
        error_description: expect.stringMatching(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
      })
    }
  })
})
