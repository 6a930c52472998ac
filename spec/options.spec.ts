import { describe, expect, it } from '@jest/globals'
import {
  checkIssuer,
  checkKeys,
  ConfigurationError,
  flag,
  fn,
  integer,
  isLoopbackHost,
  listOf,
  nested,
  oneOf,
  readBy,
  readOptions,
  required,
  text,
  type Check
} from '../lib/options.ts'

function refusal(check: () => unknown): ConfigurationError {
  try {
    check()
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('ConfigurationError', () => {
  it('starts its message with the key, and is a TypeError', () => {
    const error = new ConfigurationError('clients[3].jwks_uri', 'must be an https URL')
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({
      name: 'ConfigurationError',
      key: 'clients[3].jwks_uri',
      message: 'clients[3].jwks_uri must be an https URL'
    })
  })
})

describe('checkKeys', () => {
  const known = ['issuer', 'clients', 'maxBytes']

  it('lets known keys pass, and only looks at own ones', () => {
    expect(() => checkKeys({ issuer: 1, maxBytes: undefined }, known)).not.toThrow()
    expect(() => checkKeys(Object.create({ other: 1 }) as object, known)).not.toThrow()
  })

  it.each([
    ['isuer', 'issuer'],
    ['issuers', 'issuer'],
    ['client', 'clients'],
    ['cleints', 'clients'],
    ['maxbytes', 'maxBytes'],
    ['max_bytes', 'maxBytes']
  ])('guesses what %s was meant to be', (key, guess) => {
    const error = refusal(() => checkKeys({ [key]: 1 }, known))
    expect([error.key, error.message]).toEqual([key, `${key} is not a known option; did you mean ${guess}?`])
  })

  it('does not guess wildly, and names the path', () => {
    expect(refusal(() => checkKeys({ interaction: 1 }, known)).message).toBe('interaction is not a known option')
    expect(refusal(() => checkKeys({ __proto__: null, constructor: 1 }, known)).message).toBe('constructor is not a known option')
    expect(refusal(() => checkKeys({ isuer: 1 }, known, 'tenants[0].')).key).toBe('tenants[0].isuer')
  })
})

describe('checkIssuer', () => {
  it.each([
    'https://as.example.com',
    'https://as.example.com:8443',
    'https://as.example.com/tenants/one',
    'https://xn--bcher-kva.example',
    'http://localhost:3000',
    'http://127.0.0.1:3000/as',
    'http://[::1]:3000'
  ])('takes %s', issuer => {
    expect(checkIssuer(issuer)).toBe(issuer)
  })

  it.each([
    [undefined, 'must be an absolute URL'],
    [null, 'must be an absolute URL'],
    [7, 'must be an absolute URL'],
    ['', 'must be an absolute URL'],
    ['as.example.com', 'must be an absolute URL'],
    ['/as', 'must be an absolute URL'],
    [new URL('https://as.example.com'), 'must be an absolute URL'],
    ['http://as.example.com', 'must be an https URL'],
    ['http://localhost.example.com', 'must be an https URL'],
    ['http://127.0.0.1.example.com', 'must be an https URL'],
    ['http://0.0.0.0', 'must be an https URL'],
    ['ftp://localhost', 'must be an https URL'],
    ['https://as.example.com?x=1', 'must have no query'],
    ['https://as.example.com/?', 'must have no query'],
    ['https://as.example.com#', 'must have no query'],
    ['https://user@as.example.com', 'must have no query'],
    ['https://user:secret@as.example.com', 'must have no query'],
    ['https://as.example.com/', 'must not end in a slash'],
    ['https://as.example.com/as/', 'must not end in a slash'],
    ['https://AS.example.com', 'must be written in its normal form, https://as.example.com'],
    ['HTTPS://as.example.com', 'must be written in its normal form, https://as.example.com'],
    ['https://as.example.com:443', 'must be written in its normal form, https://as.example.com'],
    ['https://as.example.com/a/../b', 'must be written in its normal form, https://as.example.com/b'],
    ['https://as.example.com/a b', 'must be written in its normal form, https://as.example.com/a%20b'],
    ['https://@as.example.com', 'must be written in its normal form'],
    ['https:as.example.com', 'must be written in its normal form'],
    [' https://as.example.com', 'must be written in its normal form'],
    ['https://as.example.com\n', 'must be written in its normal form'],
    ['http://127.1', 'must be written in its normal form, http://127.0.0.1']
  ])('refuses %j', (issuer, words) => {
    const error = refusal(() => checkIssuer(issuer))
    expect([error.key, error.message]).toEqual(['issuer', expect.stringContaining(`issuer ${words}`)])
  })

  it('names the key it was given', () => {
    expect(refusal(() => checkIssuer(undefined, 'trusted[0].issuer')).message).toBe('trusted[0].issuer must be an absolute URL')
  })
})

describe('integer', () => {
  const whole = integer({ min: 1, max: 10, default: 5 })

  it('takes whole numbers within bounds, and the default for nothing', () => {
    expect([1, 10, undefined].map(value => whole.read(value, 'maxAge'))).toEqual([1, 10, 5])
  })

  it.each([0, 11, -1, 1.5, NaN, Infinity, '5', 5n, null, true, {}, [5]])('refuses %p', value => {
    expect(refusal(() => whole.read(value, 'maxAge')).message).toBe('maxAge must be a whole number from 1 to 10')
  })
})

describe('isLoopbackHost', () => {
  it.each(['localhost', '127.0.0.1', '127.255.0.9', '[::1]'])('knows %s', host => expect(isLoopbackHost(host)).toBe(true))
  it.each([
    '',
    'example.com',
    'localhost.example.com',
    'a.localhost.com',
    '128.0.0.1',
    '127.0.0.1.example.com',
    '10.127.0.0.1',
    '::1',
    '[::2]'
  ])('is not taken in by %j', host => expect(isLoopbackHost(host)).toBe(false))
})

describe('readOptions', () => {
  const table = {
    ttl: integer({ min: 1, max: 10, default: 5 }),
    rotate: flag(false),
    audience: oneOf(['issuer', 'legacy'], 'issuer'),
    clock: fn(Date.now),
    name: text(),
    scopes: listOf('scope values', value => typeof value === 'string', []),
    limits: nested({ bytes: integer({ min: 1, max: 9, default: 3 }) })
  }

  it('puts defaults in the place of what is absent, and passes on what is there', () => {
    expect(readOptions({}, table)).toEqual({ ttl: 5, rotate: false, audience: 'issuer', clock: Date.now, scopes: [] })
    const given = { ttl: 7, rotate: true, audience: 'legacy', clock: () => 1, name: 'x', scopes: ['a'], limits: {} }
    expect(readOptions(given, table)).toEqual({ ...given, limits: { bytes: 3 } })
  })

  it.each([
    ['ttl', '7', 'must be a whole number from 1 to 10'],
    ['rotate', 'true', 'must be true or false'],
    ['audience', 'none', 'must be one of "issuer", "legacy"'],
    ['clock', 5, 'must be a function'],
    ['name', '', 'must be a non-empty string'],
    ['scopes', ['a', 1], 'must be a list of scope values'],
    ['limits', [], 'must be an object'],
    ['ttls', 7, 'is not a known option; did you mean ttl?']
  ])('refuses a wrong %s by its path', (name, value, words) => {
    const error = refusal(() => readOptions({ [name]: value }, table, 'resources[2].'))
    expect([error.key, error.message]).toEqual([`resources[2].${name}`, `resources[2].${name} ${words}`])
  })

  it.each(Object.entries(table))('takes null for a value, not for nothing: %s', (name, check: Check<unknown>) => {
    expect(refusal(() => readOptions({ [name]: null }, table)).message).toBe(`${name} must be ${check.takes}`)
  })

  it('names what is wrong within options within options', () => {
    expect(refusal(() => readOptions({ limits: { bytes: 10 } }, table)).key).toBe('limits.bytes')
    expect(refusal(() => readOptions({ limits: { byte: 1 } }, table)).message).toMatch(/^limits\.byte .* did you mean bytes\?$/)
  })

  it('asks for what is required, and lets a reader of its own decide', () => {
    const issuer = { issuer: readBy('an https URL', checkIssuer), name: required(text()) }
    expect(readOptions({ issuer: 'https://as.example', name: 'a' }, issuer)).toEqual({ issuer: 'https://as.example', name: 'a' })
    expect(refusal(() => readOptions({ name: 'a' }, issuer)).key).toBe('issuer')
    expect(refusal(() => readOptions({ issuer: 'https://as.example' }, issuer)).message).toBe('name must be a non-empty string')
  })

  it.each([undefined, null, 'x', 7, [], () => 1])('refuses %p in the place of options', given => {
    expect(refusal(() => readOptions(given, table)).message).toBe('options must be an object')
    expect(refusal(() => readOptions(given, table, 'credentials.')).message).toBe('credentials must be an object')
  })
})
