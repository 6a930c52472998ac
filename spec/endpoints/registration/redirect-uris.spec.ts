import { describe, expect, it } from '@jest/globals'
import { applicationTypeOf, redirectUris } from '../../../lib/endpoints/registration/redirect-uris.ts'
import { InvalidRedirectUriError } from '../../../lib/errors.ts'
import { everything } from './rules.ts'

const judge = (...uris: unknown[]) => redirectUris(uris, 'redirect_uris', everything)

function problem(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof InvalidRedirectUriError) return error.message
    throw error
  }
}

describe('redirect URIs', () => {
  it.each([
    'https://client.example/cb',
    'https://client.example',
    'https://client.example/cb?dummy1=lorem&dummy2=ipsum%20dolor',
    'https://client.example:8443/a/b;c=d/~e/.well-known/..f',
    'https://192.0.2.1/cb',
    'https://localhost/cb',
    'http://localhost:8080/cb',
    'http://127.0.0.1/cb',
    'http://127.1.2.3:1/cb',
    'http://[::1]:51004/cb',
    'com.example.app:/oauth2redirect',
    'com.example.app://callback'
  ])('%s is one', uri => {
    expect(judge(uri)).toEqual([uri])
  })

  it.each([
    ['https://client.example/cb#', 'must have no fragment'],
    ['https://client.example/cb#code=x', 'must have no fragment'],
    ['com.example.app:/cb#f', 'must have no fragment'],
    ['https://*.example/cb', 'must have no wildcard'],
    ['https://client.example/*', 'must have no wildcard'],
    ['https://user@client.example/', 'must have no user info'],
    ['https://user:pw@client.example/', 'must have no user info'],
    ['https://@client.example/', 'must have no user info'],
    ['https://client.example/a/../b', 'must have no dot segments'],
    ['https://client.example/a/%2E%2e/b', 'must have no dot segments'],
    ['https://client.example/.', 'must have no dot segments'],
    ['http://client.example/cb', 'must be https'],
    ['http://localhost.evil.example/cb', 'must be https'],
    ['http://127.0.0.1.evil.example/cb', 'must be https'],
    ['http://192.168.0.1/cb', 'must be https'],
    ['javascript:alert(1)', 'must be of a scheme that leads to the client'],
    ['data:text/html,x', 'must be of a scheme that leads to the client'],
    ['file:///etc/passwd', 'must be of a scheme that leads to the client'],
    ['myapp:/cb', 'must be https, http on'],
    ['urn:ietf:wg:oauth:2.0:oob', 'must be https, http on'],
    ['mailto:a.b@example.com', 'must be https, http on'],
    ['/cb', 'must be an absolute URI'],
    ['client.example/cb', 'must be an absolute URI'],
    ['', 'must be an absolute URI'],
    ['https://', 'must be an absolute URI'],
    ['https://client.example/c b', 'must be an absolute URI'],
    ['https://client.example/cb\n', 'must be an absolute URI'],
    [' https://client.example/cb', 'must be an absolute URI'],
    ['https:\\\\client.example\\cb', 'must be an absolute URI'],
    ['https://client.example/"><script>', 'must be an absolute URI'],
    ['https://cliént.example/', 'must be an absolute URI'],
    [`https://client.example/${'a'.repeat(2000)}`, 'must be at most 2000 characters long'],
    [null, 'must be a string'],
    [['https://client.example/'], 'must be a string']
  ])('%j is none, and the answer says which of them', (uri, words) => {
    expect(problem(() => judge('https://client.example/fine', uri))).toMatch(new RegExp(`^redirect_uris\\[1\\] ${words}`))
  })

  it('are kept once each', () => {
    expect(judge('https://a.example/', 'https://b.example/', 'https://a.example/')).toEqual([
      'https://a.example/',
      'https://b.example/'
    ])
  })

  it('are bounded in number, whatever they are', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `https://client.example/${index}`)
    expect(problem(() => judge(...many))).toBe('redirect_uris must have at most 50 items')
    expect(judge(...many.slice(0, 50))).toHaveLength(50)
  })
})

describe('the kind of application', () => {
  it.each([
    ['web', undefined, ['https://a.example/']],
    ['web', undefined, []],
    ['web', 'web', ['https://a.example/']],
    ['native', undefined, ['http://localhost:1/']],
    ['native', undefined, ['https://a.example/', 'com.example.app:/cb']],
    ['native', 'native', ['https://a.example/']],
    ['native', 'native', []]
  ])('is %s where %s is registered with %j', (type, registered, uris) => {
    expect(applicationTypeOf(registered, uris, [])).toBe(type)
  })

  it('web goes with https alone', () => {
    for (const uri of ['http://localhost/cb', 'com.example.app:/cb'])
      expect(problem(() => applicationTypeOf('web', ['https://a.example/', uri], []))).toMatch(
        /^redirect_uris\[1\] must be https/
      )
  })
})
