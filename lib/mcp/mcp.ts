/**
 * `clientele/mcp`: an authorization server and a protected MCP server in one Express application, which MCP clients
 * sign in to knowing nothing but its address.
 */
import type { Request, RequestHandler, Response } from 'express'
import {
  authorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions
} from '../authorization-server/authorization-server.ts'
import { ConfigurationError } from '../options.ts'
import type { Interaction } from '../endpoints/authorization/interaction.ts'
import type { AttachedSignIn, SignIn, UpstreamTokens } from '../sign-in/upstream.ts'
import { isScopeToken } from '../tokens/scope.ts'
import { mcpProtection, type McpProtection, type McpProtectionOptions } from './protection.ts'
import { v1Paths } from './v1-paths.ts'
import { isJsonObject } from '../json.ts'

export * from '../sign-in/upstream.ts'

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
  /** The application's own login and consent; see {@link Interaction}. Or `signIn`. */
  readonly interaction?: Interaction | undefined
  /** People sign in elsewhere, and agree on a page that is there already; see {@link upstream}. Or `interaction`. */
  readonly signIn?: SignIn | undefined
  /** Every scope value of the MCP server, each with what it means to people. */
  readonly scopes: Readonly<Record<string, string>>
  /** Clients that are known beforehand. Default none: clients have documents of their own. */
  readonly clients?: AuthorizationServerOptions['clients'] | undefined
}

/** Serves everything an MCP client looks for; see {@link McpProtection} for the MCP server itself. */
export interface McpAuthorization extends RequestHandler, Omit<McpProtection, 'metadata'> {
  /** The authorization server, for the application's login and consent pages. */
  readonly server: AuthorizationServer
  /**
   * The tokens, at the provider, of somebody who signed in there, renewed where they ran out: for calling its APIs for
   * them from within a tool, by `authInfo.extra.sub`. Undefined where none are kept, the provider renews them no more,
   * or there is no `signIn`. Rejects where the provider cannot be reached.
   */
  upstreamTokens(sub: string): Promise<UpstreamTokens | undefined>
  /** Ends the session of a request's browser here, where people sign in elsewhere; the one at the provider goes on. */
  signOut(req: Request, res: Response): Promise<void>
  /**
   * Middleware for clients of the MCP SDK's `mcpAuthRouter`, which know `/authorize`, `/token`, `/register` and
   * `/revoke` at the root and look for no metadata: answers there as at the addresses in the metadata. Mount it while
   * there are such clients.
   *
   * @example
   * app.use(mcp.v1Paths())
   */
  v1Paths(): RequestHandler
}

/**
 * An authorization server for one MCP server. Clients with documents are let in from any host unless `clientDocuments`
 * says otherwise; registration is off unless `registration` turns it on. Clients that may refresh get a refresh token
 * without asking, and may ask for every scope of the MCP server, whatever they registered.
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
  const {
    resource,
    scopes,
    required,
    resourceName,
    invalidToken,
    contentDigest,
    clients = [],
    signIn,
    interaction,
    ...rest
  } = options
  const values = checkScopes(scopes, required)
  const attached = attach(signIn, interaction, options)
  const server = authorizationServer({
    ...(rest.strategies === undefined && { clientDocuments: { hosts: ['*'] } }),
    ...rest,
    interaction: attached?.interaction ?? readInteraction(interaction),
    clients,
    scopes: ['offline_access'],
    resources: [...(rest.resources ?? []), mcpResource({ resource, scopes: values, required })]
  })
  const { allowedOrigins } = rest
  const protecting = { resource, required, resourceName, invalidToken, contentDigest, allowedOrigins }
  const { metadata, ...protection } = mcpProtection(server, protecting)
  const serve = inTurn([server, ...(attached === undefined ? [] : [attached.routes(server)]), metadata])
  return Object.assign(serve, protection, {
    server,
    upstreamTokens: async (sub: string) => attached?.tokens(sub),
    signOut: async (req: Request, res: Response) => attached?.signOut(req, res),
    v1Paths: () => v1Paths(server, options.issuer)
  })
}

/** One after the other, until one answers. */
function inTurn(handlers: readonly RequestHandler[]): RequestHandler {
  const [first, ...others] = handlers
  if (first === undefined) return (_req, _res, next) => next()
  const rest = inTurn(others)
  return (req, res, next) => {
    void first(req, res, (error?: unknown) => {
      if (error === undefined) void rest(req, res, next)
      else next(error)
    })
  }
}

function readInteraction(interaction: Interaction | undefined): Interaction {
  if (interaction !== undefined) return interaction
  throw new ConfigurationError('interaction', 'must be there, or signIn')
}

function attach(
  signIn: SignIn | undefined,
  interaction: unknown,
  { issuer, store, keys, clock, random, onError, scopes }: McpAuthorizationOptions
): AttachedSignIn | undefined {
  if (signIn === undefined) return undefined
  if (interaction !== undefined) throw new ConfigurationError('signIn', 'must not be there beside interaction')
  if (typeof (signIn as Partial<SignIn> | null)?.attach !== 'function')
    throw new ConfigurationError('signIn', 'must be a way to sign in, such as upstream() makes')
  return signIn.attach({ issuer, store, keys, clock, random, onError, meanings: scopes })
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
  return {
    ...{ resource, scopes, defaultScope: required },
    ...({ clientScope: 'any', refreshTokens: 'registered', spelling: 'address' } as const)
  }
}

function checkScopes(scopes: unknown, required: unknown): readonly string[] {
  if (!isJsonObject(scopes))
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
