/** Ending tokens at their own client's request (RFC 7009). */
import type { ClientRequest } from '../client-request.ts'
import { findAccessToken, revokeAccessToken } from './access-token.ts'
import { isOfInstance } from './instance.ts'
import { findRefreshToken } from './refresh-token.ts'
import type { TokenServer } from './token-server.ts'

/**
 * Revokes a token of this client's. A refresh token ends its whole grant and every access token of it, also where it
 * has been replaced or has expired: its client wants an end to what began with it. An access token ends with what was
 * exchanged for it. What is no token, or no longer one, or another client's stays as it is.
 *
 * The key or certificate a token is bound to need not be proved: whoever holds a stolen one can only do its owner the
 * favour of ending it. What an attested instance was given another instance of the client cannot end: they are many,
 * and each has its own person.
 */
export async function revokeToken(
  server: TokenServer,
  presented: string,
  client_id: string,
  { authentication, traceId }: Pick<ClientRequest, 'authentication' | 'traceId'> = {}
): Promise<void> {
  const refreshToken = await findRefreshToken(server, presented)
  if (refreshToken !== undefined) {
    const { id: grant } = refreshToken
    if (refreshToken.grant.client_id !== client_id) return
    if (!isOfInstance(refreshToken.grant.instance_jkt, authentication)) return
    await server.store.deleteGrant(grant)
    server.emit?.({ type: 'grant.revoked', trace_id: traceId?.(), grant, client_id, by: 'client' })
    return
  }
  const token = (await findAccessToken(server, presented))?.token
  if (token?.client_id !== client_id) return
  await revokeAccessToken(server, presented, token)
  server.emit?.({ type: 'token.revoked', trace_id: traceId?.(), client_id, grant: token.grant })
}
