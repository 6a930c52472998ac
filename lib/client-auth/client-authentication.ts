/**
 * One function for both shapes of client authentication that client libraries call: openid-client's and the MCP SDK's.
 */

/**
 * Arguments of openid-client and oauth4webapi: the authorization server's metadata, the client, and the request to
 * add to.
 */
export type OpenidClientArguments = readonly [
  as: { readonly issuer: string },
  client: { readonly client_id: string },
  body: URLSearchParams,
  headers: Headers
]

/** Arguments of the MCP SDK: the request to add to, the address it will go to, and the metadata the SDK found. */
export type McpClientArguments = readonly [
  headers: Headers,
  params: URLSearchParams,
  url: string | URL,
  metadata?: { readonly issuer: string }
]

/**
 * Adds a client's authentication to one request, as openid-client's and oauth4webapi's `ClientAuth` and as the MCP
 * SDK's `AddClientAuthentication`. Both wait for its promise, and call it again for each request.
 */
export interface ClientAuthentication {
  /**
   * As openid-client and oauth4webapi call it. @throws {@link ClientAuthenticationError} where there is nothing to
   * authenticate with.
   */
  (...args: OpenidClientArguments): Promise<void>
  /**
   * As the MCP SDK calls it. @throws {@link ClientAuthenticationError} where there is nothing to authenticate with, or
   * the server is another one than `issuer`.
   */
  (...args: McpClientArguments): Promise<void>
}

/**
 * Thrown before anything was sent: what the client authenticates with cannot be had, or would go to the wrong server.
 * Never says what it was.
 */
export class ClientAuthenticationError extends Error {
  /** The class's name. */
  override readonly name = 'ClientAuthenticationError'
}

/** The server a request may go to, and the client that makes it. */
export interface AuthenticatedParties {
  /**
   * The issuer identifier of the one authorization server that may be sent this. The MCP SDK asks whichever server an
   * MCP server names, so that it must be given there; with openid-client it is the one discovered.
   */
  readonly issuer?: string | undefined
  /** The client's `client_id`, where the library does not say it, as the MCP SDK does not. */
  readonly client_id?: string | undefined
}

/** One request, whichever library makes it. */
interface OutgoingRequest {
  readonly issuer: string
  readonly client_id: string | undefined
  readonly body: URLSearchParams
  readonly headers: Headers
}

/** The function of both shapes that `add` makes. */
export function clientAuthentication(
  parties: AuthenticatedParties,
  add: (request: OutgoingRequest) => Promise<void>
): ClientAuthentication {
  return (...args: OpenidClientArguments | McpClientArguments) => {
    // a promise in any case: nobody catches what a callback throws at once
    return Promise.resolve().then(() => add(isOfMcp(args) ? mcpRequest(args, parties) : openidRequest(args, parties)))
  }
}

/** By what it does, since there may be several classes `Headers` in one process. */
function isOfMcp(args: OpenidClientArguments | McpClientArguments): args is McpClientArguments {
  return 'append' in args[0]
}

function openidRequest([as, client, body, headers]: OpenidClientArguments, { issuer = as.issuer }: AuthenticatedParties) {
  if (as.issuer !== issuer) throw new ClientAuthenticationError(`this is for ${issuer}, and the server is ${as.issuer}`)
  return { issuer, client_id: client.client_id, body, headers }
}

function mcpRequest([headers, body, url, metadata]: McpClientArguments, { issuer, client_id }: AuthenticatedParties) {
  if (issuer === undefined)
    throw new ClientAuthenticationError('issuer must be given: an MCP server says itself where its clients get their tokens')
  // version 1 of the SDK does not compare the metadata's issuer with where it was found: the address counts too
  const isElsewhere = metadata !== undefined && metadata.issuer !== issuer
  if (isElsewhere || new URL(url).origin !== new URL(issuer).origin)
    throw new ClientAuthenticationError(
      `this is for ${issuer}, and the server is ${metadata?.issuer ?? 'unnamed'} at ${new URL(url).origin}`
    )
  return { issuer, client_id, body, headers }
}
