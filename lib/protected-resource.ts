/** Protects an API with this server's access tokens: Bearer, DPoP and certificate-bound, JWT or opaque. */
import type { Request, RequestHandler } from 'express'
import { hash } from 'node:crypto'
import { verifyDpopProof, type DpopPolicy } from './assertions/dpop-proof.ts'
import { OAuthError } from './errors.ts'
import { directTls, readCertificate, type CertificateSource } from './http/certificate-source.ts'
import { addressesOfListener } from './http/listener.ts'
import { sendOAuthError } from './http/responses.ts'
import { toOAuthError } from './http/error-handler.ts'
import { checkKeys, ConfigurationError } from './options.ts'
import { traceIdOf } from './trace.ts'
import { audiencesOf, verifyAccessToken, type AccessToken } from './tokens/access-token.ts'
import type { TokenServer } from './tokens/token-server.ts'

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- the only way to tell Express's types about a request's new member
  namespace Express {
    interface Request {
      /** What the access token `requireAccessToken()` accepted says. */
      accessToken?: AccessToken
    }
  }
}

export interface RequireAccessTokenOptions {
  /**
   * The origins this API is reached at, such as `https://api.example.com`: what a DPoP proof's `htu` must begin with. Never taken from
   * the Host header. Default: the issuer's, and the mutual-TLS listener's.
   */
  readonly origins?: readonly string[] | undefined
  /** The resource indicators this API stands for. Tokens for others are refused; tokens that name none are accepted. Default: any. */
  readonly resources?: readonly string[] | undefined
  /** Scope values the token must have, all of them. Default none. */
  readonly scope?: readonly string[] | undefined
  /** Where this API's protected resource metadata is (RFC 9728 §5.1), for the challenge. */
  readonly resourceMetadata?: string | undefined
}

/** What checking an access token works with. */
export interface AccessTokenContext {
  readonly server: TokenServer
  readonly dpop: DpopPolicy
  readonly certificate: CertificateSource | undefined
  readonly origins: readonly string[]
}

const optionKeys = ['origins', 'resources', 'scope', 'resourceMetadata']

/** See {@link AuthorizationServer.requireAccessToken}. @throws ConfigurationError naming the option that is wrong. */
export function requireAccessToken(context: AccessTokenContext, options: RequireAccessTokenOptions = {}): RequestHandler {
  checkKeys(options, optionKeys)
  const origins = options.origins ?? context.origins
  origins.forEach((origin, index) => {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw new ConfigurationError(`origins[${index}]`, 'must be an origin, such as https://api.example.com')
  })
  return (req, res, next) => {
    presentedAccessToken({ ...context, origins }, req)
      .then(token => checkUse(token, options))
      .then(
        token => {
          req.accessToken = token
          next()
        },
        (error: unknown) => sendOAuthError(res, withChallenge(error, context.dpop, options.resourceMetadata))
      )
  }
}

/**
 * The access token of a request, proved to be held by its sender: in the Authorization header only; `DPoP` with a proof for tokens bound to a
 * key, `Bearer` for the others; over the certificate it is bound to, if it is.
 *
 * @throws OAuthError `invalid_token` 401, InvalidDpopProofError, UseDpopNonceError: see {@link withChallenge} for how to answer them.
 */
export async function presentedAccessToken(context: AccessTokenContext, req: Request, fromBody?: string): Promise<AccessToken> {
  const credentials =
    readCredentials(req.headers.authorization) ?? (fromBody === undefined ? undefined : { scheme: 'bearer', token: fromBody })
  if (credentials === undefined)
    throw invalidToken(req.headers.authorization === undefined ? noToken : 'the Authorization header has no Bearer or DPoP token')
  const token = await verifyAccessToken(context.server, credentials.token)
  if (token === undefined) throw invalidToken('unknown, expired or revoked')
  await checkPossession(context, req, credentials, token)
  return token
}

/** The error with the challenges of RFC 6750 §3 and RFC 9449 §7.1, 401 where the token or its proof is at fault. */
export function withChallenge(thrown: unknown, dpop: DpopPolicy, resourceMetadata?: string): OAuthError {
  const error = toOAuthError(thrown)
  const status = error.status === 400 && error.error.includes('dpop') ? 401 : error.status
  if (status !== 401 && status !== 403) return error
  const metadata = resourceMetadata === undefined ? '' : `, resource_metadata="${resourceMetadata}"`
  // RFC 6750 §3.1: no error code for a request that carried nothing to be wrong
  const what = error.reason === noToken ? '' : ` error="${error.error}", error_description="${error.message}"`
  const bearer = `Bearer${what}${what === '' ? metadata.replace(',', '') : metadata}`
  const proof = `DPoP${what}${what === '' ? '' : ','} algs="${dpop.algorithms.join(' ')}"`
  const headers = { ...error.headers, 'WWW-Authenticate': `${bearer}, ${proof}` }
  return new OAuthError(error.error, status, error.message, {
    headers,
    ...(error.reason !== undefined && { reason: error.reason })
  })
}

const noToken = 'no access token was sent'

interface Credentials {
  readonly scheme: string
  readonly token: string
}

/** RFC 6750 §2.1 and RFC 9449 §7.1; the scheme in any case (RFC 9110 §11.1). */
function readCredentials(authorization: string | undefined): Credentials | undefined {
  const [, scheme, token] = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '') ?? []
  return scheme === undefined || token === undefined ? undefined : { scheme: scheme.toLowerCase(), token }
}

async function checkPossession(
  context: AccessTokenContext,
  req: Request,
  credentials: Credentials,
  token: AccessToken
): Promise<void> {
  const bound = token.cnf?.['x5t#S256']
  if (bound !== undefined && bound !== thumbprintOf(context, req))
    throw invalidToken('bound to a certificate this connection does not have')
  const jkt = token.cnf?.jkt
  if (jkt === undefined) {
    // a proof beside a token that is bound to no key proves nothing about the token
    if (credentials.scheme === 'dpop') throw invalidToken('presented with DPoP, but bound to no key')
    return
  }
  if (credentials.scheme !== 'dpop') throw invalidToken('bound to a DPoP key, but presented as Bearer')
  const proof = req.headers['dpop']
  if (typeof proof !== 'string') throw invalidToken('no DPoP proof was sent')
  const path = pathOf(req.originalUrl)
  const addresses = addressesOfListener(req, context.origins).map(origin => `${origin}${path}`)
  const proved = await verifyDpopProof({
    proof,
    method: req.method,
    addresses,
    access_token: credentials.token,
    policy: context.dpop,
    by: { client_id: token.client_id, traceId: () => traceIdOf(req) }
  })
  if (proved.jkt !== jkt) throw invalidToken('bound to another DPoP key')
}

function thumbprintOf(context: AccessTokenContext, req: Request): string | undefined {
  const { certificate } = readCertificate(req, context.certificate ?? directTls)
  return certificate === undefined ? undefined : hash('sha256', certificate.der, 'base64url')
}

function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

function checkUse(token: AccessToken, { resources, scope }: RequireAccessTokenOptions): AccessToken {
  const audiences = audiencesOf(token)
  if (resources !== undefined && audiences.length > 0 && !audiences.some(audience => resources.includes(audience)))
    throw invalidToken('for another resource')
  const missing = (scope ?? []).filter(value => !token.scope.includes(value))
  if (missing.length > 0)
    throw new OAuthError('insufficient_scope', 403, 'the access token lacks a scope value', {
      reason: `lacks ${missing.join(' ')}`
    })
  return token
}

/** What is told of every token that is not good; `reason` is the operator's. */
export function invalidToken(reason: string): OAuthError {
  return new OAuthError('invalid_token', 401, 'the access token is not valid', { reason })
}
