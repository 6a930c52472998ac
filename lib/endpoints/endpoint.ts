/** The context of every endpoint of one authorization server, and what an endpoint is to the router and to metadata. */
import type { Request, RequestHandler, Response } from 'express'
import type { DpopPolicy } from '../assertions/dpop-proof.ts'
import type { Client, ClientRegistry } from '../clients/client.ts'
import type { CredentialFunctions } from '../credentials/functions.ts'
import type { AuthenticatingEndpoint, EndpointAuthentication } from '../authentication/per-endpoint.ts'
import { InvalidClientError } from '../errors.ts'
import type { EndpointMember } from '../http/endpoint-paths.ts'
import type { OAuthErrorHandlerOptions } from '../http/error-handler.ts'
import type { AccessTokenContext } from '../protected-resource/require-access-token.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import type { ServerAttestation } from '../token-endpoint/attestation.ts'
import type { AnonymousBudget } from '../authorization-requests/anonymous-budget.ts'
import type { RequestPolicy } from '../authorization-requests/policy.ts'
import type { Interaction } from './authorization/interaction.ts'
import type { BackchannelPolicy } from './backchannel-authentication/options.ts'
import type { DevicePolicy } from './device-authorization/options.ts'
import type { LogoutPolicy } from './end-session/options.ts'
import type { Registration } from './registration/options.ts'

export interface EndpointContext extends RequestPolicy {
  readonly clients: ClientRegistry
  /** Whether clients may be described by documents of their own. */
  readonly clientDocuments: boolean
  /** The client authentication methods there are. */
  readonly strategies: readonly ClientAuthenticationStrategy[]
  readonly credentials: CredentialFunctions
  /** Whether clients may change their own credentials. */
  readonly credentialsEndpoint: boolean
  /** The grants there are token issuers for. */
  readonly grantTypes: readonly string[]
  /** The members those add to metadata. */
  readonly grantMetadata: Readonly<Record<string, unknown>>
  readonly interaction: Interaction
  /** Every client must push its requests (RFC 9126 §5). */
  readonly requirePushedAuthorizationRequests: boolean
  /** The kinds of sign-in there are, for metadata. */
  readonly acrValues: readonly string[]
  /** The bound on what callers nobody knows may have stored. */
  readonly anonymousBudget: AnonymousBudget
  /** The registration of clients by themselves; undefined: there is none. */
  readonly registration: Registration | undefined
  /** The authorization of devices; undefined: there is none. */
  readonly device: DevicePolicy | undefined
  /** The policy by which people are asked over the backchannel; undefined: they are not asked. */
  readonly backchannel: BackchannelPolicy | undefined
  /** The policy by which attestations are taken; undefined: none is taken. */
  readonly attestation: ServerAttestation | undefined
  /** The ending of sessions. */
  readonly logout: LogoutPolicy
  /** The checking of access tokens presented to the userinfo endpoint. */
  readonly protection: AccessTokenContext
  /** The policy for DPoP proofs, those that bind a code among them. */
  readonly dpop: DpopPolicy
  /** Puts together an endpoint's absolute address. */
  readonly addressOf: (member: EndpointMember) => string
  /** Where a request to an endpoint may have been sent to: its address on each listener, for `htu` of a DPoP proof. */
  readonly listenerAddresses: (member: EndpointMember) => readonly string[]
  /** Makes the client authentication of an endpoint. */
  readonly authentication: (endpoint: AuthenticatingEndpoint) => EndpointAuthentication
  readonly onError: OAuthErrorHandlerOptions['onError']
}

/** One mounted endpoint: what the router and metadata need to know of it. */
export interface Endpoint {
  readonly member: EndpointMember
  /**
   * Its callers: clients that authenticate, whoever holds an access token, a person's browser, or anyone. The first two
   * may come over the mutual-TLS listener (RFC 8705 §5).
   */
  readonly caller: 'client' | 'access_token' | 'person' | 'anyone'
  readonly handler: RequestHandler
  /** The methods accepted there, where it authenticates clients. */
  readonly strategies?: readonly ClientAuthenticationStrategy[]
  /** True: metadata has no word of it, because there is no registered member for it. */
  readonly unlisted?: boolean
  /** True: it also answers one path segment further down, such as `/oauth2/register/<client_id>`. */
  readonly withItems?: boolean
  /** The members it adds to metadata: registered ones only. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** A handler whose rejection goes to the error handler. */
export function handlerOf(answer: (req: Request, res: Response) => Promise<void>): RequestHandler {
  return (req, res, next) => {
    answer(req, res).catch(next)
  }
}

/** A handler for authenticated clients alone; a rejection goes to the error handler. */
export function clientHandlerOf(
  authenticate: RequestHandler,
  answer: (client: Client, req: Request, res: Response) => Promise<void>
): RequestHandler {
  return (req, res, next) => {
    const authenticated = (error?: unknown): void => {
      if (error !== undefined) next(error)
      // Passport calls next() only after success; a strategy of somebody's own might pass()
      else if (req.authenticatedClient === undefined)
        next(new InvalidClientError({ reason: 'the strategy let the request through without a client' }))
      else answer(req.authenticatedClient, req, res).catch(next)
    }
    void authenticate(req, res, authenticated)
  }
}
