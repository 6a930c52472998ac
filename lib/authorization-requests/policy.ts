/** The rules one server judges authorization requests by, at whichever endpoint they come in. */
import type { ClientKeys } from '../client-keys/client-keys.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import type { AuthorizationDetailTypes } from './authorization-details.ts'

/** The server that judges, and what it asks of a request. */
export interface RequestPolicy {
  readonly server: TokenServer
  readonly requestObjects: RequestObjectPolicy
  /** `public`: public clients must use PKCE. `always`: every client must. */
  readonly requirePkce: 'public' | 'always'
  /** The types of `authorization_details` there are (RFC 9396), each with its check. */
  readonly authorizationDetails: AuthorizationDetailTypes
}

/** Requirements on request objects (RFC 9101). */
interface RequestObjectPolicy {
  readonly clientKeys: ClientKeys
  /** The algorithms accepted of clients that registered none. */
  readonly algorithms: readonly string[]
  /** Every client must sign its requests. */
  readonly required: boolean
  /** All request objects need `nbf` and `exp`, an hour apart at most; otherwise only where they are required. */
  readonly strict: boolean
}
