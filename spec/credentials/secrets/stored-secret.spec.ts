import { createHmac, randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { liveSecrets } from '../../../lib/client-keys/secret-keys.ts'
import { toClient, type Client, type ClientSecret } from '../../../lib/clients/client.ts'
import { verifyClientSecret } from '../../../lib/credentials/secrets/client-secret.ts'
import { secretKeeper } from '../../../lib/credentials/secrets/stored-secret.ts'
import type { SecretKeeper, StoredSecret } from '../../../lib/clients/stored-secret.ts'
import { DecisionBuilder } from '../../../lib/decisions/builder.ts'
import { anyCharacter } from '../../support/checks/any-character.ts'

const keeperOf = (key: string): SecretKeeper =>
  secretKeeper({
    mac: (purpose, data) => createHmac('sha256', key).update(`${purpose}\0`).update(data).digest(),
    random: randomBytes
  })
const keeper = keeperOf('the server’s key')
const value = randomBytes(32).toString('base64url')
const dates = { id: '1', created_at: 1_800_000_000 }
const keep = (readable: boolean, client_id = 'a') => keeper.keep(client_id, { ...dates, value, readable })

const clientWith = (...secrets: ClientSecret[]): Client => toClient({ client_id: 'a' }, 'client', secrets)

/** No client of this file has a secret that a person made up: what is compared is compared at once. */
function atOnce<T>(result: T | Promise<T>): T {
  if (result instanceof Promise) throw new Error('scrypt was asked')
  return result
}

function outcome(client: Client | undefined, presented: string, now = 1_800_000_000_000): string {
  try {
    return atOnce(verifyClientSecret(client, { presented }, { clock: () => now, decision: new DecisionBuilder('token') }))
      .credential
  } catch (error) {
    return (error as Error).message
  }
}

const refused = 'client authentication failed'

describe('a secret that is kept as a digest', () => {
  it('is recognised, and is nowhere in what is kept', () => {
    const stored = keep(false)
    expect(outcome(clientWith(keeper.restore('a', stored)), value)).toBe('secret:1')
    expect(keeper.matches('a', stored, value)).toBe(true)
    expect(JSON.stringify(stored)).not.toContain(value)
    expect(stored).toEqual({ type: 'secret', ...dates, digest: expect.stringMatching(/^[\w-]{43}$/) })
  })

  it.each([
    ['another', `${value.slice(0, -1)}_`],
    ['a longer one', `${value}x`],
    ['none', ''],
    ['the digest itself', keep(false).digest ?? ''],
    ['a megabyte', 'x'.repeat(1_048_576)]
  ])('is not taken for %s', (_, presented) => {
    expect(outcome(clientWith(keeper.restore('a', keep(false))), presented)).toBe(refused)
    expect(keeper.matches('a', keep(false), presented)).toBe(false)
  })

  it('is worth nothing under another key, or in another client’s record', () => {
    expect(outcome(clientWith(keeperOf('another key').restore('a', keep(false))), value)).toBe(refused)
    expect(outcome(clientWith(keeper.restore('b', keep(false))), value)).toBe(refused)
  })

  it('signs nothing, even where its digest is known', () => {
    const client = clientWith(keeper.restore('a', keep(false)))
    expect(liveSecrets(client, Date.now)).toEqual([])
  })

  it('expires', () => {
    const expiring = keeper.keep('a', { ...dates, expires_at: 1_800_000_100, value, readable: false })
    expect(outcome(clientWith(keeper.restore('a', expiring)), value, 1_800_000_099_999)).toBe('secret:1')
    expect(outcome(clientWith(keeper.restore('a', expiring)), value, 1_800_000_100_000)).toBe(refused)
  })

  it('costs one hash, however many there are and whether or not one fits, as does a client that is not there', () => {
    let hashed = 0
    const of = (secret: string) => ((hashed += 1), Buffer.alloc(32, secret.length))
    const secret = (id: string, fill: number): ClientSecret => ({
      id,
      expires_at: undefined,
      digest: { value: Buffer.alloc(32, fill), of }
    })
    const client = clientWith(secret('1', 5), secret('2', 6), secret('3', 7))
    for (const [presented, expected] of [
      ['five!', 'secret:1'],
      ['seven!!', 'secret:3'],
      ['wrong', 'secret:1'],
      ['none', refused]
    ] as const) {
      hashed = 0
      expect(outcome(client, presented)).toBe(expected)
      expect(hashed).toBe(1)
    }
  })
})

describe('a secret that is kept readable', () => {
  it('comes back whole, and is encrypted in what is kept', () => {
    const stored = keep(true)
    expect(keeper.restore('a', stored)).toEqual({ id: '1', value, expires_at: undefined })
    expect(keeper.matches('a', stored, value)).toBe(true)
    expect(keeper.matches('a', stored, `${value}x`)).toBe(false)
    expect(JSON.stringify(stored)).not.toContain(value)
    expect(stored.digest).toBeUndefined()
    expect(keep(true).sealed).not.toBe(stored.sealed)
  })

  it.each<[string, (stored: StoredSecret) => ClientSecret]>([
    ['under another key', stored => keeperOf('another key').restore('a', stored)],
    ['in another client’s record', stored => keeper.restore('b', stored)],
    ['under another id', stored => keeper.restore('a', { ...stored, id: '2' })],
    ['cut short', stored => keeper.restore('a', { ...stored, sealed: (stored.sealed ?? '').slice(0, 20) })],
    ['empty', stored => keeper.restore('a', { ...stored, sealed: '' })],
    ['gone', stored => keeper.restore('a', { ...stored, sealed: undefined })]
  ])('is nobody’s secret %s', (_, restore) => {
    const secret = restore(keep(true))
    expect(secret.value).toBeUndefined()
    expect(outcome(clientWith(secret), value)).toBe(refused)
    expect(outcome(clientWith(secret), '')).toBe(refused)
    expect(liveSecrets(clientWith(secret), Date.now)).toEqual([])
  })

  it('does not open once a bit of it was changed', () => {
    const sealed = Buffer.from(keep(true).sealed ?? '', 'base64url')
    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), bit => {
        const changed = Buffer.from(sealed)
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(keeper.restore('a', { ...keep(true), sealed: changed.toString('base64url') }).value).toBeUndefined()
      })
    )
  })
})

describe('secrets side by side', () => {
  it('all work, whichever way they are kept', () => {
    const other = randomBytes(32).toString('base64url')
    const client = clientWith(
      keeper.restore('a', keep(false)),
      keeper.restore('a', keeper.keep('a', { id: '2', created_at: 1, value: other, readable: true }))
    )
    expect([outcome(client, value), outcome(client, other), outcome(client, 'wrong')]).toEqual(['secret:1', 'secret:2', refused])
    expect(liveSecrets(client, Date.now).map(({ id }) => id)).toEqual(['2'])
  })
})

describe('any secret', () => {
  it('is kept for its client alone, and no two of them are confused', () => {
    const text = fc.string({ unit: anyCharacter, maxLength: 80 })
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (client_id, secret, other, readable) => {
        const stored = keeper.keep(client_id, { ...dates, value: secret, readable })
        expect(keeper.matches(client_id, stored, secret)).toBe(true)
        expect(keeper.matches(client_id, stored, other)).toBe(Buffer.from(other).equals(Buffer.from(secret)))
      })
    )
  })
})
