/**
 * The introspection endpoint (RFC 7662): what a token says, for resources that cannot or do not want to read it
 * themselves.
 */
import type { Request, Response } from 'express'
import type { Client } from '../clients/client.ts'
import { InvalidRequestError } from '../errors.ts'
import { readClientRequest } from '../http/client-request.ts'
import { notStored, sendJson, sendJwt } from '../http/responses.ts'
import { introspect } from '../tokens/introspection.ts'
import { clientHandlerOf, type Endpoint, type EndpointContext } from './endpoint.ts'
import { signFor } from '../tokens/signed-response.ts'

const signed = 'application/token-introspection+jwt'

/**
 * Answers POST of a confidential client with `token`; `token_type_hint` is not needed to find it. A client is told
 * about its own tokens and those of the resources that list it; about any other `{"active":false}`. Signed where the
 * request accepts `application/token-introspection+jwt` before JSON (RFC 9701 §4).
 */
export function introspectionEndpoint(context: Pick<EndpointContext, 'authentication' | 'server'>): Endpoint {
  const { strategies, authenticate } = context.authentication('introspection')
  const handler = clientHandlerOf(authenticate, (client, req, res) => answer(context, client, req, res))
  const metadata = { introspection_signing_alg_values_supported: context.server.idTokenAlgorithms }
  return { member: 'introspection_endpoint', caller: 'client', strategies, handler, metadata }
}

async function answer({ server }: Pick<EndpointContext, 'server'>, client: Client, req: Request, res: Response): Promise<void> {
  const { parameters, authentication } = await readClientRequest(req)
  const { token } = parameters
  if (token === undefined) throw new InvalidRequestError('token is missing')
  const token_introspection = await introspect(server, token, client, authentication)
  if (!wantsSigned(req)) {
    sendJson(res, 200, token_introspection, notStored)
    return
  }
  const claims = { iat: Math.floor(server.clock() / 1000), token_introspection }
  const jwt = await signFor(server, client, client.introspection_signed_response_alg, claims, 'token-introspection+jwt')
  sendJwt(res, jwt, signed, notStored)
}

/** Values of `Accept` from nearly every resource server, undefined where it sends none: they need not be weighed. */
const plainlyJson: ReadonlySet<string | undefined> = new Set([undefined, '*/*', 'application/json'])

function wantsSigned(req: Request): boolean {
  return !plainlyJson.has(req.headers.accept) && req.accepts(['application/json', signed]) === signed
}
