/** The one way to ask for a client, whoever asks. */
import { OAuthError, TemporarilyUnavailableError } from '../errors.ts'
import type { Client, ClientRegistry } from './client.ts'

/**
 * Finds a client; undefined where there is none. @throws TemporarilyUnavailableError when the source does not answer,
 * or as it says itself.
 */
export async function findClient(clients: ClientRegistry, client_id: string): Promise<Client | undefined> {
  try {
    return await clients.find(client_id)
  } catch (cause) {
    if (cause instanceof OAuthError) throw cause
    throw new TemporarilyUnavailableError({ reason: 'the client could not be looked up', cause })
  }
}
