import { describe, expect, it } from '@jest/globals'
import { requestNote } from '../lib/request-note.ts'

describe('requestNote', () => {
  it('is read where it was written, by who made it', () => {
    const request = {}
    const one = requestNote<object, number>('one')
    const other = requestNote<object, number>('one')
    expect(one.read(request)).toBeUndefined()
    expect(one.write(request, 1)).toBe(1)
    expect(one.read(request)).toBe(1)
    expect(other.read(request)).toBeUndefined()
    one.write(request, 2)
    expect(one.read(request)).toBe(2)
  })

  it.each([
    ['a copy', (request: object) => ({ ...request })],
    ['one that inherits', (request: object) => Object.create(request) as object],
    ['one it was assigned to', (request: object) => Object.assign({}, request)]
  ])('says nothing of %s', (_what, other) => {
    const request = {}
    const note = requestNote<object, string>('note')
    note.write(request, 'secret')
    const another = other(request)
    expect(note.read(another)).toBeUndefined()
    note.write(another, 'its own')
    expect(note.read(another)).toBe('its own')
    expect(note.read(request)).toBe('secret')
  })

  it('is no member anybody enumerates by name, nor part of JSON', () => {
    const request = { method: 'POST' }
    requestNote<object, string>('note').write(request, 'secret')
    expect(Object.keys(request)).toEqual(['method'])
    expect(JSON.stringify(request)).toBe('{"method":"POST"}')
  })
})
