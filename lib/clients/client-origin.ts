/** Origins of clients, and so who vouches for what they say of themselves. */
import type { Client } from './client.ts'

/**
 * `configured`: the operator's own list or function. `registered`: it registered itself, and nobody vouches for it.
 * `vouched`: it registered with an initial access token or a software statement that was accepted. `document`: its
 * client_id is the address of what it says of itself; its host vouches for it, and nobody else.
 */
export type ClientOrigin = 'configured' | 'registered' | 'vouched' | 'document'

const origins = new WeakMap<Client, ClientOrigin>()

/** Finds the origin of a client, given as the very object that a server, a prompt or a page was given. */
export function clientOrigin(client: Client): ClientOrigin {
  return origins.get(client) ?? 'configured'
}

/** Whether somebody this server's operator trusts stands for what the client says of itself. */
export function isVouchedFor(client: Client): boolean {
  const origin = clientOrigin(client)
  return origin !== 'registered' && origin !== 'document'
}

/** Remembers where a client comes from that no operator configured. */
export function withOrigin(client: Client, origin: ClientOrigin): Client {
  origins.set(client, origin)
  return client
}
