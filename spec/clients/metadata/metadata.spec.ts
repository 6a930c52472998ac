/** Every member of client metadata, given values of other kinds, by configuration and by registration: made from the table itself. */
import { describe, expect, it } from '@jest/globals'
import { toClient } from '../../../lib/clients/client.ts'
import { clientMetadata, memberOf, type ClientMetadata, type MetadataMember } from '../../../lib/clients/metadata/metadata.ts'
import { ConfigurationError } from '../../../lib/options.ts'
import { everything, refusal } from '../../endpoints/registration/rules.ts'

const ciba = 'urn:openid:params:grant-type:ciba'
const noString = [true, 0, 7, [], ['x'], {}, { a: 1 }]
const noAddress = [
  ...noString,
  'nonsense',
  '/path',
  'http://client.example/',
  'https:client.example',
  'https:///client.example',
  'https://u:p@client.example/',
  'https://@client.example/',
  'https://client.example/a b',
  'https://client.example/%zz',
  'https://cliént.example/',
  'https://client.example/\r\nx: y',
  'javascript:alert(1)',
  'data:text/html,x'
]
const noList = [true, 0, 'x', {}, [7], [[]], [{}], ['']]

/** What no value of a kind is. */
const wrong: Readonly<Record<MetadataMember['kind'], readonly unknown[]>> = {
  opaque: noString,
  text: [...noString, 'a\u0000b', 'a\nb', 'a\ud800', 'a'.repeat(2001)],
  name: [...noString, 'a\u202eb', 'a\u200bb', '\u{e0041}', '   ', '\u3164', '\u2800', 'a\tb', 'a'.repeat(129)],
  names: [...noList, ['fine', 'a\u202eb'], ['a'.repeat(255)]],
  flag: [0, 1, 'true', 'false', 'yes', [], {}],
  list: noList,
  redirect_uris: [...noList, ['nonsense'], ['https://例え.example/cb'], ['https://client.example/a b'], ['http:localhost/cb']],
  scope: noString,
  page: noAddress,
  endpoint: [...noAddress, 'https://client.example/#f'],
  https: [...noAddress, 'https://client.example/#f', 'http://localhost/'],
  seconds: [true, '0', '1800000000', -1, 1.5, NaN, Infinity, [], {}, 1_800_000_000_000],
  age: [true, '0', '60', -1, 1.5, NaN, Infinity, [], {}, 10_000_000_000],
  jwks: [true, 0, 'x', [], {}, { keys: {} }, { keys: 'x' }, { keys: [{ kty: 'EC', x: 'x'.repeat(20_000) }] }],
  subject: noString,
  federated_credentials: [
    ...[true, 0, 'x', {}, [7], [null], [[]], [{}]],
    [{ issuer: 'https://platform.example' }],
    [{ issuer: 'https://platform.example', subject: '' }],
    [{ issuer: 'https://platform.example', subject: 'repo:acme/app*' }],
    [{ issuer: 'https://platform.example', subject: '*' }],
    [{ issuer: 'https://platform.example', subject: 's', claim: {} }],
    [{ issuer: 'https://platform.example', claims: {} }],
    [{ issuer: 'https://platform.example', claims: { id: 2 ** 53 } }],
    [{ issuer: 'https://platform.example', claims: { id: [1, -(2 ** 53)] } }],
    [{ issuer: 'kubernetes/serviceaccount', subject: 's' }],
    [{ subject: 's' }]
  ],
  spiffe_id: [
    ...noString,
    'https://prod.example/a',
    'spiffe://prod.example',
    'spiffe://PROD.example/a',
    'spiffe://prod.example/a*'
  ],
  credentials: [true, 0, 'x', {}, [7], [{}]]
}

const rows = Object.entries<MetadataMember>(clientMetadata)
const base: ClientMetadata = { client_id: 'a', client_secret: 's', redirect_uris: ['https://client.example/cb'] }

describe('every member of client metadata, given another kind of value', () => {
  it.each(rows)('%s is refused by its name where it is configured', (member, { kind }) => {
    for (const value of wrong[kind]) {
      const attempt = () => toClient({ ...base, [member]: value }, 'clients[3]')
      expect([value, keyOf(attempt)]).toEqual([value, expect.stringMatching(new RegExp(`^clients\\[3\\]\\.${member}\\b`))])
    }
  })

  it.each(rows.filter(([, { configured }]) => configured !== true))(
    '%s is refused by its name where it is registered',
    (member, { kind, grant }) => {
      const code = member === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata'
      const grantTypes = grant === undefined ? everything.grantTypes : [...everything.grantTypes, ciba]
      for (const value of wrong[kind]) {
        const sent = { redirect_uris: ['https://client.example/cb'], [member]: value }
        expect([value, refusal(sent, { grantTypes })]).toEqual([
          value,
          expect.stringMatching(new RegExp(`^${code}: ${member}\\b`))
        ])
      }
    }
  )

  it.each(rows.filter(([, { values }]) => values !== undefined))('%s has the values it has, and no other', member => {
    expect(keyOf(() => toClient({ ...base, [member]: 'nonsense' }, 'client'))).toBe(`client.${member}`)
  })
})

describe('null', () => {
  it('is what a row of a database has where there is nothing', () => {
    const row = Object.fromEntries(rows.map(([member]) => [member, null]))
    const client = toClient({ ...row, ...base })
    expect(client).toEqual(toClient({ ...base }))
    expect(Object.values(client)).not.toContain(null)
  })

  it('and an empty string are left out of a registration, whatever the member', () => {
    for (const [member] of rows.filter(([name]) => name !== 'redirect_uris')) {
      for (const value of [null, '']) {
        expect([member, refusal({ redirect_uris: ['https://client.example/cb'], [member]: value })]).toEqual([member, 'accepted'])
      }
    }
  })
})

describe('the name of a member', () => {
  it('may have a language where people read it, and nowhere else', () => {
    expect(memberOf('client_name#de')?.kind).toBe('name')
    expect(memberOf('tos_uri#zh-Hant-TW')?.kind).toBe('page')
    for (const name of ['scope#de', 'client_name#', 'client_name#a b', '#de', 'constructor', '__proto__', 'toString#de'])
      expect(memberOf(name)).toBeUndefined()
  })

  it.each(['a\u202eb', 'a'.repeat(129)])('judges the text in a language too: %j', value => {
    expect(keyOf(() => toClient({ ...base, 'client_name#de': value }))).toBe('client.client_name#de')
    expect(refusal({ redirect_uris: ['https://client.example/cb'], 'client_name#de': value })).toMatch(
      /^invalid_client_metadata: client_name#de /
    )
  })
})

function keyOf(attempt: () => unknown): string {
  try {
    attempt()
    return 'accepted'
  } catch (error) {
    if (error instanceof ConfigurationError) return error.key
    throw error
  }
}
