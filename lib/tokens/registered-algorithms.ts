/** What clients registered to have signed, held against what this server can sign. */
import type { ClientMetadata } from '../client.ts'
import { ConfigurationError } from '../options.ts'
import type { TokenServer } from './token-server.ts'

const members = [
  'id_token_signed_response_alg',
  'userinfo_signed_response_alg',
  'authorization_signed_response_alg',
  'introspection_signed_response_alg'
] as const

/**
 * Refuses clients of a list that registered an algorithm this server does not sign with: told at start, not by a failing request.
 *
 * @throws ConfigurationError naming the client's member.
 */
export function checkRegisteredAlgorithms({ idTokenAlgorithms }: TokenServer, clients: unknown): void {
  if (!Array.isArray(clients)) return
  ;(clients as readonly ClientMetadata[]).forEach((client, index) => {
    for (const member of members) {
      const alg: unknown = client[member]
      if (alg === undefined || idTokenAlgorithms.includes(alg as string)) continue
      throw new ConfigurationError(`clients[${index}].${member}`, `must be one of ${idTokenAlgorithms.join(', ')}`)
    }
  })
}
