import { describe, expect, it, jest } from '@jest/globals'
import { unknownMembers } from '../../../lib/clients/metadata/read.ts'
import { clientRegistry, toClient, type ClientMetadata } from '../../../lib/clients/client.ts'

const base: ClientMetadata = { client_id: 'a', client_secret: 's' }
const withMembers = (members: Readonly<Record<string, unknown>>) => () => toClient({ ...base, ...members }, 'clients[3]')

describe('a member that is like a known one', () => {
  it.each([
    ['redirect_uri', 'redirect_uris'],
    ['redirectUris', 'redirect_uris'],
    ['grant_type', 'grant_types'],
    ['grantTypes', 'grant_types'],
    ['scopes', 'scope'],
    ['jwk', 'jwks'],
    ['jwks_url', 'jwks_uri'],
    ['token_endpoint_auth_methods', 'token_endpoint_auth_method'],
    ['dpop_bound_acces_tokens', 'dpop_bound_access_tokens'],
    ['tls-client-auth-san-dns', 'tls_client_auth_san_dns']
  ])('%s is refused, and the right one named: %s', (member, meant) => {
    expect(withMembers({ [member]: 'x' })).toThrow(
      `clients[3].${member} must be named ${meant}: client metadata has no such member`
    )
  })

  it('is an application’s own where the known one is there too', () => {
    expect(withMembers({ scope: 'read', scopes: ['read'] })()).toMatchObject({ scopes: ['read'] })
  })
})

describe('a member nobody knows', () => {
  it.each(['request_uris', 'frontchannel_logout_session_required', 'id_token_encrypted_response_alg', 'team'])(
    '%s is kept, and warned about once',
    member => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
      for (const value of ['x', 'y']) expect(withMembers({ [member]: value })()).toMatchObject({ [member]: value })
      expect(warn.mock.calls).toEqual([[`client metadata "${member}" is not known and has no effect`, 'ClienteleWarning']])
      warn.mockRestore()
    }
  )
})

it('says nothing of a name in another language, which is known', () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  const members = { 'client_name#sv': 'Räkningar', 'tos_uri#de-AT': 'https://a.example/at' }
  expect(withMembers(members)()).toMatchObject(members)
  expect(warn).not.toHaveBeenCalled()
  expect(unknownMembers({ ...base, ...members, 'scope#sv': 'x' })).toEqual([{ member: 'scope#sv', meant: undefined }])
  warn.mockRestore()
})

describe('a federated credential', () => {
  const issuer = 'https://platform.example'
  const withCredential = (credential: object) => withMembers({ federated_credentials: [{ issuer, ...credential }] })

  it.each([
    ['claim', 'claims', { subject: 's' }],
    ['Claims', 'claims', { subject: 's' }],
    ['audiences', 'audience', { subject: 's' }],
    ['aud', 'audience', { subject: 's' }],
    ['sub', 'subject', { claims: { ref: 'main' } }],
    ['iss', 'issuer', { subject: 's', issuer: null }],
    ['claim', 'claims', { subject: 's', claims: { ref: 'main' } }]
  ])('is refused where %s would make its rule another than was meant: %s', (member, meant, rule) => {
    const path = `clients[3].federated_credentials[0].${member}`
    expect(withCredential({ [member]: 'x', ...rule })).toThrow(
      `${path} must be named ${meant}: client metadata has no such member`
    )
    const credentials = [{ type: 'federated', id: 'f', issuer, [member]: 'x', ...rule }]
    expect(withMembers({ credentials })).toThrow(`clients[3].credentials[0].${member} must be named ${meant}`)
  })

  it.each(['tid', 'sid', 'note', 'id2'])('is not refused for %s, which is like no member: that is warned about', member => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    expect(withCredential({ subject: 's', [member]: 'x' })()).toMatchObject({ federated_credentials: [{ issuer, subject: 's' }] })
    const credentials = [{ type: 'federated', id: 'f', issuer, subject: 's', [member]: 'x' }]
    expect(withMembers({ credentials })).not.toThrow()
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      `client metadata "federated_credentials[0].${member}" is not known and has no effect`,
      `client metadata "credentials[0].${member}" is not known and has no effect`
    ])
    warn.mockRestore()
  })

  it('may have members that nobody knows: they are left out, and warned about once', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const known = { issuer, subject: 's' }
    const made = withCredential({ subject: 's', description: 'the job', toString: 1 })
    for (let times = 0; times < 2; times++) expect(made()).toMatchObject({ federated_credentials: [known] })
    expect(made().federated_credentials).toEqual([known])
    expect(warn.mock.calls.map(([text]) => text)).toEqual(
      ['description', 'toString'].map(name => `client metadata "federated_credentials[0].${name}" is not known and has no effect`)
    )
    warn.mockRestore()
  })
})

describe('rows of a database', () => {
  interface ClientRow {
    client_id: string
    client_secret: string | null
    client_name: string | null
    redirect_uris: string[] | null
    scope: string | null
    created_at: Date
  }

  it('are clients as they are, typed by an interface of their own', async () => {
    const row: ClientRow = {
      client_id: 'a',
      client_secret: 's',
      client_name: null,
      redirect_uris: null,
      scope: 'read',
      created_at: new Date(0)
    }
    const registry = clientRegistry(() => row)
    expect(await registry.find('a')).toMatchObject({ client_id: 'a', scope: 'read', redirect_uris: [] })
    expect(await clientRegistry([row]).find('a')).not.toHaveProperty('client_name')
  })
})
