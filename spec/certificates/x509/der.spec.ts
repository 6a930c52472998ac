import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  derBoolean,
  derCount,
  DerError,
  derInside,
  derOctets,
  derOid,
  derTags,
  derTime,
  derValues,
  readDer,
  type DerValue
} from '../../../lib/certificates/x509/der.ts'
import { tlv } from '../../support/certificates/certificates.ts'

const tags = (bytes: Uint8Array) => Array.from(derValues(bytes), ({ tag, content }) => [tag, content.length])

describe('derValues', () => {
  it('reads one value after another, of any length', () => {
    const values = [tlv(0x02, Buffer.of(1)), tlv(0x30), tlv(0x04, Buffer.alloc(200)), tlv(0x04, Buffer.alloc(70_000))]
    expect(tags(Buffer.concat(values))).toEqual([
      [0x02, 1],
      [0x30, 0],
      [0x04, 200],
      [0x04, 70_000]
    ])
    expect(tags(Buffer.of())).toEqual([])
  })

  it.each([
    ['a tag alone', [0x30]],
    ['less than it says', [0x30, 2, 0]],
    ['an indefinite length', [0x30, 0x80, 0, 0]],
    ['a length of five octets', [0x30, 0x85, 0, 0, 0, 0, 1, 0]],
    ['a length cut short', [0x30, 0x82, 1]],
    ['a tag that is none', [0, 0]],
    ['a tag of several octets', [0x1f, 0x81, 0x01, 0]]
  ])('refuses %s', (_, bytes) => {
    expect(() => tags(Buffer.from(bytes))).toThrow(DerError)
  })

  it('ends, with values or its own error, whatever it reads', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        try {
          expect(tags(bytes).length).toBeLessThanOrEqual(100)
        } catch (error) {
          expect(error).toBeInstanceOf(DerError)
        }
      })
    )
  })
})

describe('readDer', () => {
  it('wants one value, of the type that is asked for', () => {
    expect(readDer(tlv(0x30, Buffer.of(5, 0)), derTags.sequence).content).toEqual(Buffer.of(5, 0))
    expect(() => readDer(Buffer.of(5, 0, 5, 0))).toThrow('after its end')
    expect(() => readDer(Buffer.of(5, 0), derTags.sequence)).toThrow('another type')
  })
})

describe('derInside', () => {
  it('gives the values inside of one, of the type that is asked for and no more than are wanted', () => {
    const two = readDer(tlv(0x30, tlv(0x02, Buffer.of(1)), tlv(0x05)))
    expect(derInside(two, derTags.sequence).map(({ tag }) => tag)).toEqual([0x02, 0x05])
    expect(derInside(two, derTags.sequence, 2)).toHaveLength(2)
    expect(() => derInside(two, derTags.sequence, 1)).toThrow('more than 1 values')
    expect(() => derInside(two, derTags.set)).toThrow(DerError)
  })
})

describe('derOid', () => {
  it.each([
    '0.0',
    '0.39',
    '1.0',
    '1.39',
    '2.0',
    '2.39',
    '2.5.29.17',
    '2.999.3',
    '1.2.840.113549.1.1.11',
    '1.3.6.1.4.1.311.60.2.1.3'
  ])('reads %s', dotted => {
    expect(derOid(readDer(oidOf(dotted)))).toBe(dotted)
  })

  it('reads arcs of any length exactly', () => {
    const arcs = fc.array(fc.bigInt({ min: 0n, max: 2n ** 128n }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(arcs, others => {
        const dotted = ['2', '25', ...others].join('.')
        expect(derOid(readDer(oidOf(dotted)))).toBe(dotted)
      })
    )
  })

  it('refuses what is none, and two ways of writing one', () => {
    for (const der of [
      tlv(0x06),
      tlv(0x02, Buffer.of(1)),
      ...['80', '8001', '5580', '55801d', '55ff'].map(hex => tlv(0x06, Buffer.from(hex, 'hex')))
    ])
      expect(() => derOid(readDer(der))).toThrow(DerError)
  })
})

function oidOf(dotted: string): Buffer {
  const [first = 0n, second = 0n, ...others] = dotted.split('.').map(BigInt)
  const arc = (value: bigint): number[] => {
    const octets = [Number(value & 0x7fn)]
    for (let left = value >> 7n; left > 0n; left >>= 7n) octets.unshift(Number(left & 0x7fn) | 0x80)
    return octets
  }
  return tlv(0x06, Buffer.from([first * 40n + second, ...others].flatMap(arc)))
}

describe('what a value is', () => {
  const of = (tag: number, ...content: number[]): DerValue => readDer(tlv(tag, Buffer.from(content)))

  it('is read from the right type alone', () => {
    expect([derBoolean(of(1, 0xff)), derBoolean(of(1, 0))]).toEqual([true, false])
    expect([derCount(of(2, 0)), derCount(of(2, 1, 0)), derCount(of(2, 0, 0xff))]).toEqual([0, 256, 255])
    expect(derCount(of(2, 1, 2, 3, 4, 5, 6, 7))).toBe(Infinity)
    expect([...derOctets(of(3, 0, 7, 8))]).toEqual([7, 8])
    for (const wrong of [
      () => derBoolean(of(1)),
      () => derBoolean(of(1, 0, 0)),
      () => derBoolean(of(2, 0)),
      () => derCount(of(2)),
      () => derCount(of(2, 0x80)),
      () => derCount(of(1, 1)),
      () => derOctets(of(3)),
      () => derOctets(of(3, 1, 2)),
      () => derOctets(of(4, 0, 1))
    ])
      expect(wrong).toThrow(DerError)
  })
})

describe('derTime', () => {
  it.each([
    [0x17, '491231235959Z', '2049-12-31T23:59:59.000Z'],
    [0x17, '500101000000Z', '1950-01-01T00:00:00.000Z'],
    [0x18, '20500101000000Z', '2050-01-01T00:00:00.000Z']
  ])('reads %d %s', (tag, text, iso) => {
    expect(new Date(derTime(readDer(tlv(tag, Buffer.from(text))))).toISOString()).toBe(iso)
  })

  it.each([
    [0x17, '20500101000000Z'],
    [0x18, '500101000000Z'],
    [0x17, '4912312359Z'],
    [0x17, '491231235959+0100'],
    [0x17, '491331235959Z'],
    [0x0c, '491231235959Z']
  ])('refuses %d %s', (tag, text) => {
    expect(() => derTime(readDer(tlv(tag, Buffer.from(text))))).toThrow(DerError)
  })
})
