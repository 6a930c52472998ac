/** oauth4webapi, unmodified: an issuer with a path, over plain HTTP, and over one TLS listener that asks for certificates. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import { confidentialParties, publicParty } from '../support/journeys/clients.ts'
import { clientCredentials, codeAndRefresh, discover } from '../support/journeys/oauth4webapi.ts'
import { startServer, type RunningServer } from '../support/journeys/server.ts'

const parties = await confidentialParties()
const spa = publicParty('single-page-app')
const withoutCertificate = parties.filter(party => !('certificate' in party))

describe.each([
  { listeners: 'http' as const, confidential: withoutCertificate },
  { listeners: 'https' as const, confidential: parties }
])('over $listeners', ({ listeners, confidential }) => {
  let server: RunningServer

  beforeAll(async () => {
    server = await startServer({ clients: [...confidential, spa], listeners, path: '/acme/banking' })
  })
  afterAll(() => server.close())

  it.each(confidential)('$method: client credentials', async party => {
    await clientCredentials(await discover(server, party, 'oauth2'))
    expect(server.decisions.at(-1)).toMatchObject({
      outcome: 'authenticated',
      method: party.method,
      client_id: party.client_id
    })
  })

  it.each([...confidential, spa])('$method: code, PKCE, ID Token, userinfo, refresh, replay', async party => {
    await codeAndRefresh(server, await discover(server, party, 'oidc'))
    expect(server.decisions.at(-1)).toMatchObject({
      outcome: 'authenticated',
      method: party.method,
      client_id: party.client_id
    })
  })

  it('says what its listener can do', async () => {
    const { as } = await discover(server, spa, 'oauth2')
    expect(as.issuer).toMatch(/\/acme\/banking$/)
    expect(as.mtls_endpoint_aliases).toBeUndefined()
    expect(as.token_endpoint_auth_methods_supported).toEqual([...confidential, spa].map(({ method }) => method))
  })

  it('answers an unknown client like a known one with a wrong secret', async () => {
    const refusals = ['nobody', parties[0]?.client_id ?? ''].map(async client_id => {
      const { as, options } = await discover(server, spa, 'oauth2')
      const client = { client_id }
      const auth = oauth.ClientSecretBasic('wrong')
      const response = await oauth.clientCredentialsGrantRequest(as, client, auth, {}, options)
      return { status: response.status, challenge: response.headers.get('www-authenticate'), body: await response.json() }
    })
    const [unknown, known] = await Promise.all(refusals)
    expect(unknown).toEqual(known)
    expect(unknown).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })
})
