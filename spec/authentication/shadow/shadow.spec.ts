/** A candidate configuration beside the live one: tells the right clients, uses up nothing, and no answer is another. */
import { describe, expect, it } from '@jest/globals'
import express, { type Response } from 'express'
import request from 'supertest'
import {
  authenticateClient,
  memoryStore,
  MethodStrategy,
  oauthErrorHandler,
  tlsCertificate,
  TlsClientAuthStrategy,
  storeFor,
  type AuthorizationServerOptions,
  type ClientMetadata,
  type ClientRequest,
  type Proof,
  type ShadowDifference
} from '../../../lib/index.ts'
import { clientRegistry } from '../../../lib/clients/client.ts'
import { makeAuthority, makeCertificate } from '../../support/certificates/certificates.ts'
import { assertionClaims, askWith, signAssertion } from '../../support/clients/assertion-requests.ts'
import { issuer } from '../../support/servers/authorization-server.ts'
import { ask, ofNow, parties, shadowed, summary, tokenEndpoint, until, watched } from '../../support/servers/shadowed.ts'
import { authority, postOver, tlsClient } from '../../strategies/tls-requests.ts'

describe('a stricter rule', () => {
  it('is told of by the clients that break it, with both decisions, and no answer is another', async () => {
    const { app, differences, decisions, events } = await shadowed(
      { assertionAudience: 'issuer' },
      { assertionAudience: 'legacy' }
    )
    expect((await ask(app, 'signs', { aud: tokenEndpoint })).status).toBe(200)
    expect((await ask(app, 'macs')).status).toBe(200)
    await until(() => differences.length > 0)
    expect(differences.map(summary)).toEqual([{ effect: 'would_break', client_id: 'signs', failed: [undefined, 'audience'] }])
    const { live, candidate } = only(differences)
    expect(candidate).toMatchObject({ trace_id: live.trace_id, endpoint: 'token', method: 'private_key_jwt', outcome: 'refused' })
    expect(decisions).toHaveLength(2)
    expect(decisions).toContainEqual(live)
    expect(events.filter(({ type }) => type.startsWith('shadow'))).toMatchObject([
      {
        ...{
          type: 'shadow.differed',
          issuer,
          trace_id: live.trace_id,
          endpoint: 'token',
          client_id: 'signs',
          effect: 'would_break'
        },
        ...{ method: 'private_key_jwt', check: 'audience', expected: issuer, received: tokenEndpoint, live, candidate }
      }
    ])
  })

  it('that is only reported is told of too, and what both let through is not', async () => {
    const { app, differences } = await shadowed({ assertionAudience: 'report' }, { assertionAudience: 'legacy' })
    await ask(app, 'signs', { aud: tokenEndpoint })
    await until(() => differences.length > 0)
    expect(differences.map(summary)).toEqual([{ effect: 'other_report', client_id: 'signs', failed: [undefined, undefined] }])
  })

  it('may be that there are other clients, and those that are not configured stay', async () => {
    const signs = parties.clients.filter(({ client_id }) => client_id === 'signs')
    const changed = signs.map(client => ({ ...client, token_endpoint_auth_method: 'none', jwks: undefined }))
    const { app, differences } = await shadowed({ clients: changed })
    expect([(await ask(app, 'signs')).status, (await ask(app, 'macs')).status]).toEqual([200, 200])
    await until(() => differences.length === 2)
    expect(differences.map(summary).sort((a, b) => String(a.client_id).localeCompare(String(b.client_id)))).toEqual([
      { effect: 'would_break', client_id: 'macs', failed: [undefined, 'client'] },
      { effect: 'would_break', client_id: 'signs', failed: [undefined, 'registered_method'] }
    ])
  })

  it('is tried at every endpoint that authenticates clients', async () => {
    const { app, differences } = await shadowed({ assertionAlgorithms: ['HS512'] })
    await ask(app, 'macs')
    const assertion = await signAssertion(parties, 'macs', assertionClaims('macs', ofNow))
    await request(app)
      .post('/oauth2/revoke')
      .type('form')
      .send({ ...assertion, token: 'x' })
    await request(app).post('/oauth2/introspect').type('form').send({ client_id: 'signs', token: 'x' })
    await until(() => differences.length === 2)
    expect(differences.map(({ candidate }) => candidate.endpoint).sort()).toEqual(['revocation', 'token'])
  })
})

describe('a looser rule', () => {
  it('is told of by the clients it would let in; nothing of theirs is used up', async () => {
    const { app, differences, writes } = await shadowed({ assertionAudience: 'legacy' })
    expect((await ask(app, 'signs', { aud: tokenEndpoint })).status).toBe(401)
    await until(() => differences.length > 0)
    expect(differences.map(summary)).toEqual([{ effect: 'would_be_let_in', client_id: 'signs', failed: ['audience', undefined] }])
    expect(writes).toEqual([])
  })

  it('would refuse what it had let in before: a second use is one', async () => {
    const { app, differences } = await shadowed({ assertionAudience: 'legacy' })
    const claims = assertionClaims('signs', ofNow, { aud: tokenEndpoint })
    await askWith(app, parties, 'signs', claims)
    await until(() => differences.length === 1)
    await askWith(app, parties, 'signs', claims)
    await until(() => differences.length === 2)
    expect(differences.slice(1).map(summary)).toEqual([
      { effect: 'other_reason', client_id: 'signs', failed: ['audience', 'replay'] }
    ])
  })
})

describe('what a trial leaves behind', () => {
  it('is nothing: what is good once is used up once, and a replay is one for both', async () => {
    const count = async (sample: number) => {
      let tried = 0
      const clients = (client_id: string) => {
        tried++
        return parties.clients.find(client => client.client_id === client_id)
      }
      const { app, differences, writes } = await shadowed({ clients }, {}, { sample })
      const claims = assertionClaims('signs', ofNow)
      const statuses = [await askWith(app, parties, 'signs', claims), await askWith(app, parties, 'signs', claims)]
      if (sample > 0) await until(() => tried >= 2)
      await new Promise(resolve => setTimeout(resolve, 20))
      return { statuses: statuses.map(({ status }) => status), writes, differences, tried: tried > 0 }
    }
    const [off, on] = [await count(0), await count(1)]
    expect(off).toMatchObject({ statuses: [200, 401], differences: [], tried: false })
    expect(on).toEqual({ ...off, tried: true })
  })

  it('no use of a credential, and no wrong guess', async () => {
    const used: string[] = []
    const known = { client_id: 'web', client_secret: 'secret+of+web', grant_types: ['client_credentials'] }
    const source = memoryClients([known], used)
    const { app, events } = await shadowed(
      { basicEncoding: 'enforce' },
      { clients: source, guessProtection: { attempts: 3, window: 60 } }
    )
    const send = (secret: string) =>
      request(app).post('/oauth2/token').auth('web', secret).type('form').send({ grant_type: 'client_credentials' })
    expect((await send('secret+of+web')).status).toBe(200)
    const statuses: number[] = []
    for (let attempt = 0; attempt < 6; attempt++) statuses.push((await send('wrong')).status)
    expect(statuses).toEqual([401, 401, 401, 429, 429, 429])
    await until(() => events.some(({ type }) => type === 'shadow.differed'))
    expect(used).toEqual(['web'])
    // the secret was not form-encoded; what was refused for guessing is not compared
    expect(events.filter(({ type }) => type.startsWith('shadow'))).toMatchObject([{ check: 'encoding', effect: 'would_break' }])
  })

  it('nothing of a method of the application’s own that asks for its store as the library does', async () => {
    const { store, writes } = watched(memoryStore())
    const seen: (string | undefined)[] = []
    class TicketStrategy extends MethodStrategy {
      readonly name = 'x_ticket'
      readonly mechanism = 'ticket'
      identify({ headers, parameters: { client_id } }: ClientRequest) {
        return headers['x-ticket'] === undefined || client_id === undefined
          ? ({ outcome: 'absent' } as const)
          : ({ outcome: 'present', client_id } as const)
      }
      protected proof(presented: ClientRequest): Proof {
        return {
          checks: ['ticket'],
          prove: async (_, decision) => {
            const key = { kind: 'ticket', id: String(presented.headers['x-ticket']) }
            seen.push(presented.trial && 'trial')
            if (!(await storeFor(presented, store).add(key, null, 60))) throw decision.refuse('ticket')
            decision.pass('ticket')
            return {}
          }
        }
      }
    }
    const clients = [{ client_id: 'app', token_endpoint_auth_method: 'x_ticket' }]
    const strategies = [new TicketStrategy({ clients })]
    const app = express()
    const shadow = { options: { clients: [...clients] }, sample: 1 }
    app.post('/', authenticateClient({ clients, strategies, shadow }), (_req, res) => void res.json({}))
    app.use(oauthErrorHandler())
    const send = () => request(app).post('/').set('X-Ticket', 'one').type('form').send({ client_id: 'app' })
    expect([(await send()).status, (await send()).status]).toEqual([200, 401])
    await until(() => seen.length === 4)
    expect(writes).toEqual(['add ticket', 'add ticket'])
  })
})

describe('another set of authorities', () => {
  it('is told of by the clients whose certificates come from the one that is left out', async () => {
    const next = makeAuthority({ subject: 'Next CA' })
    const clients = ['old', 'new'].map(name => ({
      ...{ client_id: name, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: `${name}.example` }
    }))
    const differences: ShadowDifference[] = []
    const app = express()
    app.use(
      authenticateClient({
        clients,
        strategies: [new TlsClientAuthStrategy({ clients })],
        certificateSource: tlsCertificate({ ca: [authority.pem, next.pem] }),
        shadow: {
          options: { certificateSource: tlsCertificate({ ca: [next.pem] }) },
          sample: 1,
          onDifference: difference => differences.push(difference)
        }
      })
    )
    app.use((_req: unknown, res: Response) => void res.json({}))
    app.use(oauthErrorHandler())
    const certificate = (name: string, by: typeof next) => makeCertificate({ issuer: by, sans: { dns: [`${name}.example`] } })
    for (const [name, by] of [
      ['new', next],
      ['old', authority],
      ['new', next]
    ] as const)
      expect((await postOver(app, tlsClient(certificate(name, by)), { client_id: name })).status).toBe(200)
    await until(() => differences.length > 0)
    expect(differences.map(summary)).toEqual([
      { effect: 'would_break', client_id: 'old', failed: [undefined, 'certificate_chain'] }
    ])
  })
})

describe('a candidate that fails', () => {
  const failing: Readonly<Record<string, (client_id: string) => ClientMetadata | Promise<ClientMetadata>>> = {
    throws: () => {
      throw new Error('no such table')
    },
    rejects: () => Promise.reject(new Error('no such table'))
  }

  it.each(Object.entries(failing))('%s: the answer is the same, and the operator is told', async (_, clients) => {
    const { app, events, differences } = await shadowed({ clients })
    expect((await ask(app, 'signs')).status).toBe(200)
    await until(() => events.some(({ type }) => type === 'shadow.unjudged'))
    expect(events.filter(({ type }) => type.startsWith('shadow'))).toMatchObject([
      { type: 'shadow.unjudged', client_id: 'signs', outcome: 'failed', reason: expect.stringContaining('looked up') }
    ])
    expect(differences).toEqual([])
  })

  it('is slower than the request, or hangs: nobody waits for it', async () => {
    let ask1: (() => void) | undefined
    const clients = () => new Promise<undefined>(resolve => void (ask1 = () => resolve(undefined)))
    const { app, differences } = await shadowed({ clients })
    expect((await ask(app, 'signs')).status).toBe(200)
    await until(() => ask1 !== undefined)
    // it hangs still
    expect((await ask(app, 'macs')).status).toBe(200)
    expect(differences).toEqual([])
    ask1?.()
    await until(() => differences.length === 1)
  })
})

function only<T>([first, ...more]: readonly T[]): T {
  if (first === undefined || more.length > 0) throw new Error(`there are ${more.length + (first === undefined ? 0 : 1)}`)
  return first
}

/** A registry that says whose credentials were noted as used. */
function memoryClients(list: readonly ClientMetadata[], used: string[]): AuthorizationServerOptions['clients'] {
  const registry = clientRegistry(list)
  return { find: client_id => registry.find(client_id), used: ({ client_id }) => void used.push(client_id) }
}
