import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { generateKeys, memoryStore, type Store } from '../../lib/index.ts'
import { findDeviceRequest, keepDeviceRequest, normaliseUserCode } from '../../lib/codes/device-code.ts'
import { anyCharacter } from '../support/checks/any-character.ts'
import { tokens } from '../tokens/server.ts'

const letters = 'BCDFGHJKLMNPQRSTVWXZ'
const shown = /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/

const code = fc.array(fc.constantFrom(...Array.from(letters)), { minLength: 8, maxLength: 8 }).map(typed => typed.join(''))
const noise = fc.array(fc.constantFrom(' ', '-', '–', '—', '_', '.', '\t', '\n', '\u00a0', '\u3000', '\u200b', ''), {
  maxLength: 4
})

const request = (now: number) => ({ client_id: 'web', scope: [], resources: [], expires_at: now + 600_000, interval: 5 })

describe('a user code as it is typed', () => {
  it('is the same in any case, with any spaces and dashes', () => {
    fc.assert(
      fc.property(code, fc.array(fc.tuple(fc.boolean(), noise), { minLength: 8, maxLength: 8 }), noise, (typed, how, before) => {
        const entered = Array.from(typed).map((letter, at) => {
          const [lower, after] = how[at] ?? [false, []]
          return (lower ? letter.toLowerCase() : letter) + after.join('')
        })
        fc.pre(before.join('').length + entered.join('').length <= 64)
        expect(normaliseUserCode(before.join('') + entered.join(''))).toBe(`${typed.slice(0, 4)}-${typed.slice(4)}`)
      })
    )
  })

  it('is a code or nothing, whatever is entered', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: anyCharacter, maxLength: 80 }), fc.string({ unit: 'grapheme', maxLength: 20 })),
        entered => {
          const normalised = normaliseUserCode(entered)
          if (normalised !== undefined) expect(normalised).toMatch(shown)
        }
      )
    )
  })

  it('is itself again', () => {
    fc.assert(fc.property(code, typed => normaliseUserCode(normaliseUserCode(typed) ?? '') === normaliseUserCode(typed)))
  })

  it.each([
    ['full-width letters', 'ＢＣＤＦ－ＧＨＪＫ', 'BCDF-GHJK'],
    ['a letter too few', 'BCDF-GHJ', undefined],
    ['a letter too many', 'BCDF-GHJKL', undefined],
    ['a vowel', 'BCDA-GHJK', undefined],
    ['a digit', 'BCD0-GHJK', undefined],
    ['a letter that looks like one of ours', 'ВCDF-GHJK', undefined],
    ['a letter that becomes two', 'BCDF-GHJß', undefined],
    ['nothing', '', undefined],
    ['a code in a long text', `${' '.repeat(57)}BCDFGHJK`, undefined]
  ])('%s', (_name, entered, expected) => {
    expect(normaliseUserCode(entered)).toBe(expected)
  })
})

describe('the codes of a device', () => {
  it('are drawn evenly', async () => {
    const { server, clock } = await tokens()
    const count = new Map<string, number>()
    for (let draw = 0; draw < 2000; draw++) {
      const { user_code } = await keepDeviceRequest(server, request(clock.now))
      expect(user_code).toMatch(shown)
      for (const letter of user_code.replace('-', '')) count.set(letter, (count.get(letter) ?? 0) + 1)
    }
    // 16000 letters, 800 of each: six standard deviations are 166
    expect([...count.keys()].sort().join('')).toBe(letters)
    for (const times of count.values()) expect(Math.abs(times - 800)).toBeLessThan(166)
  })

  it('are never those of another device', async () => {
    // a random source that repeats itself: what it draws twice is drawn again
    const drawn = [...Array<number>(3).fill(1), 2]
    const random = (size: number) => (size === 16 ? Buffer.alloc(16, drawn.shift() ?? 3) : Buffer.alloc(size, drawn.length))
    const { server, clock } = await tokens({ random })
    const first = await keepDeviceRequest(server, request(clock.now))
    const second = await keepDeviceRequest(server, request(clock.now))
    expect(first.user_code).not.toBe(second.user_code)
    expect((await findDeviceRequest(server, first.user_code))?.reference).not.toEqual(
      (await findDeviceRequest(server, second.user_code))?.reference
    )
  })

  it('are not given out where the random source or the store is broken', async () => {
    const behind = memoryStore()
    const store: Store = new Proxy(behind, {
      get: (target, name: keyof Store) => (name === 'add' ? () => Promise.resolve(false) : Reflect.get(target, name).bind(target))
    })
    const { server, clock } = await tokens({ store })
    await expect(keepDeviceRequest(server, request(clock.now))).rejects.toMatchObject({ error: 'server_error' })
  })

  it('are another server’s business where the key is another', async () => {
    const store = memoryStore()
    const [ours, theirs] = [await tokens({ store }), await tokens({ store, keys: await generateKeys(['ES256']) })]
    const { user_code } = await keepDeviceRequest(ours.server, request(ours.clock.now))
    expect(await findDeviceRequest(ours.server, user_code)).toBeDefined()
    expect(await findDeviceRequest(theirs.server, user_code)).toBeUndefined()
  })
})
