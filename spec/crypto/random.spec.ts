import { describe, expect, it } from '@jest/globals'
import { pooledRandomBytes } from '../../lib/crypto/random.ts'

describe('pooledRandomBytes', () => {
  it.each([0, 1, 16, 32, 16_384, 16_385, 100_000])('gives %i bytes', size => {
    expect(pooledRandomBytes(size)).toHaveLength(size)
  })

  it('never gives the same bytes twice, however often the pool is filled again', () => {
    const given = Array.from({ length: 5_000 }, () => pooledRandomBytes(16).toString('hex'))
    expect(new Set(given).size).toBe(5_000)
    expect(given).not.toContain('00'.repeat(16))
  })

  it('keeps apart what it gave out: changing or keeping one changes no other', () => {
    const one = pooledRandomBytes(32)
    const copy = Buffer.from(one)
    const another = pooledRandomBytes(32)
    another.fill(0)
    for (let i = 0; i < 2_000; i++) pooledRandomBytes(32)
    expect(one.equals(copy)).toBe(true)
  })

  it('uses every value a byte can have about as often', () => {
    const counts = new Array<number>(256).fill(0)
    for (const byte of Buffer.concat(Array.from({ length: 256 }, () => pooledRandomBytes(1_000))))
      counts[byte] = (counts[byte] ?? 0) + 1
    expect(Math.min(...counts)).toBeGreaterThan(800)
    expect(Math.max(...counts)).toBeLessThan(1_200)
  })
})
