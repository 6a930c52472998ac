/** The token endpoint's handler: authenticates the client, then lets the grant's token issuer answer. */
import { type Request, type RequestHandler, type Response } from 'express'
import { offerDpopNonce } from '../assertions/dpop-nonces.ts'
import { authenticateWith } from '../authentication/authenticate-client.ts'
import type { ClientRequest } from '../client-request.ts'
import type { Client } from '../clients/client.ts'
import { InvalidClientError, InvalidRequestError, ServerError, TemporarilyUnavailableError } from '../errors.ts'
import { readClientRequest } from '../http/client-request.ts'
import { harmless } from '../listeners.ts'
import { addressesOfListener } from '../http/listener.ts'
import { sendTokenResponse } from '../http/responses.ts'
import { carriesConfirmation, readConfirmation } from './confirmation.ts'
import { recordsUse, selectTokenIssuer } from '../token-issuers/token-issuer.ts'
import { watchTokenRequest, type WatchedTokenRequest } from './watch.ts'
import { settleNow, type LateUse } from '../stores/late-use.ts'
import type { Store } from '../stores/store.ts'
import { isSenderConstrained } from '../tokens/confirmation.ts'
import type { TokenResponse } from '../tokens/token-server.ts'
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
      shadow: parts.shadow,
      // what else such a request uses up, or does, comes after its client
      recordsIn: ({ parameters: { grant_type = '' }, headers }) =>
        headers['dpop'] === undefined && recordsUse(parts.tokenIssuers.get(grant_type)) ? parts.store : undefined
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
  const { lateUse } = request
  const authenticated = (): void => watched?.authenticated(client, knownGrant(parts, request))
  let response: TokenResponse
  if (lateUse === undefined) {
    authenticated()
    response = await answer(parts, req, request, client)
  } else {
    try {
      response = await settling(lateUse, parts.server.store, () => answer(parts, req, request, client))
    } finally {
      if (request.judged === client && lateUse.isSettled) authenticated()
      else delete req.authenticatedClient
    }
  }
  sendTokenResponse(res, response)
  watched?.issued()
}

function knownGrant({ tokenIssuers }: TokenEndpointParts, { parameters: { grant_type } }: ClientRequest): string | undefined {
  return grant_type !== undefined && tokenIssuers.has(grant_type) ? grant_type : undefined
}

/**
 * Answers, and sees to it that what proved the client has been used up by then, whatever the answer is: whoever
 * presents it again learns that, and not what else is wrong.
 */
async function settling(use: LateUse, store: Store, work: () => Promise<TokenResponse>): Promise<TokenResponse> {
  try {
    let refusal: unknown
    const response = await work().catch((error: unknown) => {
      // whether the store has recorded it, nobody can say
      if (use.isSettled || error instanceof TemporarilyUnavailableError) throw error
      refusal = error
    })
    await settleNow(use, store)
    if (response === undefined) throw refusal
    return response
  } catch (error) {
    if (!use.isSettled) use.ended?.(error)
    throw error
  }
}

async function answer(parts: TokenEndpointParts, req: Request, request: ClientRequest, client: Client): Promise<TokenResponse> {
  const { parameters, authentication = { method: client.token_endpoint_auth_method }, traceId, lateUse } = request
  const { grant_type } = parameters
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
  const useAssertion = byGrant.read(req)?.useAssertion
  return tokenIssuer.issue(
    { client, parameters, authentication, confirmation, tokenEndpoints, grant_type, traceId, useAssertion, lateUse },
    server
  )
}
