import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isPrivateUseScheme, redirectUriProblem, uriProblem } from '../../../lib/clients/metadata/uri.ts'

describe('a URI', () => {
  it.each([
    'https://client.example',
    'https://Client.Example:8443/a/b;c=d?e=f%20g&h',
    'https://xn--r8jz45g.example/cb',
    'http://127.0.0.1/cb',
    'http://[::1]:51004/cb',
    'com.example.app:/cb',
    'cursor://anysphere.cursor-retrieval/oauth/callback',
    'urn:ietf:wg:oauth:2.0:oob'
  ])('is %s', uri => {
    expect(redirectUriProblem(uri)).toBeUndefined()
  })

  it.each([
    'https://例え.example/cb',
    'https://client.example/ä',
    'https://client.example/a b',
    'https://client.example/a"b',
    'https://client.example/<x>',
    'https://client.example/{x}',
    'https://client.example/a|b',
    'https://client.example/a^b',
    'https://client.example/%',
    'https://client.example/%2',
    'https://client.example/%zz',
    'https://client.example/[x]',
    'https://client.example\\cb',
    'https:\\\\client.example',
    'https:client.example',
    'https:/client.example',
    'https:///client.example/cb',
    'http:localhost/cb',
    'https://',
    'https://:8080/',
    'https://client.example:port/',
    'https://client.example:99999/',
    'https://0x7f.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://ex%61mple.example/',
    'https://client.example/cb\r\nLocation: https://evil.example',
    ' https://client.example/',
    '//client.example/',
    '/cb',
    'client.example',
    '',
    7,
    null
  ])('is not %j', uri => {
    expect(uriProblem(uri)).toMatch(/^must /)
  })

  it('that passes is sent as it is: nothing a header could not carry', () => {
    fc.assert(
      fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), fc.string(), (url, more) => {
        const uri = `${url}${more}`
        if (uriProblem(uri) === undefined) expect(uri).toMatch(/^[\x21-\x7e]+$/)
      })
    )
  })
})

describe('a scheme of an app’s own', () => {
  it.each(['cursor', 'vscode', 'com.example.app', 'x-app+1'])('may be %s', scheme => {
    expect(isPrivateUseScheme(scheme)).toBe(true)
  })

  it.each(['javascript', 'data', 'file', 'vbscript', 'blob', 'about', 'http', 'https', 'Cursor', 'cursor:', '', '1a', 'a b'])(
    'is never %j',
    scheme => {
      expect(isPrivateUseScheme(scheme)).toBe(false)
    }
  )
})
