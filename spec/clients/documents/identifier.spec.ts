import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { documentAddressProblem, namesDocument } from '../../../lib/clients/documents/identifier.ts'

describe('a client_id that names a document', () => {
  it.each([
    'https://app.example/client.json',
    'https://app.example/a/b?v=1',
    'https://app.example:443/client.json',
    'https://127.0.0.1:8443/c',
    'https://[::1]/c'
  ])('%s', client_id => {
    expect(namesDocument(client_id)).toBe(true)
    expect(documentAddressProblem(client_id)).toBeUndefined()
  })

  it.each([
    'https://app.example',
    'https://app.example/',
    'https://app.example?x=/y',
    'https://app.example/client.json#part',
    'https://me@app.example/c',
    'https://me:pass@app.example/c',
    'https://@app.example/c',
    'https://app.example/a/../c',
    'https://app.example/a/./c',
    'https://app.example/a/%2e%2E/c',
    'https://app.example/a/.%2e',
    'https://app.example/a b',
    ' https://app.example/c'.trimStart() + ' ',
    'https://app.example/c\n',
    'https://app.example\\c',
    'https:/app.example/c',
    'https:app.example/c',
    'https://2130706433/c',
    'https://127.1/c',
    'https://app.example/%zz',
    'https://äpp.example/c',
    `https://app.example/${'c'.repeat(2001)}`
  ])('is not %j', client_id => {
    expect(namesDocument(client_id) && documentAddressProblem(client_id) === undefined).toBe(false)
  })

  it.each(['web', 'http://app.example/c', 'HTTPS://app.example/c', 'urn:x:y', ''])('is not meant by %j', client_id => {
    expect(namesDocument(client_id)).toBe(false)
  })

  it('is judged without a throw, and what passes has a host and a path of its own', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.webPath()), text => {
        const client_id = `https://${text.replace(/^https?:\/\//, '')}`
        if (documentAddressProblem(client_id) !== undefined) return
        const { protocol, username, pathname, hash } = new URL(client_id)
        expect([protocol, username, hash, pathname.length > 1]).toEqual(['https:', '', '', true])
      })
    )
  })
})
