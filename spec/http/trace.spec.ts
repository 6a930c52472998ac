import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readTraceparent, traceIdOf } from '../../lib/http/trace.ts'

const id = '4bf92f3577b34da6a3ce929d0e0e4736'
const span = '00f067aa0ba902b7'
const good = `00-${id}-${span}-01`

describe('readTraceparent', () => {
  it.each([
    ['of version 00', good, { traceId: id, spanId: span, traceFlags: 1 }],
    ['that is not sampled', `00-${id}-${span}-00`, { traceId: id, spanId: span, traceFlags: 0 }],
    ['with flags nobody knows', `00-${id}-${span}-ff`, { traceId: id, spanId: span, traceFlags: 1 }],
    ['of a later version', `cc-${id}-${span}-01`, { traceId: id, spanId: span, traceFlags: 1 }],
    ['of a later version that goes on', `cc-${id}-${span}-01-what the future will be like`, { traceId: id }]
  ])('reads one %s', (_what, header, expected) => {
    expect(readTraceparent(header)).toMatchObject(expected)
  })

  it.each([
    ['nothing', undefined],
    ['an empty one', ''],
    ['two', `${good}, ${good}`],
    ['a list', [good]],
    ['the forbidden version', `ff-${id}-${span}-01`],
    ['version 00 that goes on', `${good}-more`],
    ['a later version that goes on without a dash', `cc-${id}-${span}-01more`],
    ['capitals', good.toUpperCase()],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${span}-01`],
    ['a span of zeros', `00-${id}-${'0'.repeat(16)}-01`],
    ['a trace too short', `00-${id.slice(1)}-${span}-01`],
    ['a trace too long', `00-${id}0-${span}-01`],
    ['no flags', `00-${id}-${span}`],
    ['what is no hex', `00-${id.replace('4', 'g')}-${span}-01`],
    ['spaces around it', ` ${good} `],
    ['a line of its own behind it', `${good}\n`],
    ['64 KiB', `cc-${id}-${span}-01-${'x'.repeat(65_536)}`]
  ])('ignores %s', (_what, header) => {
    expect(readTraceparent(header)).toBeUndefined()
  })

  it('never throws, and never answers with what is no id', () => {
    fc.assert(
      fc.property(fc.anything(), header => {
        const read = readTraceparent(header)
        expect(read === undefined || /^[0-9a-f]{32}$/.test(read.traceId)).toBe(true)
      })
    )
  })
})

describe('traceIdOf', () => {
  it('is that of the header, and stays what it was first', () => {
    const req = { headers: { traceparent: good } }
    expect(traceIdOf(req)).toBe(id)
    req.headers.traceparent = good.replace('4', '5')
    expect(traceIdOf(req)).toBe(id)
  })

  it('is random without one, the same each time for one request and another for each', () => {
    const requests = Array.from({ length: 1000 }, () => ({ headers: {} }))
    const ids = requests.map(traceIdOf)
    expect(new Set(ids).size).toBe(1000)
    expect(ids.every(each => /^[0-9a-f]{32}$/.test(each))).toBe(true)
    expect(requests.map(traceIdOf)).toEqual(ids)
  })
})
