import { beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose'
import type { RegistrationRequest } from '../../../lib/index.ts'
import { callback, type Harness } from '../../support/servers/authorization-server.ts'
import { machine, manage, refusalOf, register, registrationHarness, send, web } from '../../support/servers/registration.ts'

const authority = 'https://directory.example'
let privateKey: CryptoKey
let server: Harness
const asked: RegistrationRequest[] = []
let required: Harness
beforeAll(async () => {
  const pair = await generateKeyPair('ES256')
  ;({ privateKey } = pair)
  const trustedIssuers = [{ issuer: authority, jwks: { keys: [await exportJWK(pair.publicKey)] } }]
  const policy = (request: RegistrationRequest) => void asked.push(request)
  server = await registrationHarness({ softwareStatements: { trustedIssuers }, policy })
  required = await registrationHarness({ softwareStatements: { trustedIssuers, required: true } })
})

const statement = (claims: JWTPayload): Promise<string> =>
  new SignJWT({ iss: authority, ...claims }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)

describe('a software statement', () => {
  it('takes precedence over what is sent beside it, and is returned as it came (RFC 7591 §3.2.1)', async () => {
    const software_statement = await statement({
      software_id: 'approved',
      client_name: 'Approved',
      redirect_uris: [callback],
      anything: 'else'
    })
    const client = await register(server.app, {
      ...web,
      redirect_uris: ['https://evil.example/'],
      client_name: 'Fake',
      tos_uri: 'https://client.example.com/tos',
      software_statement
    })
    expect(client).toMatchObject({
      software_statement,
      software_id: 'approved',
      client_name: 'Approved',
      redirect_uris: [callback],
      tos_uri: 'https://client.example.com/tos'
    })
    expect(client).not.toHaveProperty('anything')
    expect(asked.at(-1)?.softwareStatement).toMatchObject({ iss: authority, anything: 'else' })
  })

  it('is judged like anything else a client says of itself', async () => {
    const software_statement = await statement({ grant_types: ['password'] })
    expect(refusalOf(await send(server.app, { ...web, software_statement }))).toMatchObject({
      status: 400,
      error: 'invalid_client_metadata',
      error_description: expect.stringContaining('grant_types[0]')
    })
  })

  it('says who may sign for the client: a key beside it is a contradiction', async () => {
    const software_statement = await statement({
      jwks_uri: 'https://client.example.com/jwks',
      token_endpoint_auth_method: 'private_key_jwt'
    })
    const sent = {
      ...machine,
      software_statement,
      jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }] }
    }
    expect(refusalOf(await send(server.app, sent))).toMatchObject({
      error: 'invalid_client_metadata',
      error_description: expect.stringContaining('jwks_uri')
    })
  })

  it.each([[null], [7], [[]], ['x'], ['a.b.c']])('%j is invalid', async software_statement => {
    expect(refusalOf(await send(server.app, { ...web, software_statement }))).toMatchObject({
      status: 400,
      error: 'invalid_software_statement'
    })
  })

  it('of anyone else is unapproved', async () => {
    const software_statement = await statement({ iss: 'https://evil.example' })
    expect(refusalOf(await send(server.app, { ...web, software_statement }))).toMatchObject({
      status: 400,
      error: 'unapproved_software_statement'
    })
  })

  it('is needed where the server says so', async () => {
    expect(refusalOf(await send(required.app, web))).toMatchObject({
      status: 400,
      error: 'invalid_software_statement',
      error_description: 'software_statement must be sent'
    })
    await register(required.app, { ...web, software_statement: await statement({}) })
  })
})

describe('an update', () => {
  it('cannot take back what the statement says, though that has expired since', async () => {
    const software_statement = await statement({
      client_name: 'Approved',
      redirect_uris: [callback],
      exp: server.clock.now / 1000 + 60
    })
    const client = await register(server.app, { ...web, software_statement })
    server.clock.now += 3_600_000
    const changed = {
      client_id: client.client_id,
      redirect_uris: ['https://evil.example/'],
      client_name: 'Fake',
      contacts: ['ops@example.com']
    }
    const { status, body } = await manage(server.app, 'put', client, changed)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      software_statement,
      client_name: 'Approved',
      redirect_uris: [callback],
      contacts: ['ops@example.com']
    })
    expect((await manage(server.app, 'get', client)).body).toEqual(body)
    expect((await manage(server.app, 'put', client, { ...changed, software_statement })).body).toEqual(body)
    const expired = await statement({ exp: 1 })
    expect((await manage(server.app, 'put', client, { ...changed, software_statement: expired })).body.error).toBe(
      'invalid_software_statement'
    )
  })

  it('may bring another statement', async () => {
    const client = await register(required.app, { ...web, software_statement: await statement({ client_name: 'First' }) })
    const software_statement = await statement({ client_name: 'Second' })
    const { body } = await manage(required.app, 'put', client, { ...web, client_id: client.client_id, software_statement })
    expect(body).toMatchObject({ client_name: 'Second', software_statement })
  })
})
