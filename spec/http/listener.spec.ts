import { describe, expect, it } from '@jest/globals'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { addressesOfListener } from '../../lib/http/listener.ts'

/** A real request, and the port it came in on. */
async function received<T>(look: (req: IncomingMessage, port: number) => T): Promise<T> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const looked = new Promise<T>(resolve =>
    server.once('request', (req, res) => {
      resolve(look(req, port))
      res.end()
    })
  )
  await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
  server.close()
  return looked
}

describe('the addresses of the listener a request came in on', () => {
  it('are those with its port', async () => {
    const found = await received((req, port) => {
      const here = [`https://as.example.com:${port}/token`, `http://localhost:${port}/token`]
      return [addressesOfListener(req, ['https://as.example.com/token', ...here, 'https://as.example.com:1/token']), here]
    })
    expect(found[0]).toEqual(found[1])
  })

  it('are all of them where none has its port, as behind a proxy', async () => {
    const all = ['https://as.example.com/token', 'http://localhost/token']
    expect(await received(req => addressesOfListener(req, all))).toEqual(all)
  })

  it('are the only one there is, whatever its port', async () => {
    expect(await received(req => addressesOfListener(req, ['https://as.example.com']))).toEqual(['https://as.example.com'])
  })
})
