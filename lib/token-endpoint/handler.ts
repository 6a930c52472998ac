/** The token endpoint's handler: authenticates the client, then lets the grant's token issuer answer. */
import { type Request, type RequestHandler, type Response } from 'express'
import { offerDpopNonce } from '../assertions/dpop-nonces.ts'
import { authenticateWith } from '../authentication/authenticate-client.ts'
import { InvalidClientError, InvalidRequestError, ServerError } from '../errors.ts'
import { readClientRequest } from '../http/client-request.ts'
import { harmless } from '../listeners.ts'
import { addressesOfListener } from '../http/listener.ts'
import { sendTokenResponse } from '../http/responses.ts'
import { carriesConfirmation, readConfirmation } from './confirmation.ts'
import { selectTokenIssuer } from '../token-issuers/token-issuer.ts'
import { watchTokenRequest, type WatchedTokenRequest } from './watch.ts'
import { isSenderConstrained } from '../tokens/confirmation.ts'
import type { TokenEndpointParts } from './parts.ts'
import type { TokenRouterOptions } from './options.ts'
import { authenticateByGrant, byGrant } from './grant-authentication.ts'

export function tokenEndpoint(
  parts: TokenEndpointParts,
  {
    jsonBody,
    certificateSource,
    onDecision,
    onJudged
  }: Pick<TokenRouterOptions, 'jsonBody' | 'certificateSource' | 'onDecision' | 'onJudged'>
): RequestHandler {
  const { clients, strategies, guesses } = parts
  const authenticate = authenticateWith(
    {
      ...{ clients, strategies, endpoint: 'token', jsonBody, certificateSource, onDecision, onJudged, guessProtection: guesses },
      addresses: parts.tokenEndpoints,
      further: parts.attestation?.further,
      shadow: parts.shadow
    },
    parts.events
  )
  const told = harmless('onDecision', onDecision)
  return (req, res, next) => {
    offerDpopNonce(res, parts.dpop)
    const watched = watchTokenRequest(parts.server, req)
    const refuse = (error: unknown): void => {
      watched?.refused(error)
      next(error)
    }
    const authenticated = (error?: unknown): void => {
      if (error === undefined)
        issue(parts, req, res, watched).catch((thrown: unknown) => {
          byGrant.read(req)?.unused()
          refuse(failure(thrown))
        })
      else refuse(error)
    }
    const usual = (): void => void authenticate(req, res, authenticated)
    const { workloadGrant } = parts
    const begin =
      workloadGrant === undefined
        ? usual
        : () => {
            const reading = readClientRequest(req, { endpoint: 'token', jsonBody, certificateSource })
            reading
              .then(async request => {
                const judge = workloadGrant(request)
                if (judge === undefined) usual()
                else await authenticateByGrant(judge, { req, res, request, parts, told }, authenticated)
              })
              .catch(authenticated)
          }
    if (watched === undefined) begin()
    else watched.run(begin)
  }
}

/** Express takes `next(undefined)` and `next('router')` for something else than an error. */
function failure(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new ServerError({ reason: 'what was thrown is no error; see the cause', cause: thrown })
}

async function issue(
  parts: TokenEndpointParts,
  req: Request,
  res: Response,
  watched: WatchedTokenRequest | undefined
): Promise<void> {
  const client = req.authenticatedClient
  // Passport calls next() only after success; a strategy of somebody's own might pass()
  if (client === undefined) throw new InvalidClientError({ reason: 'the strategy let the request through without a client' })
  const request = await readClientRequest(req)
  const { parameters, authentication = { method: client.token_endpoint_auth_method }, traceId } = request
  const { grant_type } = parameters
  watched?.authenticated(client, grant_type !== undefined && parts.tokenIssuers.has(grant_type) ? grant_type : undefined)
  const tokenIssuer = selectTokenIssuer(parts.tokenIssuers, grant_type, client, authentication.method)
  const confirmation = carriesConfirmation(request, client)
    ? await readConfirmation(request, client, parts.dpop, addressesOfListener(req, parts.tokenEndpoints))
    : undefined
  if (parts.senderConstrained && !isSenderConstrained(confirmation)) {
    throw new InvalidRequestError('a DPoP proof or a client certificate is needed', {
      reason: 'FAPI 2.0 §5.3.2.1 (4): tokens are sender-constrained'
    })
  }
  const { tokenEndpoints, server } = parts
  const response = await tokenIssuer.issue(
    {
      client,
      parameters,
      authentication,
      confirmation,
      tokenEndpoints,
      grant_type,
      traceId,
      useAssertion: byGrant.read(req)?.useAssertion
    },
    server
  )
  sendTokenResponse(res, response)
  watched?.issued()
}
