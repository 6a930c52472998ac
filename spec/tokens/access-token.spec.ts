import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose'
import { generateKeys } from '../../lib/index.ts'
import { verifyAccessToken } from '../../lib/tokens/access-token.ts'
import type { Grant } from '../../lib/tokens/grant.ts'
import { keepGrant } from '../../lib/tokens/person-grants.ts'
import type { TokenServer } from '../../lib/tokens/token-server.ts'
import { api, files, issuer } from '../support/servers/authorization-server.ts'
import { anyCharacter } from '../support/checks/any-character.ts'
import { grant, tokens, web } from './server.ts'

const own: Grant = { client_id: 'web', scope: ['read'], resources: [] }

async function mint(server: TokenServer, what: Grant, resource?: string, confirmation?: { jkt: string }) {
  if (what.id !== undefined) {
    const record = { client_id: what.client_id, sub: what.sub ?? '', scope: what.scope, resources: [], auth_method: 'none' }
    await keepGrant(server, what.id, record, 3600)
  }
  return server.respond({ client: web, confirmation }, what, { resource })
}

describe('a JWT access token', () => {
  it('has the shape of RFC 9068 §2', async () => {
    const { server, clock } = await tokens()
    const { access_token, expires_in, token_type, scope } = await mint(server, grant, api)
    const jwks = server.keys.publicKeys() as JSONWebKeySet
    const { payload, protectedHeader } = await jwtVerify(access_token, createLocalJWKSet(jwks), {
      currentDate: new Date(clock.now),
      issuer,
      audience: api,
      typ: 'at+jwt'
    })
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) })
    expect(payload).toEqual({
      iss: issuer,
      sub: 'alice',
      aud: api,
      client_id: 'web',
      iat: 1_800_000_000,
      exp: 1_800_003_600,
      jti: expect.any(String),
      scope: 'openid read',
      auth_time: 1_799_999_000,
      acr: 'urn:acr:1',
      amr: ['pwd']
    })
    expect([expires_in, token_type, scope]).toEqual([3600, 'Bearer', 'openid read'])
  })

  it('has the client as its subject where the client acts for itself, and no scope where there is none', async () => {
    const { server } = await tokens()
    const payload = decodeJwt((await mint(server, { ...own, scope: [] }, api)).access_token)
    expect(payload).toMatchObject({ sub: 'web', client_id: 'web' })
    for (const absent of ['scope', 'grant', 'auth_time', 'acr', 'amr', 'cnf', 'nonce']) expect(payload).not.toHaveProperty(absent)
  })

  it('carries its confirmation, and says DPoP where it is bound to a key', async () => {
    const { server } = await tokens()
    const { access_token, token_type } = await mint(server, own, api, { jkt: 'thumbprint' })
    expect(decodeJwt(access_token)).toMatchObject({ cnf: { jkt: 'thumbprint' } })
    expect(token_type).toBe('DPoP')
    expect(await verifyAccessToken(server, access_token)).toMatchObject({ cnf: { jkt: 'thumbprint' } })
  })

  it.each(['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'] as const)(
    'is signed %s where its resource asks for that',
    async alg => {
      const resources = [
        { resource: api, scopes: ['read'], signingAlgorithm: alg },
        { resource: files, scopes: ['files'] }
      ]
      const { server, clock } = await tokens({ resources })
      const { access_token } = await mint(server, own, api)
      const jwks = createLocalJWKSet(server.keys.publicKeys() as JSONWebKeySet)
      const { protectedHeader } = await jwtVerify(access_token, jwks, { currentDate: new Date(clock.now), audience: api })
      expect(protectedHeader.alg).toBe(alg)
      expect(await verifyAccessToken(server, access_token)).toMatchObject({ client_id: 'web', aud: api })
      const other = await mint(server, { ...own, scope: ['files'] }, files)
      expect((await jwtVerify(other.access_token, jwks, { currentDate: new Date(clock.now) })).protectedHeader.alg).toBe('ES256')
    }
  )

  it('cannot be asked for with an algorithm there is no key for', async () => {
    const resources = [{ resource: api }, { resource: files, signingAlgorithm: 'RS256' as const }]
    await expect(tokens({ resources, keys: await generateKeys(['ES256', 'EdDSA']) })).rejects.toThrow(
      'resources[1].signingAlgorithm must be one of ES256, EdDSA, for which there are keys'
    )
  })

  it('is signed ES256, or with what else there is', async () => {
    const { server } = await tokens({ keys: await generateKeys(['EdDSA']) })
    const { access_token } = await mint(server, own, api)
    const jwks = server.keys.publicKeys() as JSONWebKeySet
    const { protectedHeader } = await jwtVerify(access_token, createLocalJWKSet(jwks), { currentDate: new Date(server.clock()) })
    expect(protectedHeader.alg).toBe('EdDSA')
  })

  it('stays good however much it has to say', async () => {
    const scope = Array.from({ length: 300 }, (_, index) => `scope-number-${index}`)
    const { server } = await tokens({ scopes: scope })
    const { access_token } = await mint(server, { ...own, scope }, api)
    expect(access_token.length).toBeGreaterThan(4096)
    expect((await verifyAccessToken(server, access_token))?.scope).toHaveLength(300)
  })
})

describe('an opaque access token', () => {
  it('says nothing by itself, and is kept without being kept', async () => {
    const kept: unknown[] = []
    const { server } = await tokens()
    const set = server.store.set.bind(server.store)
    server.store.set = (key, value, ttl) => {
      kept.push({ key, value, ttl })
      return set(key, value, ttl)
    }
    const { access_token, expires_in } = await mint(server, grant, files)
    expect(access_token).toMatch(/^[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/)
    expect(expires_in).toBe(120)
    expect(JSON.stringify(kept)).toContain('"ttl":120')
    expect(JSON.stringify(kept)).not.toContain(access_token.slice(23))
  })

  it('is kept without what it is found by, and has it all the same', async () => {
    const { server } = await tokens()
    const values: unknown[] = []
    const set = server.store.set.bind(server.store)
    server.store.set = (key, value, ttl) => {
      if (key.kind === 'access_token') values.push(JSON.parse(JSON.stringify(value)))
      return set(key, value, ttl)
    }
    const { access_token } = await mint(server, grant, files)
    expect(values).toHaveLength(1)
    expect(values[0]).not.toHaveProperty('jti')
    expect(values[0]).not.toHaveProperty('grant')
    const token = await verifyAccessToken(server, access_token)
    expect(token).toMatchObject({ grant: grant.id, jti: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) })
    expect(access_token).not.toContain(token?.jti)
  })

  it('has 256 random bits alone where it belongs to no grant', async () => {
    const { server } = await tokens()
    const minted = await Promise.all(Array.from({ length: 200 }, () => mint(server, own)))
    expect(new Set(minted.map(({ access_token }) => access_token)).size).toBe(200)
    for (const { access_token } of minted) expect(access_token).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })
})

describe.each([
  ['JWT', api],
  ['opaque', files],
  ['opaque, of no resource', undefined]
])('verifyAccessToken, %s', (_, resource) => {
  it('says who acts and who may, and knows nothing past the time that was set for it', async () => {
    const { server, clock } = await tokens()
    const actors = { act: { iss: 'https://idp.example', sub: 'bot', act: { sub: 'gateway' } }, may_act: { client_id: 'gateway' } }
    const shape = { resource, expires_at: 1_800_000_030.9 }
    const { access_token, expires_in } = await server.respond({ client: web }, { ...own, ...actors }, shape)
    expect(expires_in).toBe(30)
    expect(await verifyAccessToken(server, access_token)).toMatchObject({ ...actors, exp: 1_800_000_030 })
    clock.now = 1_800_000_030_000
    expect(await verifyAccessToken(server, access_token)).toBeUndefined()
    await expect(server.respond({ client: web }, own, shape)).rejects.toMatchObject({ error: 'invalid_grant' })
    const longer = await server.respond({ client: web }, own, { resource, expires_at: 1_900_000_000 })
    expect(longer.expires_in).toBe(resource === files ? 120 : 3600)
  })

  it('says what was granted', async () => {
    const { server } = await tokens()
    const { access_token, scope, expires_in = 0 } = await mint(server, grant, resource)
    expect(await verifyAccessToken(server, access_token)).toMatchObject({
      client_id: 'web',
      sub: 'alice',
      scope: scope?.split(' '),
      iat: 1_800_000_000,
      exp: 1_800_000_000 + expires_in,
      grant: grant.id,
      auth_time: grant.auth_time,
      ...(resource !== undefined && { aud: resource })
    })
  })

  it('is good to its last second and not longer', async () => {
    const { server, clock } = await tokens()
    const { access_token, expires_in = 0 } = await mint(server, own, resource)
    clock.now = (1_800_000_000 + expires_in) * 1000 - 1
    expect(await verifyAccessToken(server, access_token)).toMatchObject({ sub: 'web' })
    clock.now += 1
    expect(await verifyAccessToken(server, access_token)).toBeUndefined()
  })

  it('ends with its grant, and with no other', async () => {
    const { server } = await tokens()
    const { access_token } = await mint(server, grant, resource)
    const { access_token: another } = await mint(server, { ...grant, id: 'BBBBBBBBBBBBBBBBBBBBBB' }, resource)
    await server.store.deleteGrant('AAAAAAAAAAAAAAAAAAAAAA')
    expect(await verifyAccessToken(server, access_token)).toBeUndefined()
    expect(await verifyAccessToken(server, another)).toMatchObject({ sub: 'alice' })
  })

  it('finds the grant whatever its id is', async () => {
    const { server } = await tokens()
    const { access_token } = await mint(server, { ...grant, id: 'order.2027.1' }, resource)
    expect(await verifyAccessToken(server, access_token)).toMatchObject({ grant: 'order.2027.1' })
    await server.store.deleteGrant('order.2027.1')
    expect(await verifyAccessToken(server, access_token)).toBeUndefined()
  })

  it('takes no other spelling: any character changed, added or left out', async () => {
    const { server } = await tokens()
    const { access_token } = await mint(server, own, resource)
    const position = fc.nat({ max: access_token.length - 1 })
    const change = fc.oneof(
      fc
        .tuple(position, fc.string({ unit: anyCharacter, minLength: 1, maxLength: 1 }))
        .map(([at, by]) => access_token.slice(0, at) + by + access_token.slice(at + 1)),
      position.map(at => access_token.slice(0, at) + access_token.slice(at + 1)),
      fc
        .tuple(position, fc.string({ minLength: 1, maxLength: 3 }))
        .map(([at, by]) => access_token.slice(0, at) + by + access_token.slice(at)),
      fc.string({ minLength: 1, maxLength: 3 }).map(by => access_token + by)
    )
    await fc.assert(
      fc.asyncProperty(change, async changed => {
        fc.pre(changed !== access_token)
        expect(await verifyAccessToken(server, changed)).toBeUndefined()
      }),
      { numRuns: 300 }
    )
  })
})

describe('verifyAccessToken', () => {
  it('refuses what other servers issued, with other keys or another name', async () => {
    const { server } = await tokens()
    const strangers = [await tokens({ keys: await generateKeys(['ES256']) }), await tokens({ issuer: `${issuer}/tenant` })]
    for (const stranger of strangers) {
      for (const resource of [api, files, undefined]) {
        const { access_token } = await mint(stranger.server, own, resource)
        expect(await verifyAccessToken(server, access_token)).toBeUndefined()
      }
    }
  })

  it('refuses the other things this server signs', async () => {
    const { server } = await tokens()
    const { id_token, access_token } = await mint(server, grant, api)
    expect(await verifyAccessToken(server, String(id_token))).toBeUndefined()
    const claims = decodeJwt(access_token)
    expect(await verifyAccessToken(server, await server.keys.sign('ES256', 'JWT', claims))).toBeUndefined()
    expect(
      await verifyAccessToken(server, await server.keys.sign('ES256', 'at+jwt', { ...claims, iss: 'https://else.example' }))
    ).toBeUndefined()
    expect(await verifyAccessToken(server, await server.keys.sign('ES256', 'at+jwt', claims))).toMatchObject({ sub: 'alice' })
  })

  it('never rejects, whatever is presented', async () => {
    const { server } = await tokens()
    const garbled = fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.string().map(text => `eyJ.${text}.`),
      fc.base64String().map(text => `eyJhbGciOiJub25lIn0.${text}.${text}`)
    )
    await fc.assert(
      fc.asyncProperty(garbled, async text => {
        expect(await verifyAccessToken(server, text)).toBeUndefined()
      })
    )
    expect(await verifyAccessToken(server, 'a'.repeat(20_000))).toBeUndefined()
    expect(await verifyAccessToken(server, '')).toBeUndefined()
    expect(await verifyAccessToken(server, '.')).toBeUndefined()
  })
})
