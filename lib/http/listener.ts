/** Which of a server's addresses a request was sent to. */
import type { IncomingMessage } from 'node:http'

/**
 * The addresses of the listener the connection came in on: those whose port is the socket's own. Where none is, as
 * behind a proxy that listens elsewhere, all of them. The Host header has no say.
 */
export function addressesOfListener(req: Pick<IncomingMessage, 'socket'>, addresses: readonly string[]): readonly string[] {
  if (addresses.length < 2) return addresses
  const { localPort } = req.socket
  const here = addresses.filter(address => portOf(new URL(address)) === localPort)
  return here.length > 0 ? here : addresses
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port)
  return protocol === 'https:' ? 443 : 80
}
