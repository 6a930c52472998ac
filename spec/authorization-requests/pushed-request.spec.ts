import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { memoryStore } from '../../lib/index.ts'
import { breakableStore, callback, harness, issuer, listening, redirected } from '../support/servers/authorization-server.ts'
import { expectPage, idOf, open, pushed, resume } from '../support/servers/pushed-requests.ts'
import { now } from '../support/servers/signed-requests.ts'

describe('a request_uri', () => {
  it.each([
    'urn:ietf:params:oauth:request_uri:',
    'urn:ietf:params:oauth:request_uri:unknown',
    'urn:other:x',
    'https://client.example.com/request.jwt',
    'x'.repeat(5000)
  ])('that nobody pushed is an error page: %.60s', async request_uri => {
    const { app } = await harness()
    expectPage(await open(app, request_uri, { redirect_uri: callback }), 'invalid_request_uri')
  })

  it('is good for its client alone, for a minute', async () => {
    const { app, clock } = await harness()
    const request_uri = await pushed(app)
    expectPage(await open(app, request_uri, { client_id: 'other' }), 'invalid_request_uri')
    expectPage(await open(app, request_uri, { client_id: 'nobody' }), 'invalid_request')
    clock.now += 59_000
    expect((await open(app, request_uri, { request: 'x' })).text).toContain('invalid_request')
    clock.now += 2_000
    expectPage(await open(app, request_uri), 'invalid_request_uri')
  })

  it('sent twice is an error page', async () => {
    const { app } = await harness()
    const request_uri = await pushed(app)
    const query = new URLSearchParams([
      ['client_id', 'web'],
      ['request_uri', request_uri],
      ['request_uri', request_uri]
    ])
    expectPage(await request(app).get(`/oauth2/authorize?${query.toString()}`), 'invalid_request_uri')
  })

  it('is used up by a code, by a refusal, and by an error the client is told', async () => {
    const { app, person } = await harness()
    const first = await pushed(app)
    expect(redirected(await open(app, first))).toHaveProperty('code')
    expectPage(await open(app, first), 'invalid_request_uri')
    person.consented = false
    const second = await pushed(app)
    const denied = await resume(app, idOf(await open(app, second)), { error: 'access_denied' })
    expect(redirected(denied)).toMatchObject({ error: 'access_denied', state: 'pushed', iss: issuer })
    expectPage(await open(app, second), 'invalid_request_uri')
    const third = await pushed(app, { prompt: 'none' })
    expect(redirected(await open(app, third))).toMatchObject({ error: 'consent_required' })
    expectPage(await open(app, third), 'invalid_request_uri')
  })

  it('is not used up by opening the page; the person may take longer than it lives', async () => {
    const { app, person, clock } = await harness()
    person.account = undefined
    const request_uri = await pushed(app)
    const ids = [idOf(await open(app, request_uri)), idOf(await open(app, request_uri))]
    expect(new Set(ids).size).toBe(2)
    clock.now += 890_000
    person.account = { sub: 'alice', auth_time: clock.now / 1000 }
    expect(redirected(await resume(app, ids[1] ?? '', { login: person.account }))).toHaveProperty('code')
    for (let time = 0; time < 2; time++)
      expectPage(await resume(app, ids[0] ?? '', { login: person.account }), 'invalid_request_uri')
  })

  it('whose interaction has had its hour is answered by nobody', async () => {
    const { app, person, clock } = await harness()
    person.account = undefined
    const id = idOf(await open(app, await pushed(app)))
    clock.now += 890_000
    person.account = { sub: 'alice', auth_time: clock.now / 1000 }
    person.consented = false
    expect((await resume(app, id, { login: person.account })).body).toMatchObject({ name: 'consent' })
    clock.now += 2_711_000
    expectPage(await resume(app, id, { consent: true }), 'invalid_request')
  })

  it('is not used up by a fault of the server', async () => {
    const { store, broken } = breakableStore(memoryStore({ clock: () => now * 1000 }))
    const { app } = await harness({ store })
    const request_uri = await pushed(app)
    broken.set('add', 'rejects')
    expect(redirected(await open(app, request_uri))).toMatchObject({ error: 'temporarily_unavailable' })
    broken.clear()
    expect(redirected(await open(app, request_uri))).toHaveProperty('code')
  })

  it.each([
    ['at once', true],
    ['by fifty people who opened it', false]
  ])('answered fifty times, %s: one answer', async (_, consented) => {
    const { app, person } = await harness()
    const request_uri = await pushed(app)
    const locations = await listening(app, async address => {
      person.consented = consented
      const opened = await Promise.all(Array.from({ length: 50 }, () => open(address, request_uri)))
      if (consented) return opened.map(response => response.headers['location'])
      const resumed = await Promise.all(opened.map(response => resume(address, idOf(response), { consent: true })))
      return resumed.map(response => response.headers['location'])
    })
    expect(locations.filter(location => location !== undefined)).toEqual([expect.stringContaining('code=')])
  })
})
