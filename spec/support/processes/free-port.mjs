/** Ports for servers of the checks, in whatever runner they start. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port nothing listens on, drawn from those the system gives nobody who does not ask for one by name: what others are given meanwhile is
 * never this one.
 */
export async function freePort() {
  const port = randomInt(12_000, 32_000)
  const server = createServer().listen(port, '127.0.0.1')
  const isFree = await once(server, 'listening').then(
    () => true,
    () => false
  )
  if (!isFree) return freePort()
  server.close()
  await once(server, 'close')
  return port
}
