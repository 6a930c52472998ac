/** The revocation endpoint (RFC 7009): a client is done with a token. */
import type { Request, Response } from 'express'
import type { Client } from '../clients/client.ts'
import { InvalidRequestError } from '../errors.ts'
import { readClientRequest } from '../http/client-request.ts'
import { sendDone } from '../http/responses.ts'
import { revokeToken } from '../tokens/revocation.ts'
import { clientHandlerOf, type Endpoint, type EndpointContext } from './endpoint.ts'

/**
 * Answers POST with `token`; `token_type_hint` is not needed to find it. Clients authenticate as at the token endpoint,
 * public ones name themselves. The answer is 200 without a body whatever became of the token: nobody learns here
 * whether a token exists (RFC 7009 §2.2).
 */
export function revocationEndpoint(context: Pick<EndpointContext, 'authentication' | 'server'>): Endpoint {
  const { strategies, authenticate } = context.authentication('revocation')
  const handler = clientHandlerOf(authenticate, (client, req, res) => answer(context, client, req, res))
  return { member: 'revocation_endpoint', caller: 'client', strategies, handler }
}

async function answer({ server }: Pick<EndpointContext, 'server'>, client: Client, req: Request, res: Response): Promise<void> {
  const sent = await readClientRequest(req)
  const { token } = sent.parameters
  if (token === undefined) throw new InvalidRequestError('token is missing')
  await revokeToken(server, token, client.client_id, sent)
  sendDone(res)
}
