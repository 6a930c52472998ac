import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { breakReport, clientCredentials, type AuthorizationServerOptions, type ServerEvent } from '../../lib/index.ts'
import { makeIssuer, signAs, type JwtParts } from '../support/servers/trusted-issuer.ts'
import { harness, issuer } from '../support/servers/authorization-server.ts'
import { listening } from '../support/checks/event-log.ts'
import { assertionClaims, askWith, makeParties, type Parties } from '../support/clients/assertion-requests.ts'

const seen = (client_id: string, check: string, at: number, received?: string): ServerEvent => ({
  type: 'authentication.tolerated',
  endpoint: 'token',
  ...{ client_id, check, at, received }
})

describe('breakReport', () => {
  it('says who, by which check, how often, when first and last, and what came last', () => {
    const report = breakReport()
    report.listen(seen('billing', 'audience', 1, 'a'))
    report.listen(seen('billing', 'type', 2))
    report.listen(seen('shop', 'audience', 3))
    report.listen(seen('billing', 'audience', 4, 'b'))
    report.listen({ type: 'keys.changed', at: 5, added: [], removed: [] })
    const billing = { client_id: 'billing', check: 'audience', count: 2, first_seen: 1, last_seen: 4, received: 'b' }
    expect(report.whoWouldBreak('audience')).toMatchObject([billing, { client_id: 'shop', count: 1 }])
    expect(report.whoWouldBreak()).toHaveLength(3)
    expect(report.whoWouldBreak()[0]).toMatchObject(billing)
    expect(report.whoWouldBreak('clock')).toEqual([])
  })

  it('takes no two clients for one, whatever they are called', () => {
    const report = breakReport()
    report.listen(seen('b","c', 'a', 1))
    report.listen(seen('c', 'a","b', 1))
    expect(report.whoWouldBreak()).toHaveLength(2)
  })

  it('keeps no more than it may: the one longest not seen makes room', () => {
    const report = breakReport({ max: 100 })
    for (let client = 0; client < 10_000; client++) {
      report.listen(seen(`client ${client}`, 'type', client))
      report.listen(seen('always', 'type', client))
    }
    expect(report.whoWouldBreak()).toHaveLength(100)
    expect(report.whoWouldBreak()[0]).toMatchObject({ client_id: 'always', count: 10_000 })
    expect(report.whoWouldBreak('type').some(({ client_id }) => client_id === 'client 9999')).toBe(true)
  })

  it.each<[object]>([[{ max: 0 }], [{ max: 1.5 }], [{ most: 5 }]])('refuses %j', options => {
    expect(() => breakReport(options)).toThrow(expect.objectContaining({ name: 'ConfigurationError' }))
  })
})

describe('the dials of a server', () => {
  let parties: Parties
  const serve = async (options: Partial<AuthorizationServerOptions>) => {
    parties = await makeParties()
    const heard = listening()
    const made = await harness({ clients: parties.clients, onEvent: heard.onEvent, ...options })
    const { now } = made.clock
    const ask = (change: object, header: object = {}, client: 'signs' | 'macs' = 'signs') =>
      askWith(made.app, parties, client, assertionClaims(client, now / 1000, change), header)
    return { ...made, heard, ask, seconds: now / 1000 }
  }
  const typed = { typ: 'client-authentication+jwt' }

  it('let through and report what they would refuse, and whoWouldBreak() says who it is', async () => {
    const dials = { typ: 'report', alg: 'report', clock: 'report' } as const
    const { server, clock, ask, heard, seconds } = await serve({ assertionDials: dials, assertionAlgorithms: ['PS256', 'HS512'] })
    expect((await ask({ iat: seconds + 40 })).status).toBe(200)
    expect((await ask({}, typed)).status).toBe(200)
    expect((await ask({}, typed, 'macs')).status).toBe(200)
    const at = { first_seen: clock.now, last_seen: clock.now }
    expect(server.whoWouldBreak()).toEqual([
      { client_id: 'signs', check: 'algorithm', count: 2, ...at, received: 'ES256', expected: 'PS256' },
      { client_id: 'signs', check: 'type', count: 1, ...at, received: 'no typ', expected: 'client-authentication+jwt' },
      {
        client_id: 'signs',
        check: 'issued_at',
        count: 1,
        ...at,
        received: String(seconds + 40),
        expected: `at most ${seconds + 10}`
      },
      { client_id: 'macs', check: 'algorithm', count: 1, ...at, received: 'HS256', expected: 'HS512' }
    ])
    expect(server.whoWouldBreak('issued_at')).toHaveLength(1)
    const tolerated = heard.events.filter(({ type }) => type === 'authentication.tolerated')
    expect(tolerated).toHaveLength(5)
    expect(tolerated[0]).toMatchObject({ issuer, endpoint: 'token', method: 'private_key_jwt', trace_id: expect.any(String) })
  })

  it('are answered for where nobody listens, and of who was refused nothing is said', async () => {
    const { server, ask } = await serve({ onEvent: undefined, assertionAudience: 'report' })
    const legacy = { aud: `${issuer}/oauth2/token`, jti: 'once' }
    expect((await ask(legacy)).status).toBe(200)
    expect((await ask(legacy)).status).toBe(401)
    expect((await ask({})).status).toBe(200)
    expect(server.whoWouldBreak()).toMatchObject([{ client_id: 'signs', check: 'audience', count: 1, received: legacy.aud }])
  })

  it('of workloads’ tokens do the same', async () => {
    const platform = await makeIssuer('https://ci.example')
    const { app, server, clock } = await harness({
      workloads: {
        issuers: [{ issuer: platform.issuer, jwks: { keys: [platform.jwk] } }],
        dials: { audience: 'report', type: 'report' }
      },
      tokenIssuers: [clientCredentials()],
      clients: [
        {
          client_id: 'job',
          token_endpoint_auth_method: 'federated_jwt',
          grant_types: ['client_credentials'],
          federated_credentials: [{ issuer: platform.issuer, subject: 'job' }]
        }
      ]
    })
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const ask = async (parts: JwtParts) => {
      const client_assertion = await signAs(platform, issuer, clock.now / 1000, {
        ...parts,
        claims: { sub: 'job', ...parts.claims }
      })
      const form = { grant_type: 'client_credentials', client_assertion_type, client_assertion }
      return (await request(app).post('/oauth2/token').type('form').send(form)).status
    }
    expect(await ask({})).toBe(200)
    expect(server.whoWouldBreak()).toEqual([])
    expect(await ask({ header: { typ: 'vendor+jwt' } })).toBe(200)
    expect(await ask({ claims: { aud: [issuer, 'https://other.example'] } })).toBe(200)
    expect(await ask({ claims: { aud: [issuer, 'https://third.example'] } })).toBe(200)
    expect(await ask({ claims: { aud: ['https://other.example'] } })).toBe(401)
    expect(server.whoWouldBreak()).toMatchObject([
      { client_id: 'job', check: 'audience', count: 2, expected: `${issuer} alone` },
      { client_id: 'job', check: 'type', count: 1, received: 'vendor+jwt' }
    ])
  })

  it('refuse what they are set to, and change nothing where they are not', async () => {
    const strict = await serve({ assertionDials: { typ: 'enforce' } })
    expect((await strict.ask({})).status).toBe(401)
    expect((await strict.ask({}, { typ: 'JWT' })).status).toBe(401)
    expect((await strict.ask({}, typed)).status).toBe(200)
    const plain = await serve({})
    expect((await plain.ask({})).status).toBe(200)
    expect((await plain.ask({ iat: plain.seconds + 40 })).status).toBe(401)
    expect(plain.server.whoWouldBreak()).toEqual([])
  })

  it.each<[string, unknown, object]>([
    ['assertionDials', 'report', {}],
    ['assertionDials', null, {}],
    ['assertionDials.typ', { typ: 'lenient' }, {}],
    ['assertionDials.alg', { alg: 'off' }, {}],
    ['assertionDials.clock', { clock: 60 }, {}],
    ['assertionDials.type', { type: 'report' }, {}]
  ])('%s is named where it is %j', async (key, assertionDials) => {
    const options = { assertionDials } as Partial<AuthorizationServerOptions>
    await expect(harness(options)).rejects.toThrow(expect.objectContaining({ name: 'ConfigurationError', key }))
  })

  it.each([[[]], [['none']], [['es256']], ['ES256']])(
    'assertionAlgorithms is named where it is %j',
    async assertionAlgorithms => {
      const options = { assertionAlgorithms } as Partial<AuthorizationServerOptions>
      await expect(harness(options)).rejects.toThrow(expect.objectContaining({ key: 'assertionAlgorithms' }))
    }
  )
})
