/** What every endpoint of one authorization server works with. */
import type { Client, ClientRegistry } from '../client.ts'
import { TemporarilyUnavailableError } from '../errors.ts'
import type { OAuthErrorHandlerOptions } from '../http/error-handler.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import type { Interaction } from './authorization/interaction.ts'

/** The claims about an account, by their OpenID Connect names (Core §5.1). */
export type AccountClaims = Readonly<Record<string, unknown>>

export interface EndpointContext {
  readonly server: TokenServer
  readonly clients: ClientRegistry
  readonly interaction: Interaction
  /** `public`: public clients must use PKCE. `always`: every client must. */
  readonly requirePkce: 'public' | 'always'
  readonly claims: ((sub: string) => AccountClaims | undefined | Promise<AccountClaims | undefined>) | undefined
  /** The endpoints' absolute addresses, by their metadata names. */
  readonly addresses: EndpointAddresses
  readonly onError: OAuthErrorHandlerOptions['onError']
}

export interface EndpointAddresses {
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly userinfo_endpoint: string
  readonly jwks_uri: string
}

/** Finds a client. @throws TemporarilyUnavailableError when the source does not answer. */
export async function findClient(context: EndpointContext, client_id: string): Promise<Client | undefined> {
  try {
    return await context.clients.find(client_id)
  } catch (cause) {
    throw new TemporarilyUnavailableError({ reason: 'the client could not be looked up', cause })
  }
}

/** Whether a client may use the authorization endpoint for a code. */
export function mayUseCodes(client: Client): boolean {
  return client.grant_types.includes('authorization_code') && client.response_types.includes('code')
}
