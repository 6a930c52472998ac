import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { toClient } from '../../lib/clients/client.ts'
import { introspect } from '../../lib/tokens/introspection.ts'
import { api, issuer } from '../support/servers/authorization-server.ts'
import { anyCharacter } from '../support/checks/any-character.ts'
import { tokens, web } from './server.ts'

const backend = toClient({ client_id: 'backend', client_secret: 's' })
const own = { client_id: 'web', scope: [], resources: [] }

describe('introspect', () => {
  it.each([
    ['a JWT', api],
    ['opaque', undefined]
  ])('tells who acts, and who may, where a token says so: %s', async (_, resource) => {
    const { server } = await tokens()
    const acting = { act: { sub: 'agent', act: { sub: 'gateway' } }, may_act: { sub: 'agent' } }
    const { access_token } = await server.respond({ client: web }, { ...own, sub: 'alice', ...acting }, { resource })
    expect(await introspect(server, access_token, web)).toEqual({
      active: true,
      iss: issuer,
      client_id: 'web',
      sub: 'alice',
      token_type: 'Bearer',
      iat: 1_800_000_000,
      exp: 1_800_003_600,
      jti: expect.any(String),
      ...(resource !== undefined && { aud: resource }),
      ...acting
    })
  })

  it('has no scope where there is none, and certificate-bound tokens are Bearer', async () => {
    const { server } = await tokens()
    const confirmation = { 'x5t#S256': 'thumbprint' }
    for (const resource of [undefined, api]) {
      const { access_token } = await server.respond({ client: web, confirmation }, own, { resource })
      const said = await introspect(server, access_token, web)
      expect(said).toMatchObject({ active: true, token_type: 'Bearer', cnf: confirmation, sub: 'web' })
      expect(said).not.toHaveProperty('scope')
      expect(said).not.toHaveProperty('grant')
    }
  })

  it('tells nobody about a token for a resource that is no longer known', async () => {
    const resources = [{ resource: api, scopes: ['read'], introspectionClients: ['backend'] }]
    const { server } = await tokens({ resources })
    const { access_token } = await server.respond({ client: web }, own, { resource: api })
    expect(await introspect(server, access_token, backend)).toMatchObject({ active: true })
    const { server: later } = await tokens({ resources: [], store: server.store })
    expect(await introspect(later, access_token, web)).toMatchObject({ active: true })
    expect(await introspect(later, access_token, backend)).toEqual({ active: false })
  })

  it('never takes a made-up token for a good one, and never fails on it', async () => {
    const { server } = await tokens()
    const { access_token } = await server.respond({ client: web }, own, { resource: api })
    const [header = '', payload = '', signature = ''] = access_token.split('.')
    const part = fc.oneof(fc.constantFrom(header, payload, signature, ''), fc.base64String(), fc.string())
    const madeUp = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 200 }),
      fc.array(part, { minLength: 1, maxLength: 5 }).map(parts => parts.join('.')),
      fc.uint8Array({ minLength: 52, maxLength: 52 }).map(bytes => Buffer.from(bytes).toString('base64url')),
      fc.jsonValue().map(value => `eyJ${Buffer.from(JSON.stringify(value)).toString('base64url')}..`)
    )
    await fc.assert(
      fc.asyncProperty(
        madeUp.filter(presented => presented !== access_token),
        async presented => {
          expect(await introspect(server, presented, web)).toEqual({ active: false })
        }
      )
    )
  })
})
