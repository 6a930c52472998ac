/** Where clients come from: a list, a function, or a registry of somebody's own. */
import { describe, expect, it } from '@jest/globals'
import { clientRegistry, toClient, type ClientMetadata, type ClientSource } from '../../lib/clients/client.ts'
import { ConfigurationError } from '../../lib/options.ts'

/** What is wrong with metadata that types would not let through. */
const wrong = (members: Record<string, unknown>) => ({ ...billing, ...members }) as ClientMetadata

const billing: ClientMetadata = { client_id: 'billing', client_secret: 'hunter2-hunter2' }

describe('clientRegistry', () => {
  const spa: ClientMetadata = { client_id: 'spa', token_endpoint_auth_method: 'none' }

  describe('of a list', () => {
    it('finds a client by exactly its client_id', async () => {
      const registry = clientRegistry([billing, spa])
      expect(await registry.find('spa')).toBe(toClient(spa))
      for (const client_id of ['SPA', 'spa ', '', '0', '__proto__', 'constructor'])
        expect(await registry.find(client_id)).toBeUndefined()
    })

    it('is checked at once, and names the client that is wrong', () => {
      expect(() => clientRegistry([billing, wrong({ client_id: '' })])).toThrow(
        expect.objectContaining({ key: 'clients[1].client_id' })
      )
    })

    it('has no two clients of one client_id', () => {
      expect(() => clientRegistry([billing, spa, { ...spa }])).toThrow(
        new ConfigurationError('clients[2].client_id', 'is already the client_id of another client')
      )
    })
  })

  describe('of a function', () => {
    it('asks it, whether it answers at once or later', async () => {
      expect(await clientRegistry(() => spa).find('spa')).toBe(toClient(spa))
      expect(await clientRegistry(() => Promise.resolve(spa)).find('spa')).toBe(toClient(spa))
      expect(await clientRegistry(() => undefined).find('spa')).toBeUndefined()
      expect(await clientRegistry(() => null).find('spa')).toBeUndefined()
    })

    it('makes a new client as soon as the function returns new metadata', async () => {
      let metadata = spa
      const registry = clientRegistry(() => metadata)
      const first = await registry.find('spa')
      expect(await registry.find('spa')).toBe(first)
      metadata = { ...spa, client_name: 'renamed' }
      expect(await registry.find('spa')).toMatchObject({ client_name: 'renamed' })
    })

    it('never answers with a client of another client_id', async () => {
      const loose = clientRegistry(client_id => (client_id.trim().toLowerCase() === 'spa' ? spa : undefined))
      expect(await loose.find('spa')).toBeDefined()
      for (const client_id of ['SPA', ' spa', 'spa\n']) {
        expect(await loose.find(client_id)).toBeUndefined()
      }
    })

    it('rejects where the function throws or rejects', async () => {
      const down = () => {
        throw new Error('no connection')
      }
      await expect(clientRegistry(down).find('spa')).rejects.toThrow('no connection')
      await expect(clientRegistry(() => Promise.reject(new Error('timed out'))).find('spa')).rejects.toThrow('timed out')
    })
  })

  it('is one for one source, and a registry is its own', () => {
    const list = [spa]
    const lookUp = () => spa
    expect(clientRegistry(list)).toBe(clientRegistry(list))
    expect(clientRegistry(lookUp)).toBe(clientRegistry(lookUp))
    expect(clientRegistry([spa])).not.toBe(clientRegistry(list))
    expect(clientRegistry(clientRegistry(list))).toBe(clientRegistry(list))
  })

  it.each<unknown>([undefined, null, {}, 'clients', 7, new Map(), { find: 'spa' }])('is not made of %p', source => {
    const attempt = () => clientRegistry(source as ClientSource)
    expect(attempt).toThrow(ConfigurationError)
    expect(attempt).toThrow('clients must be a list of client metadata or a function')
  })
})
