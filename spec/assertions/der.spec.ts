import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { DerError, derTags, derTime, derValues, readDer } from '../../lib/assertions/der.ts'
import { tlv } from '../support/certificates.ts'

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
