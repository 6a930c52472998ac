/** Protects an API with this server's access tokens: Bearer, DPoP and certificate-bound, JWT or opaque. */
import type { Request, RequestHandler } from 'express'
import { randomUUID } from 'node:crypto'
import { IncomingMessage } from 'node:http'
import { offerDpopNonce } from '../assertions/dpop-nonces.ts'
import { verifyDpopProof, type DpopPolicy } from '../assertions/dpop-proof.ts'
import { thumbprintOf } from '../clients/credentials.ts'
import { certificateOfRequest, directTls, type CertificateSource } from '../certificates/source.ts'
import { refuseRepeatedAuthorization } from '../http/client-request.ts'
import { tellError, type OAuthErrorHandlerOptions } from '../http/error-handler.ts'
import { addressesOfListener } from '../http/listener.ts'
import { peekBody } from '../http/peeked-body.ts'
import { pathOf } from '../http/request-target.ts'
import { sendOAuthError } from '../http/responses.ts'
import { insufficientScope, invalidToken, NoAccessTokenError, withChallenge } from './challenge.ts'
import { ConfigurationError, readOptions } from '../options.ts'
import { requireAccessTokenChecks, type RequireAccessTokenOptions } from './options.ts'
import { traceIdOf } from '../http/trace.ts'
import { audiencesOf, verifyAccessToken, type AccessToken } from '../tokens/access-token.ts'
import type { TokenServer } from '../tokens/token-server.ts'

export type { RequireAccessTokenOptions } from './options.ts'

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express's types about a request know no other way
  namespace Express {
    interface Request {
      /** The contents of the access token that `requireAccessToken()` accepted. */
      accessToken?: AccessToken
    }
  }
}

/** The parts of a server that checking an access token works with. */
export interface AccessTokenContext {
  readonly server: TokenServer
  readonly dpop: DpopPolicy
  readonly certificateSource: CertificateSource | undefined
  readonly origins: readonly string[]
  /** Whether DPoP proofs must have the digest of the body. */
  readonly contentDigest?: boolean
  /** Told of every refusal and fault. */
  readonly onError: OAuthErrorHandlerOptions['onError']
}

/** Bytes of a body whose digest is looked at. */
const largestBody = 4_194_304

/** See {@link AuthorizationServer.requireAccessToken}. @throws ConfigurationError naming the option that is wrong. */
export function requireAccessToken(context: AccessTokenContext, options: RequireAccessTokenOptions = {}): RequestHandler {
  if (options instanceof IncomingMessage)
    throw new ConfigurationError('requireAccessToken', 'must be called where it is mounted: requireAccessToken()')
  const read = readOptions(options, requireAccessTokenChecks)
  checkScopes(context.server, read.scope)
  const { origins = context.origins, scope, resourceMetadata, interactionId, alwaysError, contentDigest } = read
  // a resource that the server had before, and has no more, is nobody's
  const use = { ...read, resources: read.resources ?? context.server.resources.all().map(({ resource }) => resource) }
  const protection = { ...context, origins, contentDigest }
  const challenges = { algorithms: context.dpop.algorithms, scope, resourceMetadata, alwaysError }
  return (req, res, next) => {
    offerDpopNonce(res, context.dpop)
    if (interactionId) res.setHeader(interactionIdHeader, interactionIdOf(req))
    presentedAccessToken(protection, req)
      .then(token => checkUse(token, use))
      .then(
        token => {
          req.accessToken = token
          next()
        },
        (error: unknown) => {
          tellError(context.onError, error, req)
          sendOAuthError(res, withChallenge(error, challenges))
        }
      )
  }
}

/** A scope value the server does not have is one that no token can have. @throws ConfigurationError naming it. */
function checkScopes({ scopes }: TokenServer, scope: readonly string[] = []): void {
  const unknown = scope.findIndex(value => !scopes.includes(value))
  if (unknown === -1) return
  const all = scopes.length === 0 ? 'it has none' : `they are ${scopes.join(', ')}`
  throw new ConfigurationError(`scope[${unknown}]`, `must be a scope value of the server, by its scopes or resources: ${all}`)
}

/**
 * The access token of a request, proved to be held by its sender: in the Authorization header only; `DPoP` with a proof
 * for tokens bound to a key, `Bearer` for the others; over the certificate it is bound to, if it is.
 *
 * @throws OAuthError `invalid_token` 401, InvalidRequestError, InvalidDpopProofError, UseDpopNonceError: see {@link
 * withChallenge} for how to answer them.
 */
export async function presentedAccessToken(context: AccessTokenContext, req: Request, fromBody?: string): Promise<AccessToken> {
  refuseRepeatedAuthorization(req)
  const credentials = fromBody === undefined ? readCredentials(req.headers.authorization) : { scheme: 'bearer', token: fromBody }
  const token = await verifyAccessToken(context.server, credentials.token)
  if (token === undefined) throw invalidToken('unknown, expired or revoked')
  await checkPossession(context, req, credentials, token)
  return token
}

interface Credentials {
  readonly scheme: string
  readonly token: string
}

/** RFC 6750 §2.1 and RFC 9449 §7.1; the scheme in any case (RFC 9110 §11.1). */
function readCredentials(authorization: string | undefined): Credentials {
  if (authorization === undefined) throw new NoAccessTokenError('no access token was sent')
  const [, scheme, token] = /^(bearer|dpop) +(.+)$/i.exec(authorization) ?? []
  if (scheme === undefined || token === undefined)
    throw new NoAccessTokenError('the Authorization header has no Bearer or DPoP token')
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) throw invalidToken('malformed: no token has such characters')
  return { scheme: scheme.toLowerCase(), token }
}

async function checkPossession(
  context: AccessTokenContext,
  req: Request,
  credentials: Credentials,
  token: AccessToken
): Promise<void> {
  const bound = token.cnf?.['x5t#S256']
  if (bound !== undefined && bound !== certificateThumbprint(context, req))
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
  const path = pathOf(req)
  // what is no path, such as the target of `OPTIONS *`, is at no address
  const addresses = path.startsWith('/') ? addressesOfListener(req, context.origins).map(origin => `${origin}${path}`) : []
  const proved = await verifyDpopProof({
    proof,
    method: req.method,
    addresses,
    access_token: credentials.token,
    body: context.contentDigest === true ? await peekBody(req, largestBody) : undefined,
    policy: context.dpop,
    by: { client_id: token.client_id, traceId: () => traceIdOf(req) }
  })
  if (proved.jkt !== jkt) throw invalidToken('bound to another DPoP key')
}

function certificateThumbprint(context: AccessTokenContext, req: Request): string | undefined {
  const { certificate } = certificateOfRequest(req, context.certificateSource ?? directTls)
  return certificate === undefined ? undefined : thumbprintOf(certificate.der)
}

const interactionIdHeader = 'x-fapi-interaction-id'

/**
 * The request's own where it is one that can be sent back and found again, and otherwise a new UUID (FAPI 1.0 Part 1
 * §6.2.1).
 */
function interactionIdOf({ headers }: Request): string {
  const given = headers[interactionIdHeader]
  return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID()
}

interface Use extends RequireAccessTokenOptions {
  readonly resources: readonly string[]
}

function checkUse(token: AccessToken, { resources, audience, scope = [] }: Use): AccessToken {
  const audiences = audiencesOf(token)
  if (audiences.length === 0 && audience === 'required') throw invalidToken('it names no resource, and here it has to')
  if (audiences.length > 0 && !audiences.some(one => resources.includes(one)))
    throw invalidToken(`for another resource: expected ${resources.join(' or ') || 'none'}, received ${audiences.join(' ')}`)
  const missing = scope.filter(value => !token.scope.includes(value))
  if (missing.length > 0) throw insufficientScope(missing)
  return token
}
