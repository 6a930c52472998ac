/** Which of several methods that look alike a request is meant for. */
import type { Client } from '../client.ts'
import { credentialSet } from '../client-credential-set.ts'
import type { ClientRequest } from '../request.ts'
import type { ClientAuthenticationStrategy } from './strategy.ts'

/**
 * The one the client may use; of several such the one that suits the request. Undefined where it may use none of them. Whether it may at this time is
 * not judged here.
 */
export function chooseForClient(
  strategies: readonly ClientAuthenticationStrategy[],
  client: Client,
  request: ClientRequest
): ClientAuthenticationStrategy | undefined {
  const { methods } = credentialSet(client)
  const allowed = strategies.filter(({ name }) => methods.some(({ method }) => method === name))
  if (allowed.length < 2) return allowed[0]
  return allowed.find(strategy => strategy.suits?.(request, client) !== false) ?? allowed[0]
}
