import { describe, expect, it } from '@jest/globals'
import { InvalidTargetError } from '../../lib/errors.ts'
import { ConfigurationError, eachOf } from '../../lib/options.ts'
import { resourceCheck, Resources, type ResourceOptions } from '../../lib/tokens/resource.ts'

const api = 'https://api.example.com'

const listCheck = eachOf('resources', resourceCheck, [])
const resourcesOf = (list: readonly ResourceOptions[]): Resources => new Resources(listCheck.read(list, 'resources'))

describe('Resources', () => {
  it('finds a resource by its indicator, with its defaults', () => {
    const resources = resourcesOf([
      { resource: api },
      { resource: 'urn:example:files', accessTokenFormat: 'opaque', accessTokenTtl: 5 }
    ])
    expect(resources.find(api)).toEqual({
      resource: api,
      scopes: [],
      accessTokenFormat: 'jwt',
      spelling: 'exact',
      signingAlgorithm: undefined,
      accessTokenTtl: undefined,
      introspectionClients: [],
      defaultScope: undefined,
      clientScope: 'registered',
      refreshTokens: undefined
    })
    expect(resources.find('urn:example:files')).toMatchObject({ accessTokenFormat: 'opaque', accessTokenTtl: 5 })
    expect(resources.all()).toHaveLength(2)
  })

  it.each([
    '',
    `${api}/`,
    api.toUpperCase(),
    `${api}#`,
    `${api}?`,
    `${api}:443`,
    'api.example.com',
    '__proto__',
    'constructor',
    `${api} `
  ])('knows no resource %j', indicator => {
    expect(() => resourcesOf([{ resource: api }]).find(indicator)).toThrow(InvalidTargetError)
  })

  it('narrows a scope to what the resource understands', () => {
    const resources = resourcesOf([
      { resource: api, scopes: ['read', 'write'] },
      { resource: 'urn:other', scopes: ['write', 'files'] }
    ])
    const granted = ['openid', 'read', 'write', 'files']
    expect(resources.narrow(granted, resources.find(api))).toEqual(['openid', 'read', 'write'])
    expect(resources.narrow(granted, resources.find('urn:other'))).toEqual(['openid', 'write', 'files'])
    expect(resources.narrow([], resources.find(api))).toEqual([])
  })

  it.each<[string, Partial<ResourceOptions>, Partial<ResourceOptions>, string | undefined]>([
    ['nothing said', {}, {}, undefined],
    ['the usual algorithm, said by the second alone', {}, { signingAlgorithm: 'ES256' }, undefined],
    ['the usual algorithm, said by the first alone', { signingAlgorithm: 'ES256' }, {}, 'ES256'],
    ['one algorithm', { signingAlgorithm: 'PS256' }, { signingAlgorithm: 'PS256' }, 'PS256'],
    [
      'references, whatever their JWTs would be signed with',
      { accessTokenFormat: 'opaque' },
      { accessTokenFormat: 'opaque', signingAlgorithm: 'PS256' },
      undefined
    ]
  ])('has one token for two resources that read the same kind: %s', (_, first, second, signingAlgorithm) => {
    const resources = resourcesOf([
      { resource: api, scopes: ['read'], ...first },
      { resource: 'urn:other', scopes: ['files'], accessTokenTtl: 5, ...second }
    ])
    expect(resources.together([api, 'urn:other'], 60)).toMatchObject({
      resource: `${api} urn:other`,
      scopes: ['read', 'files'],
      accessTokenTtl: 5,
      signingAlgorithm
    })
  })

  it.each<[string, Partial<ResourceOptions>, Partial<ResourceOptions>]>([
    ['formats', { accessTokenFormat: 'opaque' }, {}],
    ['algorithms', { signingAlgorithm: 'ES256' }, { signingAlgorithm: 'PS256' }],
    ['algorithms, one of them the usual', {}, { signingAlgorithm: 'PS256' }]
  ])('has no token for two resources of different %s', (_, first, second) => {
    const resources = resourcesOf([
      { resource: api, ...first },
      { resource: 'urn:other', ...second }
    ])
    expect(() => resources.together([api, 'urn:other'], 60)).toThrow(InvalidTargetError)
  })

  it('is introspected by the clients it lists, and by no other', () => {
    const resources = resourcesOf([{ resource: api, introspectionClients: ['backend'] }, { resource: 'urn:other' }])
    expect(resources.isIntrospectedBy('backend', api)).toBe(true)
    for (const [client_id, indicator] of [
      ['backend', 'urn:other'],
      ['backend', 'urn:unknown'],
      ['backend', `${api}/`],
      ['backend', '__proto__'],
      ['Backend', api],
      ['', api],
      ['includes', api]
    ] as const)
      expect(resources.isIntrospectedBy(client_id, indicator)).toBe(false)
  })

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'resources[0]'],
    ['null', null, 'resources[0]'],
    ['a string', api, 'resources[0]'],
    ['no indicator', {}, 'resources[0].resource'],
    ['a relative indicator', { resource: '/api' }, 'resources[0].resource'],
    ['a fragment', { resource: `${api}#a` }, 'resources[0].resource'],
    ['an empty fragment', { resource: `${api}#` }, 'resources[0].resource'],
    ['a list', { resource: [api] }, 'resources[0].resource'],
    ['scopes in a string', { resource: api, scopes: 'read write' }, 'resources[0].scopes'],
    ['a scope with a space', { resource: api, scopes: ['read write'] }, 'resources[0].scopes'],
    ['an empty scope', { resource: api, scopes: [''] }, 'resources[0].scopes'],
    ['a scope that is a number', { resource: api, scopes: [1] }, 'resources[0].scopes'],
    ['an unknown format', { resource: api, accessTokenFormat: 'JWT' }, 'resources[0].accessTokenFormat'],
    ['an algorithm of other letters', { resource: api, signingAlgorithm: 'es256' }, 'resources[0].signingAlgorithm'],
    ['an algorithm nobody signs with', { resource: api, signingAlgorithm: 'HS256' }, 'resources[0].signingAlgorithm'],
    ['no algorithm', { resource: api, signingAlgorithm: 'none' }, 'resources[0].signingAlgorithm'],
    ['an algorithm that is null', { resource: api, signingAlgorithm: null }, 'resources[0].signingAlgorithm'],
    ['no lifetime', { resource: api, accessTokenTtl: 0 }, 'resources[0].accessTokenTtl'],
    ['a lifetime in a string', { resource: api, accessTokenTtl: '60' }, 'resources[0].accessTokenTtl'],
    ['half a second', { resource: api, accessTokenTtl: 0.5 }, 'resources[0].accessTokenTtl'],
    ['a lifetime without end', { resource: api, accessTokenTtl: Infinity }, 'resources[0].accessTokenTtl'],
    ['one introspection client in a string', { resource: api, introspectionClients: 'a' }, 'resources[0].introspectionClients'],
    [
      'an introspection client that is a number',
      { resource: api, introspectionClients: [1] },
      'resources[0].introspectionClients'
    ],
    ['an empty introspection client', { resource: api, introspectionClients: [''] }, 'resources[0].introspectionClients'],
    ['a misspelt member', { resource: api, scope: ['read'] }, 'resources[0].scope']
  ])('refuses %s and names the key', (_, options, key) => {
    expect(() => resourcesOf([options as ResourceOptions])).toThrow(expect.objectContaining({ name: 'ConfigurationError', key }))
  })

  it('guesses what a misspelt member was meant to be, and refuses the same resource twice', () => {
    const misspelt = { resource: api, accessTokenFromat: 'jwt' } as ResourceOptions
    expect(() => resourcesOf([misspelt])).toThrow(
      'resources[0].accessTokenFromat is not a known option; did you mean accessTokenFormat?'
    )
    expect(() => resourcesOf([{ resource: api }, { resource: api }])).toThrow(ConfigurationError)
    expect(() => resourcesOf([{ resource: api }, { resource: api }])).toThrow('resources[1].resource')
  })
})
