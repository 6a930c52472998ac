import { describe, expect, it } from '@jest/globals'
import { toClient, type ClientMetadata } from '../../lib/clients/client.ts'
import { methodAccepts, provingMethods, secretMethods } from '../../lib/clients/methods.ts'

const macs = (members: Readonly<Record<string, unknown>>): ClientMetadata => ({
  client_id: 'macs',
  token_endpoint_auth_method: 'client_secret_jwt',
  ...members
})

describe('the secret of a method that computes with it', () => {
  it.each([
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
    [undefined, 32]
  ])('is as long as the hash of %s, %i bytes (RFC 7518 §3.2)', (token_endpoint_auth_signing_alg, least) => {
    const metadata = (client_secret: string) => macs({ client_secret, token_endpoint_auth_signing_alg })
    expect(() => toClient(metadata('x'.repeat(least - 1)), 'clients[3]')).toThrow(
      `clients[3].client_secret must be at least ${least} bytes long`
    )
    expect(toClient(metadata('x'.repeat(least))).client_id).toBe('macs')
  })

  it('is held to it beside others, and where the method is one more', () => {
    const short = { type: 'secret', id: 'old', value: 'short' } as const
    expect(() => toClient(macs({ client_secret: 'x'.repeat(32), credentials: [short] }), 'clients[3]')).toThrow(
      'clients[3].credentials[0].value must be at least 32 bytes long'
    )
    const more = { type: 'method', id: 'more', method: 'client_secret_jwt' } as const
    expect(() => toClient({ client_id: 'a', client_secret: 'short', credentials: [more] }, 'clients[3]')).toThrow(
      'clients[3].client_secret must be at least 32 bytes long for client_secret_jwt'
    )
  })
})

describe('the table of methods', () => {
  it('says what each takes for proof', () => {
    expect(secretMethods).toEqual(['client_secret_basic', 'client_secret_post', 'client_secret_jwt'])
    expect(provingMethods).toHaveLength(11)
    for (const name of ['constructor', '__proto__', 'a_method_of_ones_own']) expect(methodAccepts(name, 'secret')).toBe(false)
  })
})
