import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { generateKeys } from '../../lib/index.ts'
import { keepGrant } from '../../lib/tokens/person-grants.ts'
import { readRefreshToken, refreshTokenOf, rotate, rotates } from '../../lib/tokens/refresh-token.ts'
import type { TokenOptions, TokenServer } from '../../lib/tokens/token-server.ts'
import { issuer } from '../support/servers/authorization-server.ts'
import { anyCharacter } from '../support/checks/any-character.ts'
import { spa, tokens, web } from './server.ts'

const family = 'AAECAwQFBgcICQoLDA0ODw'

async function withFamily(options: Partial<TokenOptions> = {}, generation = 0) {
  const harness = await tokens(options)
  const refresh = { generation, rotated_at: harness.clock.now }
  await keepGrant(
    harness.server,
    family,
    { client_id: 'web', sub: 'alice', scope: [], resources: [], auth_method: 'none', refresh },
    1000
  )
  return harness
}

const use = (server: TokenServer, generation: number, rotating = true) => rotate(server, { grant: family, generation }, rotating)

const currentOf = (server: TokenServer, generation: number, rotated_at = server.clock()) => ({
  outcome: 'current',
  refresh_token: refreshTokenOf(server, family, generation),
  rotated_at
})

describe('a refresh token', () => {
  it('is its family, its generation and a MAC', async () => {
    const { server } = await tokens()
    const token = refreshTokenOf(server, family, 258)
    expect(token).toMatch(/^[A-Za-z0-9_-]{70}$/)
    expect(Buffer.from(token, 'base64url').subarray(0, 20).toString('hex')).toBe(`000102030405060708090a0b0c0d0e0f00000102`)
    expect(readRefreshToken(server, token)).toEqual({ grant: family, generation: 258 })
    expect(refreshTokenOf(server, family, 258)).toBe(token)
  })

  it.each([0, 1, 255, 65_536, 2 ** 31, 2 ** 32 - 1])('remembers generation %i', async generation => {
    const { server } = await tokens()
    expect(readRefreshToken(server, refreshTokenOf(server, family, generation))?.generation).toBe(generation)
  })

  it('is refused with any byte changed', async () => {
    const { server } = await tokens()
    const bytes = Buffer.from(refreshTokenOf(server, family, 1), 'base64url')
    for (let index = 0; index < bytes.length; index++) {
      for (const bit of [1, 0x80]) {
        const changed = Buffer.from(bytes)
        changed[index] = (changed[index] ?? 0) ^ bit
        expect(readRefreshToken(server, changed.toString('base64url'))).toBeUndefined()
      }
    }
  })

  it('has one spelling', async () => {
    const { server } = await tokens()
    const token = refreshTokenOf(server, family, 1)
    const same = Buffer.from(token, 'base64url')
    let alternatives = 0
    for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      const spelling = token.slice(0, -1) + last
      if (spelling === token) continue
      if (Buffer.from(spelling, 'base64url').equals(same)) alternatives++
      expect(readRefreshToken(server, spelling)).toBeUndefined()
    }
    expect(alternatives).toBeGreaterThan(0)
    const plain = same.toString('base64')
    for (const spelling of [
      plain,
      `${token}==`,
      `${token}=`,
      `${token}\n`,
      ` ${token}`,
      `${token}A`,
      token.slice(0, -1),
      token.toUpperCase()
    ])
      expect(readRefreshToken(server, spelling)).toBeUndefined()
  })

  it('is refused where other keys made it, and where a code or access token is meant to pass for one', async () => {
    const { server } = await tokens()
    const { server: stranger } = await tokens({ keys: await generateKeys(['ES256']) })
    expect(readRefreshToken(server, refreshTokenOf(stranger, family, 0))).toBeUndefined()
    const body = Buffer.alloc(20)
    const mac = (purpose: string) => Buffer.concat([body, server.keys.mac(purpose, body)]).toString('base64url')
    expect(readRefreshToken(server, mac('refresh_token'))).toEqual({ grant: 'AAAAAAAAAAAAAAAAAAAAAA', generation: 0 })
    expect(readRefreshToken(server, mac('dpop_nonce'))).toBeUndefined()
  })

  it('is never anything a stranger makes up', async () => {
    const { server } = await tokens()
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: anyCharacter }), fc.stringMatching(/^[A-Za-z0-9_-]{70}$/)), text => {
        expect(readRefreshToken(server, text)).toBeUndefined()
      })
    )
  })
})

describe('rotate', () => {
  it('moves the family on by one generation', async () => {
    const { server } = await withFamily()
    expect(await use(server, 0)).toEqual(currentOf(server, 1))
    expect(await use(server, 1)).toEqual(currentOf(server, 2))
  })

  it('leaves the token as it is where it does not rotate', async () => {
    const { server } = await withFamily({}, 7)
    expect(await use(server, 7, false)).toEqual(currentOf(server, 7))
  })

  it('gives the previous token the same successor within the window, to its last millisecond', async () => {
    const { server, clock } = await withFamily({ refreshRetryWindow: 10 })
    await use(server, 0)
    clock.now += 10_000
    expect(await use(server, 0)).toEqual(currentOf(server, 1, clock.now - 10_000))
    clock.now += 1
    expect(await use(server, 0)).toEqual({ outcome: 'reused' })
    expect(await use(server, 1)).toEqual({ outcome: 'ended' })
  })

  it('does not let a retry open the window again', async () => {
    const { server, clock } = await withFamily({ refreshRetryWindow: 10 })
    await use(server, 0)
    for (const passed of [6_000, 4_000]) {
      clock.now += passed
      expect(await use(server, 0)).toMatchObject({ outcome: 'current' })
    }
    clock.now += 1
    expect(await use(server, 0)).toEqual({ outcome: 'reused' })
  })

  it('retries nothing with a window of 0', async () => {
    const { server } = await withFamily({ refreshRetryWindow: 0 })
    await use(server, 0)
    expect(await use(server, 0)).toEqual({ outcome: 'reused' })
  })

  it.each([
    ['two generations old', 3],
    ['never handed out yet', 6],
    ['the first of all', 0],
    ['the last there can be', 2 ** 32 - 1]
  ])('takes a token that is %s for reuse, and ends the family', async (_, generation) => {
    const { server } = await withFamily({}, 5)
    expect(await use(server, generation)).toEqual({ outcome: 'reused' })
    expect(await use(server, 5)).toEqual({ outcome: 'ended' })
  })

  it('has nothing to say of a family that is not there', async () => {
    const { server } = await tokens()
    expect(await use(server, 0)).toEqual({ outcome: 'ended' })
  })

  it('lets one of many callers move the family on, and the others follow or end it', async () => {
    const { server } = await withFamily()
    const together = await Promise.all(Array.from({ length: 20 }, () => use(server, 0)))
    expect(new Set(together.map(outcome => JSON.stringify(outcome))).size).toBe(1)
    const { server: strict } = await withFamily({ refreshRetryWindow: 0 })
    const outcomes = (await Promise.all(Array.from({ length: 20 }, () => use(strict, 0)))).map(({ outcome }) => outcome)
    expect(outcomes.filter(outcome => outcome === 'current')).toHaveLength(1)
  })
})

describe('rotates', () => {
  const bound = { jkt: 'thumbprint' }
  const certificate = { 'x5t#S256': 'thumbprint' }
  it.each([
    ['unbound', web, undefined, true],
    ['unbound', web, {}, true],
    ['unbound', web, bound, false],
    ['unbound', web, certificate, false],
    ['unbound', spa, bound, true],
    ['unbound', spa, undefined, true],
    ['always', web, undefined, true],
    ['always', web, bound, true],
    ['always', spa, bound, true],
    ['never', web, undefined, false],
    ['never', web, bound, false],
    ['never', spa, undefined, true],
    ['never', spa, bound, true]
  ] as const)('%s, %o, bound to %o: %s', async (refreshTokenRotation, client, confirmation, expected) => {
    const { server } = await tokens({ refreshTokenRotation, issuer })
    expect(rotates(server, client, confirmation)).toBe(expected)
  })
})
