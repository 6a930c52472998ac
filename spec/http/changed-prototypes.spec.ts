import { describe, expect, it } from '@jest/globals'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createServer } from '../../lib/create-server.ts'
import { settleExchange } from '../../lib/http/changed-prototypes.ts'

interface Seen {
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly values: boolean
}

/** Settles one exchange inside a handler, and tells what became of the objects. */
function settleAndLook(req: IncomingMessage, res: ServerResponse): Seen {
  const keys = () => [...Object.keys(req), '|', ...Object.keys(res)]
  const values = () => [req, res].map(object => new Map(Object.entries(object)))
  const [before, kept] = [keys(), values()]
  settleExchange(req, res)
  const same = values().every((now, index) => {
    const then = kept[index] ?? new Map<string, unknown>()
    return then.size === now.size && [...then].every(([name, value]) => now.get(name) === value)
  })
  return { before, after: keys(), values: same }
}

async function seenBy(server: ReturnType<typeof createHttpServer>): Promise<Seen> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'a=1' })
    expect(response.status).toBe(201)
    expect(response.headers.get('x-own')).toBe('kept')
    return (await response.json()) as Seen
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

function answer(req: IncomingMessage, res: ServerResponse): void {
  res.setHeader('X-Own', 'kept')
  res.statusCode = 201
  const seen = settleAndLook(req, res)
  req.resume().on('end', () => res.end(JSON.stringify(seen)))
}

function appThat(handle: typeof answer): express.Express {
  const app = express()
  app.use((req, res) => {
    handle(req, res)
  })
  return app
}

describe('settleExchange()', () => {
  it('keeps every own member and its value, in an application that changed the prototypes', async () => {
    const { before, after, values } = await seenBy(createHttpServer(appThat(answer)))
    expect(values).toBe(true)
    expect(after.toSorted()).toEqual(before.toSorted())
    // that something was done shows in the order of the keys alone
    expect(after).not.toEqual(before)
  })

  it.each([
    ['on node:http', () => createHttpServer(answer)],
    ['on createServer()', () => createServer(appThat(answer))]
  ])('does nothing where the prototypes are those of the classes: %s', async (_, make) => {
    const { before, after } = await seenBy(make())
    expect(after).toEqual(before)
  })

  it('leaves an object alone whose member cannot be taken out', () => {
    const sealed = Object.create({}, { statusMessage: { value: 'fixed', enumerable: true } }) as IncomingMessage
    const bare = Object.create(null) as ServerResponse
    expect(() => settleExchange(sealed, bare)).not.toThrow()
    expect(sealed.statusMessage).toBe('fixed')
  })
})
