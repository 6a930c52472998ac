/** What every endpoint of one authorization server works with. */
import type { ClientKeys } from '../assertions/client-keys.ts'
import type { DpopPolicy } from '../assertions/dpop-proof.ts'
import type { Client, ClientRegistry } from '../client.ts'
import { TemporarilyUnavailableError } from '../errors.ts'
import type { OAuthErrorHandlerOptions } from '../http/error-handler.ts'
import type { AccessTokenContext } from '../protected-resource.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import type { AuthorizationDetailTypes } from './authorization/authorization-details.ts'
import type { Interaction } from './authorization/interaction.ts'

export interface EndpointContext {
  readonly server: TokenServer
  readonly clients: ClientRegistry
  readonly interaction: Interaction
  /** `public`: public clients must use PKCE. `always`: every client must. */
  readonly requirePkce: 'public' | 'always'
  /** Every client must push its requests (RFC 9126 §5). */
  readonly requirePushedAuthorizationRequests: boolean
  readonly requestObjects: RequestObjectPolicy
  /** The kinds of sign-in there are, for metadata. */
  readonly acrValues: readonly string[]
  readonly authorizationDetails: AuthorizationDetailTypes
  /** What is asked of access tokens presented to the userinfo endpoint. */
  readonly protection: AccessTokenContext
  /** What is asked of DPoP proofs that bind a code. */
  readonly dpop: DpopPolicy
  /** The endpoints' absolute addresses, by their metadata names. */
  readonly addresses: EndpointAddresses
  readonly onError: OAuthErrorHandlerOptions['onError']
}

/** What is asked of request objects (RFC 9101). */
export interface RequestObjectPolicy {
  readonly keys: ClientKeys
  /** The algorithms accepted of clients that registered none. */
  readonly algorithms: readonly string[]
  /** Every client must sign its requests. */
  readonly required: boolean
  /** All request objects need `nbf` and `exp`, an hour apart at most; otherwise only where they are required. */
  readonly strict: boolean
}

export interface EndpointAddresses {
  readonly authorization_endpoint: string
  readonly pushed_authorization_request_endpoint: string
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
