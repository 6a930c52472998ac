/**
 * An MCP server behind access tokens, as the MCP authorization specification (2026-07-28 and 2025-11-25) asks:
 * metadata, challenges, and who is calling.
 */
import type { Request, RequestHandler } from 'express'
import type { AuthorizationServer } from '../authorization-server/authorization-server.ts'
import { crossOrigin, originList } from '../http/cross-origin.ts'
import { sendOAuthError } from '../http/responses.ts'
import { flag, fn, readOptions, required, text, textLike, type Checks } from '../options.ts'
import { insufficientScope, withChallenge, type ChallengeOptions } from '../protected-resource/challenge.ts'
import { audiencesOf, type AccessToken } from '../tokens/access-token.ts'
import { aboutPeople, scopeList } from '../tokens/scope.ts'

/** The MCP server that is protected, and the terms on which it may be called. */
export interface McpProtectionOptions {
  /**
   * The address people give to their clients, such as `https://mcp.example.com/mcp`: the only audience that is
   * accepted.
   */
  readonly resource: string
  /** The scope values every call needs. Clients ask for these first. */
  readonly required: readonly string[]
  /** A name for people. */
  readonly resourceName?: string | undefined
  /**
   * Makes the error that a middleware of another library expects of its verifier; see {@link McpProtection.verifier}.
   * Default: an `OAuthError` of this one.
   */
  readonly invalidToken?: ((message: string) => Error) | undefined
  /**
   * True: DPoP proofs must have the digest of the request's body, as the draft of MCP's DPoP extension says; see
   * `contentDigest` of `requireAccessToken()`. Default false.
   */
  readonly contentDigest?: boolean | undefined
  /**
   * The origins whose scripts may call the MCP server, such as `https://app.example.com`. Default: any; no cookie
   * counts here either way.
   */
  readonly allowedOrigins?: readonly string[] | undefined
}

/** The caller, in the shape the MCP SDK calls `AuthInfo`. */
export interface McpAuthInfo {
  /** The access token. */
  readonly token: string
  /** The client that presents it. */
  readonly clientId: string
  /** The scope values it is good for. */
  readonly scopes: string[]
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** The resource it is for. */
  readonly resource: URL
  /** The address of this resource's metadata, which the SDK's `requireScopes()` puts into its challenge. */
  readonly resourceMetadataUrl: string
  /** Further facts of the token. */
  readonly extra: { /** The person it is about. */ readonly sub: string }
}

/** The middleware and the verifier of one MCP server. */
export interface McpProtection {
  /**
   * Publishes the protected resource metadata (RFC 9728), below the resource's path and at the root. Mount it at the
   * application's root.
   */
  readonly metadata: RequestHandler
  /**
   * Lets in requests with an access token for this resource and the required scope, with `req.auth` as the MCP SDK
   * reads it and `req.accessToken` as this library does. All others get 401 or 403 with challenges that MCP clients act
   * on; scripts of any origin may call.
   */
  readonly requireToken: RequestHandler
  /**
   * Whether the token of a request that {@link requireToken} let in has these scope values too. Where it has not, the
   * answer is sent: 403 `insufficient_scope`, with every value the call needs, so that the client can ask for more.
   *
   * @example
   * if (!mcp.challenge(req, ['notes:write'])) return
   */
  challenge(req: Request, scopes: readonly string[]): boolean
  /**
   * For the MCP SDK's own `requireBearerAuth({ verifier })`. Rejects for a token that is not in force, is for another
   * resource, or is bound to a key or certificate, which that middleware cannot check.
   */
  readonly verifier: { verifyAccessToken(token: string): Promise<McpAuthInfo> }
}

export const mcpProtectionChecks = {
  resource: required(textLike('an absolute URL without a fragment', isAddress)),
  required: required(scopeList()),
  resourceName: text(),
  invalidToken: fn<(message: string) => Error>(),
  contentDigest: flag(false),
  allowedOrigins: originList
} satisfies Checks<McpProtectionOptions>

/** Headers that MCP clients send, and read, beside those of OAuth clients. */
const mcpHeaders = ['Mcp-Session-Id', 'MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name', 'Last-Event-ID']

/**
 * Protects an MCP server with an authorization server that stands in the same application, and that has its address
 * among its `resources`.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const mcp = mcpProtection(server, { resource: 'https://mcp.example.com/mcp', required: ['notes:read'] })
 * app.use(mcp.metadata)
 * app.all('/mcp', mcp.requireToken, express.json(), (req, res) => void handle(req, res, req.body))
 */
export function mcpProtection(server: AuthorizationServer, options: McpProtectionOptions): McpProtection {
  const {
    resource,
    required: scope,
    resourceName,
    invalidToken,
    contentDigest,
    allowedOrigins: origins
  } = readOptions(options, mcpProtectionChecks)
  const resourceMetadata = metadataAddress(resource)
  const protect = server.requireAccessToken({
    resources: [resource],
    audience: 'required',
    scope,
    resourceMetadata,
    alwaysError: true,
    contentDigest
  })
  const authInfo = (token: string, accessToken: AccessToken): McpAuthInfo => ({
    token,
    clientId: accessToken.client_id,
    scopes: [...accessToken.scope],
    expiresAt: accessToken.exp,
    resource: new URL(resource),
    resourceMetadataUrl: resourceMetadata,
    extra: { sub: accessToken.sub }
  })
  const requireToken: RequestHandler = (req, res, next) => {
    void protect(req, res, (error?: unknown) => {
      const { accessToken } = req
      // no type of ours: applications with the SDK have its own for this member
      if (error === undefined && accessToken !== undefined)
        Object.assign(req, { auth: authInfo((req.headers.authorization ?? '').replace(/^\S+ +/, ''), accessToken) })
      next(error)
    })
  }
  return {
    metadata: server.protectedResourceMetadata({
      resource,
      scopes: scope,
      root: true,
      ...(resourceName !== undefined && { resourceName })
    }),
    requireToken: crossOrigin(requireToken, {
      methods: ['POST', 'GET', 'DELETE'],
      headers: mcpHeaders,
      exposed: mcpHeaders,
      origins
    }),
    challenge: challengeFor({ algorithms: server.dpopAlgorithms, scope, resourceMetadata }),
    verifier: {
      async verifyAccessToken(token) {
        const found = await server.verifyAccessToken(token)
        const isGood = found !== undefined && found.cnf === undefined && audiencesOf(found).includes(resource)
        if (isGood) return authInfo(token, found)
        const message = 'the access token is not valid'
        throw invalidToken === undefined ? new McpTokenError(message) : invalidToken(message)
      }
    }
  }
}

/** See {@link McpProtection.challenge}. */
function challengeFor(challenges: ChallengeOptions & { readonly scope: readonly string[] }): McpProtection['challenge'] {
  return ({ accessToken, res }, scopes) => {
    const had = accessToken?.scope ?? []
    const missing = scopes.filter(value => !had.includes(value))
    if (missing.length === 0) return true
    if (res === undefined) throw new TypeError('mcp.challenge() takes a request of Express, which knows its answer')
    // there are clients that ask for what they are told here and nothing else: what they had must not be lost by it
    const kept = had.filter(value => !aboutPeople.includes(value))
    const scope = [...new Set([...challenges.scope, ...scopes, ...kept])]
    sendOAuthError(res, withChallenge(insufficientScope(missing), { ...challenges, scope }))
    return false
  }
}

/** A token that is not for this server, as {@link McpProtection.verifier} tells it. */
export class McpTokenError extends Error {
  /** The class's name. */
  override readonly name = 'McpTokenError'
  /** As SDKs and middleware look for it. */
  readonly code = 'invalid_token'
  /** The error code. */
  readonly errorCode = 'invalid_token'
}

/** The address of the metadata of a resource (RFC 9728 §3.1). */
export function metadataAddress(resource: string): string {
  const { origin, pathname, search } = new URL(resource)
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}${search}`
}

function isAddress(value: string): boolean {
  return /^https?:\/\//.test(value) && URL.canParse(value) && !value.includes('#')
}
