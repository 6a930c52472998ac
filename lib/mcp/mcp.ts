/** `clientele/mcp`: an authorization server and a protected MCP server in one Express application, which MCP clients sign in to knowing nothing but its address. */
import type { RequestHandler } from 'express'
import {
  authorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions
} from '../authorization-server/authorization-server.ts'
import { ConfigurationError } from '../options.ts'
import { isScopeToken } from '../tokens/scope.ts'
import { mcpProtection, type McpProtection, type McpProtectionOptions } from './protection.ts'

export {
  mcpProtection,
  McpTokenError,
  metadataAddress,
  type McpAuthInfo,
  type McpProtection,
  type McpProtectionOptions
} from './protection.ts'

/** Every option of {@link authorizationServer} but its scopes, and what MCP adds. */
export interface McpAuthorizationOptions
  extends Omit<AuthorizationServerOptions, 'clients' | 'scopes' | 'interaction'>, McpProtectionOptions {
  /** The application's own login and consent. */
  readonly interaction: NonNullable<AuthorizationServerOptions['interaction']>
  /** Every scope value of the MCP server, each with what it means to people. */
  readonly scopes: Readonly<Record<string, string>>
  /** Clients that are known beforehand. Default none: clients have documents of their own. */
  readonly clients?: AuthorizationServerOptions['clients'] | undefined
}

/** Serves everything an MCP client looks for; see {@link McpProtection} for the MCP server itself. */
export interface McpAuthorization extends RequestHandler, Omit<McpProtection, 'metadata'> {
  /** The authorization server, for the application's login and consent pages. */
  readonly server: AuthorizationServer
}

/**
 * An authorization server for one MCP server. Clients with documents are let in from any host unless `clientDocuments` says otherwise; registration is off
 * unless `registration` turns it on. Clients that may refresh get a refresh token without asking, and may ask for every scope of the MCP server, whatever they
 * registered.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const mcp = mcpAuthorization({
 *   issuer: 'https://mcp.example.com', resource: 'https://mcp.example.com/mcp',
 *   scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' }, required: ['notes:read'],
 *   store, keys, interaction
 * })
 * app.use(mcp)
 * app.all('/mcp', mcp.requireToken, express.json(), (req, res) => void handle(req, res, req.body))
 */
export function mcpAuthorization(options: McpAuthorizationOptions): McpAuthorization {
  const { resource, scopes, required, resourceName, invalidToken, clients = [], ...rest } = options
  const values = checkScopes(scopes, required)
  const server = authorizationServer({
    ...(rest.strategies === undefined && { clientDocuments: { hosts: ['*'] } }),
    ...rest,
    clients,
    scopes: ['offline_access'],
    resources: [...(rest.resources ?? []), mcpResource({ resource, scopes: values, required })]
  })
  const { metadata, ...protection } = mcpProtection(server, { resource, required, resourceName, invalidToken })
  const serve: RequestHandler = (req, res, next) => {
    void server(req, res, (error?: unknown) => {
      if (error === undefined) void metadata(req, res, next)
      else next(error)
    })
  }
  return Object.assign(serve, protection, { server })
}

/** The MCP server as one of an authorization server's `resources`. */
export function mcpResource({
  resource,
  scopes,
  required
}: {
  readonly resource: string
  readonly scopes: readonly string[]
  readonly required: readonly string[]
}) {
  return { resource, scopes, defaultScope: required, clientScope: 'any', refreshTokens: 'registered' } as const
}

function checkScopes(scopes: unknown, required: unknown): readonly string[] {
  if (typeof scopes !== 'object' || scopes === null || Array.isArray(scopes))
    throw new ConfigurationError('scopes', 'must be an object: scope values, each with what it means to people')
  const values = Object.keys(scopes)
  for (const [value, meaning] of Object.entries(scopes)) {
    if (!isScopeToken(value) || typeof meaning !== 'string' || meaning === '')
      throw new ConfigurationError(`scopes.${value}`, 'must be a scope value with a text that says what it means')
  }
  if (!Array.isArray(required) || required.length === 0 || !required.every(value => values.includes(value as string)))
    throw new ConfigurationError('required', 'must be a list of at least one of scopes')
  return values
}
