/**
 * Authorization requests by POST. Browsers leave the session's cookie out of a POST from another site, and an
 * application would take its person for somebody new; so the request goes on as a GET, to which the cookie belongs,
 * before anybody asks who is there.
 */
import type { Client } from '../../clients/client.ts'
import { sendSeeOther } from '../../http/responses.ts'
import { redirecting } from './answering.ts'
import type { Exchange } from './exchange.ts'
import { queryOf, type AuthorizationParameters } from '../../authorization-requests/parameters.ts'
import type { PendingAuthorization } from './pending.ts'
import { keepPushedRequest } from '../../authorization-requests/pushed-request.ts'

/** Characters of a query that every proxy and server on the way lets through. */
const longestQuery = 4000

/**
 * Answers with 303 to the same request by GET (RFC 9110 §15.4.4). One that is too long for a URL is judged and kept as
 * a pushed one is, for as long.
 *
 * @param judge reads the request; undefined where it answered with an error.
 */
export async function sendOn(
  exchange: Exchange,
  parameters: AuthorizationParameters,
  judge: () => Promise<{ readonly client: Client; readonly pending: Pick<PendingAuthorization, 'request'> } | undefined>
): Promise<void> {
  const query = queryOf(parameters)
  if (query.length <= longestQuery) {
    sendToGet(exchange, query)
    return
  }
  const judged = await judge()
  if (judged === undefined) return
  const { client, pending } = judged
  const { client_id } = client
  await redirecting(exchange, { ...pending.request, client }, { pending: {} }, async () => {
    const { server, anonymousBudget } = exchange.context
    anonymousBudget.spend(exchange.req, pending)
    const request_uri = await keepPushedRequest(server, pending.request)
    sendToGet(exchange, new URLSearchParams({ client_id, request_uri }).toString())
  })
}

function sendToGet({ context, res }: Exchange, query: string): void {
  sendSeeOther(res, `${context.addressOf('authorization_endpoint')}?${query}`)
}
