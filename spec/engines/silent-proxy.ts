/** A way to a server that can fall silent: connections stay open and nothing comes through any more, as when a machine has gone. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface SilentProxy {
  readonly port: number
  /** The connections there are fall silent for good; new ones are served. */
  silence(): void
  close(): void
}

export async function startProxy(target: number): Promise<SilentProxy> {
  const pairs = new Set<[Socket, Socket]>()
  const server = createServer(inbound => {
    const outbound = connect(target, '127.0.0.1')
    const pair: [Socket, Socket] = [inbound, outbound]
    pairs.add(pair)
    inbound.pipe(outbound).pipe(inbound)
    for (const socket of pair) {
      socket.on('error', () => undefined)
      socket.on('close', () => pair.forEach(each => each.destroy()))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    silence() {
      for (const [inbound, outbound] of pairs) {
        inbound.unpipe()
        outbound.unpipe()
        inbound.pause()
        outbound.pause()
      }
      pairs.clear()
    },
    close() {
      server.close()
      for (const pair of pairs) for (const socket of pair) socket.destroy()
    }
  }
}
