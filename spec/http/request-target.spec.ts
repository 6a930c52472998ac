import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { pathOf, queryStringOf } from '../../lib/http/request-target.ts'

const of = (originalUrl: string) => [pathOf({ originalUrl }), queryStringOf({ originalUrl })]

describe('the path and query of a request target', () => {
  it.each([
    ['/', '/', ''],
    ['/oauth2/token', '/oauth2/token', ''],
    ['/oauth2/token?', '/oauth2/token', ''],
    ['/oauth2/token?a=b?c', '/oauth2/token', 'a=b?c'],
    ['//host/oauth2/token', '//host/oauth2/token', ''],
    ['/http://host/x', '/http://host/x', ''],
    ['/a?http://host/x', '/a', 'http://host/x'],
    ['http://host/oauth2/token', '/oauth2/token', ''],
    ['HTTPS://Host:8443/oauth2/token?a=b', '/oauth2/token', 'a=b'],
    ['http://[::1]:3000/x?y', '/x', 'y'],
    ['http://host', '/', ''],
    ['http://host?a=/b', '/', 'a=/b'],
    ['http://host//x', '//x', ''],
    ['http://host/%2e%2e/a%3fb', '/%2e%2e/a%3fb', '']
  ])('of %s are %s and %s', (target, path, query) => {
    expect(of(target)).toEqual([path, query])
  })

  it.each([
    '*',
    '',
    'host:443',
    'http:/x',
    'http:///x',
    'http://',
    'ftp://host/x',
    'javascript:x',
    'http://me:secret@host/x',
    'http://host#/x',
    '@evil/x',
    ':8080/x',
    '\\x'
  ])('%j is no path of anything', target => {
    expect(pathOf({ originalUrl: target }).startsWith('/')).toBe(false)
  })

  it('are the same in either form, whatever the host is', () => {
    const path = fc.webPath().map(given => `/${given.slice(1)}`)
    fc.assert(
      fc.property(fc.webAuthority({ withPort: true }), path, fc.webQueryParameters(), (host, at, query) => {
        expect(of(`http://${host}${at}?${query}`)).toEqual(of(`${at}?${query}`))
      })
    )
  })

  it('are found in time proportional to a hostile target', () => {
    const begun = performance.now()
    for (const piece of ['http://', 'h', '/', '?', '@', ':']) pathOf({ originalUrl: `http://${piece.repeat(200_000)}` })
    expect(performance.now() - begun).toBeLessThan(200)
  })
})
