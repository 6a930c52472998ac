/** Whether those whom grants and tokens name are still somebody here: people, and clients. */
import { InvalidGrantError, TemporarilyUnavailableError } from '../errors.ts'
import type { TokenServer } from './token-server.ts'
import { isJsonObject } from '../json.ts'

/**
 * Whether a person is still somebody here, by the application's `account`; true where it did not say how to ask. `true`
 * and an object are a yes, whatever else it answers is none.
 *
 * @throws TemporarilyUnavailableError where it throws or rejects.
 */
export async function hasAccount(server: Pick<TokenServer, 'account'>, sub: string): Promise<boolean> {
  if (server.account === undefined) return true
  let answer: unknown
  try {
    answer = await server.account(sub)
  } catch (cause) {
    throw new TemporarilyUnavailableError({ reason: 'account() failed; see the cause', cause })
  }
  return answer === true || isJsonObject(answer)
}

/**
 * @throws InvalidGrantError where the person is nobody here any more; TemporarilyUnavailableError as {@link
 * hasAccount}.
 */
export async function checkAccount(server: Pick<TokenServer, 'account'>, sub: string): Promise<void> {
  if (await hasAccount(server, sub)) return
  throw new InvalidGrantError('this grant is not valid', { reason: 'its person is nobody here any more, says account()' })
}

/** The subject of a token, and its holder. */
export interface Holders {
  readonly client_id: string
  readonly sub: string
  /** Whether `sub` is a person, or a client that acts for itself. */
  readonly about: 'person' | 'client'
}

/** Whether all of them are still there. @throws TemporarilyUnavailableError where that cannot be found out. */
export async function areStillThere(server: TokenServer, { client_id, sub, about }: Holders): Promise<boolean> {
  const { hasClient } = server
  if (hasClient !== undefined && !(await hasClient(client_id))) return false
  if (about === 'person') return server.account === undefined || hasAccount(server, sub)
  return sub === client_id || hasClient === undefined || hasClient(sub)
}
