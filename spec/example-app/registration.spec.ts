/** The example app's registration, as a process: off, for whoever has the token, or for everyone, each tenant for itself. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { checkConfig } from '../../example-app/config/config.ts'
import { configFile, failedStart, freePort, type HostedServer, startServer, stop } from './running-server.ts'

let issuer: string
let server: HostedServer

beforeAll(async () => {
  issuer = `http://localhost:${await freePort()}`
  server = await startServer({
    issuer,
    policy: { registration: 'token', initial_access_token: 'let-me-in' },
    tenants: [
      { path: '/open', policy: { registration: 'open' } },
      {
        path: '/few',
        policy: { registration: 'open', registration_grant_types: ['authorization_code'], registration_schemes: ['cursor'] }
      },
      { path: '/shut', policy: {} }
    ]
  })
})
afterAll(() => stop(server))

const metadataOf = async (base: string) =>
  (await (await fetch(`${base}/.well-known/openid-configuration`)).json()) as Record<string, string>

async function register(base: string, body: object, token?: string) {
  const { registration_endpoint = '' } = await metadataOf(base)
  const headers = { 'Content-Type': 'application/json', ...(token !== undefined && { Authorization: `Bearer ${token}` }) }
  const response = await fetch(registration_endpoint, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

async function tokenOf(base: string, { client_id, client_secret }: Record<string, string>): Promise<number> {
  const { token_endpoint = '' } = await metadataOf(base)
  const Authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'api:read' })
  return (await fetch(token_endpoint, { method: 'POST', headers: { Authorization }, body })).status
}

const machine = { grant_types: ['client_credentials'], response_types: [], scope: 'api:read' }

describe('registration', () => {
  it('is in the metadata of those issuers that have it', async () => {
    expect((await metadataOf(issuer))['registration_endpoint']).toBeDefined()
    expect((await metadataOf(`${issuer}/open`))['registration_endpoint']).toBeDefined()
    expect((await metadataOf(`${issuer}/shut`))['registration_endpoint']).toBeUndefined()
  })

  it('needs the initial access token where the policy says so, and the client works at once', async () => {
    expect((await register(issuer, machine)).status).toBe(401)
    expect((await register(issuer, machine, 'let-me-inn')).status).toBe(401)
    const { status, body } = await register(issuer, machine, 'let-me-in')
    expect(status).toBe(201)
    expect(await tokenOf(issuer, body)).toBe(200)
  })

  it('is for everyone where it is open, and its clients are no other issuer’s', async () => {
    const { status, body } = await register(`${issuer}/open`, machine)
    expect(status).toBe(201)
    expect(await tokenOf(`${issuer}/open`, body)).toBe(200)
    expect(await tokenOf(issuer, body)).toBe(401)
  })

  it('is for the grants and schemes the policy says', async () => {
    const cursor = { redirect_uris: ['cursor://anysphere.cursor-retrieval/cb'] }
    expect((await register(`${issuer}/few`, cursor)).status).toBe(201)
    expect((await register(`${issuer}/few`, machine)).body['error']).toBe('invalid_client_metadata')
    expect((await register(`${issuer}/open`, cursor)).body['error']).toBe('invalid_redirect_uri')
  })

  it('says at start that anyone may register for grants no person decides on', () => {
    const warningsOf = (policy: object) => checkConfig({ issuer: 'http://localhost:3000', policy }, '.').warnings
    expect(warningsOf({ registration: 'open' })).toEqual([
      expect.stringMatching(/^policy\.registration_grant_types lets anyone register .*: client_credentials, /)
    ])
    expect(warningsOf({ registration: 'open', registration_grant_types: ['authorization_code', 'refresh_token'] })).toEqual([])
    expect(warningsOf({ registration: 'token', initial_access_token: 'x' })).toEqual([])
  })

  it.each(['javascript', 'data', 'https'])('never lets the scheme %s in', async scheme => {
    const policy = { registration: 'open', registration_schemes: [scheme] }
    const { code, stderr } = await failedStart({ CONFIG: configFile({ issuer, policy }) })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^policy\.registration_schemes\[0\] must be a private-use scheme[^\n]*\n$/)
    ])
  })

  it('has room for everybody behind one proxy', async () => {
    const { registration_endpoint = '' } = await metadataOf(`${issuer}/few`)
    const body = JSON.stringify({ redirect_uris: ['https://client.example/cb'] })
    const headers = { 'Content-Type': 'application/json' }
    const registered = async () => (await fetch(registration_endpoint, { method: 'POST', headers, body })).status
    for (let round = 0; round < 15; round++)
      expect(new Set(await Promise.all(Array.from({ length: 20 }, registered)))).toEqual(new Set([201]))
  })

  it('can be read and ended with its own token', async () => {
    const { body } = await register(`${issuer}/open`, machine)
    const { registration_client_uri = '', registration_access_token = '' } = body
    const headers = { Authorization: `Bearer ${registration_access_token}` }
    expect((await fetch(registration_client_uri, { headers })).status).toBe(200)
    expect((await fetch(registration_client_uri, { headers, method: 'DELETE' })).status).toBe(204)
    expect((await fetch(registration_client_uri, { headers })).status).toBe(401)
    expect(await tokenOf(`${issuer}/open`, body)).toBe(401)
  })

  it.each([
    [{ registration: 'open', profile: 'fapi2-security' }, 'policy.registration must be "off" or "token"'],
    [{ registration: 'token' }, 'policy.initial_access_token must be given'],
    [{ registration: 'anyone' }, 'policy.registration must be '],
    [{ registration_grant_types: ['password'] }, 'policy.registration_grant_types[0] must be'],
    [{ registration_schemes: 'cursor' }, 'policy.registration_schemes must be a list']
  ])('%j does not start', (policy, message) => {
    expect(() => checkConfig({ issuer: 'http://localhost:3000', policy }, '.')).toThrow(message)
  })
})
