import { describe, expect, it, jest } from '@jest/globals'
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
