/** Protected resource metadata (RFC 9728): an API says which authorization server's tokens it takes, and how. */
import type { Request, RequestHandler } from 'express'
import { toOAuthError } from '../http/error-handler.ts'
import { sendPublicDocument } from '../http/public-document.ts'
import { pathOf, queryStringOf } from '../http/request-target.ts'
import { sendOAuthError } from '../http/responses.ts'
import { flag, readOptions, required, text, textLike, type Checks } from '../options.ts'
import { scopeList } from '../tokens/scope.ts'

/** The options of a protected resource's metadata (RFC 9728). */
export interface ProtectedResourceMetadataOptions {
  /**
   * The resource identifier: an https URL (http on a loopback host) without a fragment. It decides where the document
   * stands.
   */
  readonly resource: string
  /** Scope values that mean something to this resource. Left out of the document where not given. */
  readonly scopes?: readonly string[] | undefined
  /** A name for people. */
  readonly resourceName?: string | undefined
  /**
   * True: the document also stands at `/.well-known/oauth-protected-resource` without the resource's path, where
   * clients look that were told of none. For one resource of an origin. Default false.
   */
  readonly root?: boolean | undefined
}

export const protectedResourceMetadataChecks = {
  resource: required(textLike('an absolute URL without a fragment', value => URL.canParse(value) && !value.includes('#'))),
  scopes: scopeList(),
  resourceName: text(),
  root: flag(false)
} satisfies Checks<ProtectedResourceMetadataOptions>

/** The contribution of the server behind the resource. */
interface ProtectedResourceContext {
  readonly issuer: string
  readonly dpopAlgorithms: readonly string[]
  readonly certificateMethods: boolean
}

const wellKnown = '/.well-known/oauth-protected-resource'

/**
 * See {@link AuthorizationServer.protectedResourceMetadata}. @throws ConfigurationError naming the option that is
 * wrong.
 */
export function protectedResourceMetadata(
  context: ProtectedResourceContext,
  options: ProtectedResourceMetadataOptions
): RequestHandler {
  const { resource, scopes, resourceName: resource_name, root } = readOptions(options, protectedResourceMetadataChecks)
  const isHere = documentFinder(resource, root)
  const document = {
    resource,
    authorization_servers: [context.issuer],
    ...(scopes !== undefined && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    ...(resource_name !== undefined && { resource_name }),
    dpop_signing_alg_values_supported: context.dpopAlgorithms,
    ...(context.certificateMethods && { tls_client_certificate_bound_access_tokens: true })
  }
  return (req, res, next) => {
    if (!isHere(req)) next()
    else sendPublicDocument(req, res, (error?: unknown) => sendOAuthError(res, toOAuthError(error)), document)
  }
}

/**
 * Tells requests for a resource's document: the well-known part goes between host and path, and a query stays behind
 * the path (RFC 9728 §3.1). Of the path only the slash that stands for none is left out; as clients leave out the last
 * slash of any, the document is found without it too.
 */
function documentFinder(resource: string, atRoot: boolean): (req: Pick<Request, 'originalUrl'>) => boolean {
  const { pathname, search } = new URL(resource)
  const own = pathname === '/' ? '' : pathname
  const paths = new Set([own, own.replace(/\/$/, '')].map(path => wellKnown + path))
  const query = search.slice(1)
  return req => {
    const path = pathOf(req)
    if (atRoot && path === wellKnown) return true
    return paths.has(path) && (query === '' || queryStringOf(req) === query)
  }
}
