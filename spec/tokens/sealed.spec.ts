import { describe, expect, it } from '@jest/globals'
import { generateKeys, ServerError } from '../../lib/index.ts'
import { opened, sealed } from '../../lib/tokens/sealed.ts'
import { tokens } from './server.ts'

describe('a value a server seals', () => {
  it('is opened for no other purpose, by no other server, and is otherwise the fault of a changed key', async () => {
    const { server } = await tokens()
    const other = await tokens({ keys: await generateKeys(['ES256']) })
    const text = sealed(server, 'spec', { code: 'x' })
    expect(opened(server, 'spec', text)).toEqual({ code: 'x' })
    for (const attempt of [
      () => opened(server, 'another', text),
      () => opened(other.server, 'spec', text),
      () => opened(server, 'spec', text.slice(0, -4)),
      () => opened(server, 'spec', '')
    ])
      expect(attempt).toThrow(ServerError)
  })
})
