/** The check that ends every journey can fail: each way there is of telling a secret is caught. */
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { trace } from '@opentelemetry/api'
import type { AuthorizationServerOptions } from '../../lib/index.ts'
import { countEmitted, emitted, forgetEmitted, heardOnTheWire, leaks, overheard } from '../support/checks/emitted.ts'
import { leakChecks } from '../support/checks/leak-check.ts'

const secret = 'a-secret-nobody-may-read'
const sent = (change: object) => ({
  ...{ url: 'https://as.example.com/oauth2/token', headers: new Headers(), body: new URLSearchParams(), answer: '' },
  ...change
})

/** A server's options, overheard. */
let listening: Partial<AuthorizationServerOptions> = {}

beforeAll(() => {
  listening = overheard(listening)
})
afterEach(forgetEmitted)

describe.each<[string, object]>([
  ['a secret in a form', { body: new URLSearchParams({ client_secret: secret }) }],
  ['an assertion', { body: new URLSearchParams({ client_assertion: `eyJ.eyJ.${secret}` }) }],
  ['a Basic header', { headers: new Headers({ authorization: `Basic ${btoa(`web:${secret}`)}` }) }],
  ['a bearer token', { headers: new Headers({ authorization: `Bearer ${secret}` }) }],
  ['a DPoP proof', { headers: new Headers({ dpop: `eyJ.eyJ.${secret}` }) }],
  ['a cookie', { headers: new Headers({ cookie: `a=b; session=${secret}` }) }],
  ['a cookie that is set', { cookies: [`session=${secret}; HttpOnly`] }],
  ['a code on its way', { location: `https://client.example/cb?code=${secret}` }],
  ['a token in an answer', { answer: JSON.stringify({ access_token: secret }) }]
])('%s', (_what, change) => {
  it.each<[string, () => void]>([
    ['an event', () => void listening.onEvent?.({ type: 'keys.changed', at: 1, added: [secret], removed: [] })],
    ['a log line', () => emitted(`{"msg":"${secret}"}`)],
    ['a span', () => trace.getTracer('spec').startSpan('leaks', { attributes: { secret } }).end()]
  ])('is found in %s', (_where, leak) => {
    heardOnTheWire(sent(change))
    expect(leaks()).toEqual([])
    leak()
    expect(leaks()).toContain(secret)
  })
})

it('nothing is found where nothing was said', () => {
  heardOnTheWire(sent({ body: new URLSearchParams({ client_secret: secret }) }))
  emitted({ client_id: 'web' })
  expect(leaks()).toEqual([])
  expect(countEmitted()).toMatchObject({ said: 1, secrets: 1 })
})

it('is asked after this file too', () => {
  expect(leakChecks).toContain(leaks)
})
