/** Which of several methods that look alike a request is meant for. */
import type { Client } from '../clients/client.ts'
import { credentialSet } from '../clients/credentials.ts'
import type { ClientRequest } from '../client-request.ts'
import type { ClientAuthenticationStrategy } from './strategy.ts'

/** Stands for a client that is not there, so that as much is done for it. */
const nobody: Client = Object.freeze({
  client_id: '',
  token_endpoint_auth_method: '',
  grant_types: [],
  response_types: [],
  redirect_uris: []
})

/**
 * The one the client may use; of several such, and where it may use none, the one that the request looks like. Whether it may use it at this time is not
 * judged here. The first of none is undefined.
 */
export function chooseForClient(
  strategies: readonly ClientAuthenticationStrategy[],
  client: Client | undefined,
  request: ClientRequest
): ClientAuthenticationStrategy | undefined {
  const { methods } = credentialSet(client ?? nobody)
  const allowed = strategies.filter(({ name }) => methods.some(({ method }) => method === name))
  if (allowed.length === 1) return allowed[0]
  // where it may use none, the one that is chosen refuses it, and tells what was there
  const alike = allowed.length === 0 ? strategies : allowed
  const suiting = alike.map(strategy => suits(strategy, request, client ?? nobody))
  return alike[suiting.indexOf(true)] ?? alike[suiting.indexOf(undefined)] ?? alike[0]
}

function suits(strategy: ClientAuthenticationStrategy, request: ClientRequest, client: Client): boolean | undefined {
  try {
    return strategy.suits?.(request, client)
  } catch {
    // a certificate that cannot be read, say: whoever judges the request meets it too, and answers
    return false
  }
}
