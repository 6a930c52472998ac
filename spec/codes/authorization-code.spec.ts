import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  mintAuthorizationCode,
  redeemAuthorizationCode,
  type AuthorizationCodeRecord
} from '../../lib/codes/authorization-code.ts'
import { grantKey } from '../../lib/tokens/grant.ts'
import { keepGrant } from '../../lib/tokens/person-grants.ts'
import { anyCharacter } from '../support/checks/any-character.ts'
import { tokens } from '../tokens/server.ts'

const record: AuthorizationCodeRecord = {
  client_id: 'web',
  redirect_uri: 'https://client.example.com/cb',
  sub: 'alice',
  scope: ['openid'],
  resources: [],
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  nonce: 'n',
  auth_time: 1_799_999_000
}

describe('authorization codes', () => {
  it('give back what was agreed, once, to the client they were issued to', async () => {
    const { server } = await tokens()
    const code = await mintAuthorizationCode(server, record)
    expect(code).toMatch(/^[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/)
    expect(await redeemAuthorizationCode(server, code, 'web')).toEqual({
      outcome: 'redeemed',
      grant: code.slice(0, 22),
      record: { ...record, listed_until: expect.any(Number) }
    })
    expect(await redeemAuthorizationCode(server, code, 'web')).toEqual({ outcome: 'replayed', grant: code.slice(0, 22) })
  })

  it('are not spent by another client, before or after', async () => {
    const { server } = await tokens()
    const code = await mintAuthorizationCode(server, record)
    const strangers = ['other', 'we', 'web ', 'WEB', '', 'web\n', '__proto__']
    for (const stranger of strangers)
      expect(await redeemAuthorizationCode(server, code, stranger)).toEqual({ outcome: 'unknown' })
    expect(await redeemAuthorizationCode(server, code, 'web')).toMatchObject({ outcome: 'redeemed' })
    await keepGrant(server, code.slice(0, 22), { ...record, auth_method: 'none' }, 60)
    for (const stranger of strangers)
      expect(await redeemAuthorizationCode(server, code, stranger)).toEqual({ outcome: 'unknown' })
    expect(await server.store.get(grantKey(code.slice(0, 22)))).toBeDefined()
  })

  it('end their grant when presented again', async () => {
    const { server } = await tokens()
    const code = await mintAuthorizationCode(server, record)
    await redeemAuthorizationCode(server, code, 'web')
    await keepGrant(server, code.slice(0, 22), { ...record, auth_method: 'none' }, 60)
    await redeemAuthorizationCode(server, code, 'web')
    expect(await server.store.get(grantKey(code.slice(0, 22)))).toBeUndefined()
  })

  it('live as long as the clock says', async () => {
    const { server, clock } = await tokens({ authorizationCodeTtl: 30 })
    const [one, another] = [await mintAuthorizationCode(server, record), await mintAuthorizationCode(server, record)]
    clock.now += 29_999
    expect(await redeemAuthorizationCode(server, one, 'web')).toMatchObject({ outcome: 'redeemed' })
    clock.now += 1
    expect(await redeemAuthorizationCode(server, another, 'web')).toEqual({ outcome: 'unknown' })
  })

  it('never reach the store', async () => {
    const { server } = await tokens()
    const written: unknown[] = []
    const set = server.store.set.bind(server.store)
    server.store.set = (...given) => {
      written.push(given)
      return set(...given)
    }
    const code = await mintAuthorizationCode(server, record)
    expect(written).toHaveLength(1)
    expect(JSON.stringify(written)).not.toContain(code.slice(23))
  })

  it('are unknown when they are anything else, and end nothing', async () => {
    const { server } = await tokens()
    const code = await mintAuthorizationCode(server, record)
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: anyCharacter }),
          fc.string().map(text => code + text),
          fc.string().map(text => `${code.slice(0, 23)}${text}`)
        ),
        async presented => {
          fc.pre(presented !== code)
          expect(await redeemAuthorizationCode(server, presented, 'web')).toEqual({ outcome: 'unknown' })
        }
      )
    )
    expect(await redeemAuthorizationCode(server, `${code.slice(0, 23)}${'A'.repeat(100_000)}`, 'web')).toEqual({
      outcome: 'unknown'
    })
    expect(await redeemAuthorizationCode(server, code, 'web')).toMatchObject({ outcome: 'redeemed' })
  })
})
