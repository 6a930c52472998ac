import { describe, expect, it } from '@jest/globals'
import { clients, harness } from '../support/authorization-server.ts'

const members = [
  'id_token_signed_response_alg',
  'userinfo_signed_response_alg',
  'authorization_signed_response_alg',
  'introspection_signed_response_alg'
]

describe('a client that registered an algorithm this server does not sign with', () => {
  it.each(members.flatMap(member => ['HS256', 'none', 'ES384', 'Ed25519', 'rs256'].map(alg => [member, alg] as const)))(
    'is refused at start: %s %s',
    async (member, alg) => {
      const list = [...clients, { client_id: 'wrong', client_secret: 's', [member]: alg }]
      await expect(harness({ clients: list })).rejects.toThrow(
        `clients[${clients.length}].${member} must be one of RS256, PS256, ES256, EdDSA`
      )
    }
  )

  it.each(members.flatMap(member => ['RS256', 'PS256', 'ES256', 'EdDSA'].map(alg => [member, alg] as const)))(
    'is none where it is one of them: %s %s',
    async (member, alg) => {
      await expect(harness({ clients: [{ client_id: 'right', client_secret: 's', [member]: alg }] })).resolves.toBeDefined()
    }
  )
})
