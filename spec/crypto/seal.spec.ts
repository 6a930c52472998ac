import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { generateKeys } from '../../lib/index.ts'
import { open, seal } from '../../lib/crypto/seal.ts'
import { tokens } from '../tokens/server.ts'

describe('what is sealed', () => {
  it('is opened again, whatever it is, and looks like nothing', async () => {
    const { server } = await tokens()
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), text => {
        const sealed = seal(server, 'spec', text)
        expect(sealed).toMatch(/^[\w-]+$/)
        expect(open(server, 'spec', sealed)).toBe(text)
      })
    )
    expect(seal(server, 'spec', 'the token')).not.toBe(seal(server, 'spec', 'the token'))
  })

  it('is opened for no other purpose, by no other server, and in no other form', async () => {
    const { server } = await tokens()
    const other = await tokens({ keys: await generateKeys(['ES256']) })
    const sealed = seal(server, 'spec', 'the token')
    const bytes = Buffer.from(sealed, 'base64url')
    const opened = (attempt: () => string) => {
      try {
        return attempt()
      } catch (error) {
        return (error as { error?: string }).error
      }
    }
    expect(opened(() => open(server, 'another', sealed))).toBe('server_error')
    expect(opened(() => open(other.server, 'spec', sealed))).toBe('server_error')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(opened(() => open(server, 'spec', changed.toString('base64url')))).toBe('server_error')
    }
    for (const broken of ['', 'x', sealed.slice(0, 30), sealed.slice(0, -4)])
      expect(opened(() => open(server, 'spec', broken))).toBe('server_error')
  })
})
