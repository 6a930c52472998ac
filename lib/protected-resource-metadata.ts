/** Protected resource metadata (RFC 9728): an API says which authorization server's tokens it takes, and how. */
import type { RequestHandler } from 'express'
import { MethodNotAllowedError } from './errors.ts'
import { sendJson, sendOAuthError } from './http/responses.ts'
import { checkKeys, ConfigurationError } from './options.ts'

export interface ProtectedResourceMetadataOptions {
  /** The resource identifier: an https URL (http on a loopback host) without a fragment. It decides where the document stands. */
  readonly resource: string
  /** Scope values that mean something to this resource. Left out of the document where not given. */
  readonly scopes?: readonly string[] | undefined
  /** A name for people. */
  readonly resource_name?: string | undefined
}

/** What the server behind the resource contributes. */
export interface ProtectedResourceContext {
  readonly issuer: string
  readonly dpopAlgorithms: readonly string[]
  readonly certificates: boolean
}

/** The path of a resource's document: the well-known part goes before the resource's own path (RFC 9728 §3.1). */
export function protectedResourceMetadataPath(resource: string): string {
  const path = new URL(resource).pathname.replace(/\/$/, '')
  return `/.well-known/oauth-protected-resource${path}`
}

/** See {@link AuthorizationServer.protectedResourceMetadata}. @throws ConfigurationError naming the option that is wrong. */
export function protectedResourceMetadata(
  context: ProtectedResourceContext,
  options: ProtectedResourceMetadataOptions
): RequestHandler {
  checkKeys(options, ['resource', 'scopes', 'resource_name'])
  const { resource, scopes, resource_name } = options
  if (typeof resource !== 'string' || !URL.canParse(resource) || resource.includes('#')) {
    throw new ConfigurationError('resource', 'must be an absolute URL without a fragment')
  }
  const path = protectedResourceMetadataPath(resource)
  const document = {
    resource,
    authorization_servers: [context.issuer],
    ...(scopes !== undefined && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    ...(resource_name !== undefined && { resource_name }),
    dpop_signing_alg_values_supported: context.dpopAlgorithms,
    ...(context.certificates && { tls_client_certificate_bound_access_tokens: true })
  }
  return (req, res, next) => {
    const { originalUrl } = req
    const end = originalUrl.indexOf('?')
    if ((end === -1 ? originalUrl : originalUrl.slice(0, end)) !== path) next()
    else if (req.method !== 'GET' && req.method !== 'HEAD') sendOAuthError(res, new MethodNotAllowedError(['GET', 'HEAD']))
    else sendJson(res, 200, document, { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=60' })
  }
}
