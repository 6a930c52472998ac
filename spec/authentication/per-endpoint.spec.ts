import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { ConfigurationError, type AuthorizationServerOptions } from '../../lib/index.ts'
import { basic, clients, harness } from '../support/servers/authorization-server.ts'

const metadataOf = async (options: Partial<AuthorizationServerOptions>) => {
  const { app } = await harness(options)
  return (await request(app).get('/.well-known/oauth-authorization-server')).body as Record<string, unknown>
}

describe('endpointAuthMethods', () => {
  it.each([
    [{ nonsense: ['none'] }, 'endpointAuthMethods.nonsense is not a known option'],
    [{ tokn: ['none'] }, 'endpointAuthMethods.tokn is not a known option; did you mean token?'],
    [{ token: 'none' }, 'endpointAuthMethods.token must be a list of methods'],
    [{ token: ['basic'] }, 'endpointAuthMethods.token[0] must be one of client_secret_basic, '],
    [{ token: ['none', 'tls_client_auth'] }, 'endpointAuthMethods.token[1] must be one of '],
    [{ introspection: ['none'] }, 'endpointAuthMethods.introspection[0] must be one of '],
    [{ token: [] }, 'endpointAuthMethods.token must leave at least one method'],
    [{ revocation: [] }, 'endpointAuthMethods.revocation must leave at least one method'],
    [{ introspection: [] }, 'endpointAuthMethods.introspection must leave at least one method'],
    [{ pushed_authorization_request: [] }, 'endpointAuthMethods.pushed_authorization_request must leave at least one method'],
    [null, 'endpointAuthMethods must be an object']
  ])('%j is refused at construction', async (endpointAuthMethods, message) => {
    const made = harness({ endpointAuthMethods: endpointAuthMethods as never })
    await expect(made).rejects.toThrow(ConfigurationError)
    await expect(made).rejects.toThrow(message)
  })

  it('decides at its endpoint alone, and metadata says so', async () => {
    const endpointAuthMethods = { token: ['client_secret_post', 'none'] }
    const { app } = await harness({ endpointAuthMethods })
    const form = { grant_type: 'client_credentials' }
    const send = (path: string, fields: object) => request(app).post(path).type('form').send(fields)
    const refused = await send('/oauth2/token', form).set('Authorization', basic('web'))
    expect(refused.status).toBe(401)
    expect(refused.body).toMatchObject({ error: 'invalid_client' })
    const posted = { ...form, client_id: 'posting', client_secret: 'secret of posting' }
    expect((await send('/oauth2/token', posted)).status).toBe(200)
    const pushed = await send('/oauth2/par', {}).set('Authorization', basic('web'))
    expect(pushed.body).toMatchObject({ error: 'invalid_request' })
    expect(await metadataOf({ endpointAuthMethods })).toMatchObject({
      token_endpoint_auth_methods_supported: endpointAuthMethods.token
    })
  })

  it('leaves every endpoint with every mounted method where it says nothing', async () => {
    const { token_endpoint_auth_methods_supported } = await metadataOf({ clients })
    expect(token_endpoint_auth_methods_supported).toContain('none')
  })
})
