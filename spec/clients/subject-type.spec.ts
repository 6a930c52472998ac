import { describe, expect, it } from '@jest/globals'
import type { ClientMetadata } from '../../lib/index.ts'
import { toClient } from '../../lib/clients/client.ts'
import { sectorOf } from '../../lib/clients/subject-type.ts'

const client = (metadata: object): ClientMetadata => ({ client_id: 'a', client_secret: 's', ...metadata })
const pairwise = (metadata: object): ClientMetadata => client({ subject_type: 'pairwise', ...metadata })

describe('the sector of a client', () => {
  it.each<[string | undefined, object]>([
    ['client.example', { redirect_uris: ['https://client.example/cb'] }],
    ['client.example', { redirect_uris: ['https://client.example/cb', 'https://CLIENT.example:8443/other?a=b'] }],
    ['client.example', { redirect_uris: ['https://client.example/cb', 'http://client.example/cb'] }],
    ['127.0.0.1', { redirect_uris: ['http://127.0.0.1/cb'] }],
    ['[::1]', { redirect_uris: ['http://[::1]:99/cb'] }],
    ['xn--bcher-kva.example', { redirect_uris: ['https://bücher.example/cb', 'https://xn--bcher-kva.example/'] }],
    [
      'sector.example',
      { redirect_uris: ['https://client.example/cb'], sector_identifier_uri: 'https://sector.example/uris.json' }
    ],
    ['sector.example', { redirect_uris: [], sector_identifier_uri: 'https://Sector.Example:8443/' }],
    [undefined, { redirect_uris: [] }],
    [undefined, {}],
    [undefined, { redirect_uris: ['https://one.example/cb', 'https://two.example/cb'] }],
    [undefined, { redirect_uris: ['https://client.example/cb', 'com.example.app:/cb'] }],
    [undefined, { redirect_uris: ['com.example.app:/cb'] }],
    [undefined, { redirect_uris: ['com.example.app://client.example/cb'] }]
  ])('is %s for %j', (sector, metadata) => {
    expect(sectorOf(metadata)).toBe(sector)
  })
})

describe('subject_type', () => {
  it.each([
    {},
    { subject_type: 'public' },
    { subject_type: 'public', redirect_uris: ['https://one.example/cb', 'https://two.example/cb'] },
    { subject_type: 'pairwise', redirect_uris: ['https://one.example/cb'] },
    {
      subject_type: 'pairwise',
      redirect_uris: ['https://one.example/cb', 'https://two.example/cb', 'com.example.app:/cb'],
      sector_identifier_uri: 'https://sector.example/uris.json'
    },
    { subject_type: 'pairwise', grant_types: ['client_credentials'], sector_identifier_uri: 'https://sector.example' }
  ])('is taken: %j', metadata => {
    expect(toClient(client(metadata))).toMatchObject(metadata)
  })

  it.each<[string, ClientMetadata]>([
    ['subject_type', client({ subject_type: 'Pairwise' })],
    ['subject_type', client({ subject_type: '' })],
    ['subject_type', client({ subject_type: ['pairwise'] })],
    ['sector_identifier_uri', pairwise({})],
    ['sector_identifier_uri', pairwise({ redirect_uris: ['https://one.example/cb', 'https://two.example/cb'] })],
    ['sector_identifier_uri', pairwise({ redirect_uris: ['com.example.app:/cb'] })],
    ...[
      'http://sector.example',
      'sector.example',
      'https://',
      'https://user@sector.example/',
      'https://sector.example@evil.example/',
      'https://sector.example/#',
      'https:\\\\sector.example',
      'javascript:alert(1)',
      '',
      5
    ].map((uri): [string, ClientMetadata] => ['sector_identifier_uri', client({ sector_identifier_uri: uri })])
  ])('is refused, naming %s: %j', (member, metadata) => {
    const make = () => toClient(metadata, 'clients[3]')
    expect(make).toThrow(expect.objectContaining({ name: 'ConfigurationError', key: `clients[3].${member}` }))
  })
})
