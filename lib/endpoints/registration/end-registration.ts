/** The end of a registered client, by itself (RFC 7592 §2.3) or by whoever operates the server. */
import { grantTtl } from '../../tokens/refresh-token.ts'
import type { Registrar } from './record.ts'

/** In seconds: the most that `maxAge` may be, and as much again for clocks and requests under way. */
const longestUnseen = 7200

/**
 * Nothing of the client works any more: it cannot authenticate, and its tokens are refused for as long as they would
 * have lived.
 *
 * @param trace_id of the request that ends it, where one does.
 */
export async function endRegistration({ context, registration }: Registrar, client_id: string, trace_id?: string): Promise<void> {
  // what a process gave out before it saw the end lives no longer than this either
  await registration.registrations.end(client_id, grantTtl(context.server, { refresh: undefined }) + longestUnseen)
  context.server.emit?.({ type: 'client.ended', client_id, ...(trace_id !== undefined && { trace_id }) })
}

/** Clients that registered themselves, for whoever operates the server. */
export interface RegistrationFunctions {
  /**
   * Ends a client that registered itself: it cannot authenticate any more, and its tokens are refused. Other processes
   * see it within `maxAge`. Resolves to whether there was one; a configured client is none.
   */
  delete(client_id: string): Promise<boolean>
}

/** @param registrar undefined where clients cannot register: then there are none. */
export function registrationFunctions(registrar: Registrar | undefined): RegistrationFunctions {
  return {
    async delete(client_id) {
      if (registrar === undefined || (await registrar.registration.registrations.read(client_id)) === undefined) return false
      await endRegistration(registrar, client_id)
      return true
    }
  }
}
