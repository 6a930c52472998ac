import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { OAuthError } from '../../lib/errors.ts'
import { parseJson } from '../../lib/http/json-body.ts'
import { requestedResources } from '../../lib/client-request.ts'

const parse = (text: string | Uint8Array, maxParameters?: number) =>
  parseJson(typeof text === 'string' ? Buffer.from(text) : text, maxParameters)

describe('parseJson', () => {
  it.each([
    ['an empty object', '{}', []],
    [
      'members',
      '{"a":"1","b":"2"}',
      [
        ['a', '1'],
        ['b', '2']
      ]
    ],
    ['an empty string as absent', '{"a":"","b":"2"}', [['b', '2']]],
    [
      'quotes and backslashes',
      String.raw`{"a":"\"\\","b\"":"\\\""}`,
      [
        ['a', '"\\'],
        ['b"', '\\"']
      ]
    ],
    [
      'names that objects have',
      '{"__proto__":"1","constructor":"2"}',
      [
        ['__proto__', '1'],
        ['constructor', '2']
      ]
    ],
    ['white space', ' {\n "a" :\t"1" } ', [['a', '1']]]
  ])('reads %s', (_, text, expected) => {
    const parameters = parse(text)
    expect(Object.entries(parameters)).toEqual(expected)
    expect(Object.getPrototypeOf(parameters)).toBeNull()
  })

  it.each([
    ['nothing', '', 'not valid JSON'],
    ['broken JSON', '{"client_secret":"hunter2"', 'not valid JSON'],
    ['a byte order mark', '\ufeff{}', 'not valid JSON'],
    ['null', 'null', 'must be an object'],
    ['a list', '[]', 'must be an object'],
    ['a string', '"a"', 'must be an object'],
    ['a number', '7', 'must be an object'],
    ['a number as value', '{"code":7}', 'code must be a string'],
    ['a boolean as value', '{"code":true}', 'code must be a string'],
    ['null as value', '{"code":null}', 'code must be a string'],
    ['an object as value', '{"code":{"a":"b"}}', 'code must be a string'],
    ['a list as value', '{"code":["a","b"]}', 'code was sent more than once'],
    ['an odd name', '{"<b>":1}', 'a parameter must be a string'],
    ['a control character', String.raw`{"code":"a\u0000"}`, 'code contains a control character'],
    ['half a surrogate pair', String.raw`{"code":"\ud800"}`, 'code contains a control character'],
    ['a name twice', '{"a":"1","a":"2"}', 'more than once'],
    ['a name twice, once empty', '{"a":"1","a":""}', 'more than once'],
    ['a name twice, once escaped', String.raw`{"a":"1","\u0061":"2"}`, 'more than once'],
    ['a name twice, first a number', '{"a":1,"a":"2"}', 'more than once'],
    ['a name twice, first an object', '{"a":{"b":"c"},"a":"2"}', 'more than once'],
    ['bytes that are not UTF-8', Buffer.from('{"a":"\xff"}', 'latin1'), 'UTF-8']
  ])('refuses %s', (_, text, words) => {
    let thrown: unknown
    try {
      parse(text)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({
      error: 'invalid_request',
      status: 400,
      message: expect.stringContaining(words),
      reason: expect.any(String)
    })
    expect(JSON.stringify(thrown) + String((thrown as OAuthError).reason)).not.toContain('hunter2')
  })

  it('reads as many members as it was told, and not one more', () => {
    expect(parse('{"a":"1","b":"2"}', 2)).toEqual({ a: '1', b: '2' })
    expect(() => parse('{"a":"1","b":"2"}', 1)).toThrow('too many parameters')
  })

  it('reads back any object of clean strings', () => {
    // eslint-disable-next-line no-control-regex -- clean means: none of these
    const clean = fc.string({ unit: 'grapheme', minLength: 1 }).filter(text => !/[\u0000-\u001f\u007f]/.test(text))
    fc.assert(
      fc.property(fc.dictionary(clean, clean), sent => {
        expect(Object.entries(parse(JSON.stringify(sent)))).toEqual(Object.entries(sent))
      })
    )
  })

  it('throws nothing but OAuth errors, whatever the JSON or the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map(text => Buffer.from(text))
        ),
        bytes => {
          try {
            parse(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(OAuthError)
          }
        }
      ),
      { numRuns: 500 }
    )
  })

  it('reads a list of resources, and of nothing else', () => {
    const resources = (text: string) => requestedResources(parse(text))
    expect(resources('{"resource":["https://a","https://b","https://a"],"scope":"x"}')).toEqual(['https://a', 'https://b'])
    expect(resources('{"resource":"https://a"}')).toEqual(['https://a'])
    expect(resources('{"resource":[]}')).toEqual([])
    for (const text of ['{"scope":["a"]}', '{"resource":["a"],"resource":"b"}', '{"resource":[["a"]]}', '{"resource":[1]}'])
      expect(() => parse(text)).toThrow(OAuthError)
    expect(() => parse(JSON.stringify({ resource: Array.from({ length: 101 }, String) }))).toThrow(OAuthError)
  })
})
