/**
 * The seven strategies as Passport's users know them: `passport.use(strategy)`, `passport.authenticate(name)`, a bare Express
 * application. The requests are those of an independent client, over TLS.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import {
  ClientSecretBasicStrategy,
  ClientSecretJwtStrategy,
  ClientSecretPostStrategy,
  memoryStore,
  NoneStrategy,
  oauthErrorHandler,
  PrivateKeyJwtStrategy,
  SelfSignedTlsClientAuthStrategy,
  TlsClientAuthStrategy,
  type ClientMetadata
} from 'clientele'
import express, { type RequestHandler } from 'express'
import * as oauth from 'oauth4webapi'
import passport from 'passport'
import { confidentialParties, publicParty, type Party } from '../support/journeys/clients.ts'
import { clientAuth } from '../support/journeys/oauth4webapi.ts'
import { close, createTlsServer, fetchFor, listen } from '../support/journeys/server.ts'

const first: readonly Party[] = [...(await confidentialParties('first')), publicParty('first-public')]
const second: readonly Party[] = [...(await confidentialParties('second')), publicParty('second-public')]
const pairs = first.map((one, index) => ({ method: one.method, one, other: second[index] ?? one }))
const everyone = [...first, ...second]

/** Where clients come from: a directory that answers when `wait` lets it. */
const directory = new Map<string, ClientMetadata>(everyone.map(({ client_id, metadata }) => [client_id, metadata]))
let wait: (client_id: string) => Promise<void> | undefined
const clients = async (client_id: string): Promise<ClientMetadata | undefined> => {
  await wait(client_id)
  return directory.get(client_id)
}

const issuer = 'https://as.example'
const listener = createTlsServer(true)
let origin: string

beforeAll(async () => {
  const store = memoryStore()
  const strategies = [
    new ClientSecretBasicStrategy({ clients }),
    new ClientSecretPostStrategy({ clients }),
    new ClientSecretJwtStrategy({ clients, issuer, store }),
    new PrivateKeyJwtStrategy({ clients, issuer, store }),
    new TlsClientAuthStrategy({ clients }),
    new SelfSignedTlsClientAuthStrategy({ clients }),
    new NoneStrategy({ clients })
  ]
  const app = express()
  const answer: RequestHandler = (req, res) => void res.json({ client_id: req.authenticatedClient?.client_id })
  for (const strategy of strategies) {
    passport.use(strategy)
    const authenticate = passport.authenticate(strategy.name, { session: false, assignProperty: 'authenticatedClient' })
    app.post(`/bare/${strategy.name}`, authenticate as RequestHandler, answer)
    app.post(`/parsed/${strategy.name}`, express.urlencoded({ extended: true }), authenticate as RequestHandler, answer)
  }
  app.use(oauthErrorHandler())
  listener.on('request', app)
  origin = `https://${(await listen(listener)).host}`
})
afterAll(() => close(listener))
beforeEach(() => {
  wait = () => undefined
})

const fetches = new Map(everyone.map(party => [party, fetchFor(party)]))

/** One request of a party, to the route of a method: the client_id the application saw, or the status of the refusal. */
async function call(party: Party, claim: { readonly path?: string; readonly as?: Party } = {}): Promise<unknown> {
  const { path = `/bare/${party.method}`, as: claimed = party } = claim
  const client = { client_id: claimed.client_id }
  const response = await oauth.clientCredentialsGrantRequest(
    { issuer, token_endpoint: `${origin}${path}` },
    client,
    clientAuth(party),
    {},
    { [oauth.customFetch]: fetches.get(party) ?? fetchFor(party) }
  )
  if (response.status !== 200) return response.status
  return ((await response.json()) as { client_id?: string }).client_id
}

describe('passport.authenticate(name)', () => {
  it.each(pairs)('$method: lets its clients in', async ({ one, other }) => {
    expect(await call(one)).toBe(one.client_id)
    expect(await call(other)).toBe(other.client_id)
  })

  it.each(pairs)('$method: works where the application parses bodies itself', async ({ method, one }) => {
    expect(await call(one, { path: `/parsed/${method}` })).toBe(one.client_id)
  })

  it.each(pairs.filter(({ method }) => method !== 'none'))('$method: refuses another client’s credential', async pair => {
    expect(await call(pair.one, { as: pair.other })).toBe(401)
  })

  it.each(pairs)('$method: refuses clients registered for any other method', async ({ method }) => {
    const others = first.filter(party => party.method !== method)
    const answers = await Promise.all(others.map(party => call(party, { path: `/bare/${method}` })))
    expect(answers).toEqual(others.map(() => 401))
  })
})

describe('overlapping requests', () => {
  it.each(pairs)('$method: one that waits while another finishes is still itself', async ({ one, other }) => {
    let release = (): void => undefined
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    let arrive = (): void => undefined
    const arrived = new Promise<void>(resolve => {
      arrive = resolve
    })
    wait = client_id => {
      if (client_id !== one.client_id) return undefined
      arrive()
      return released
    }
    const waiting = call(one)
    await arrived
    expect(await call(other)).toBe(other.client_id)
    release()
    expect(await waiting).toBe(one.client_id)
  })

  it('of every method at once, good and bad, each get their own answer', async () => {
    wait = client_id => new Promise(resolve => setTimeout(resolve, (client_id.length * 7) % 12))
    const requests = Array.from({ length: 5 }, () => pairs).flatMap(round =>
      round.flatMap(({ method, one, other }) => [
        { answer: call(one), expected: one.client_id },
        ...(method === 'none' ? [] : [{ answer: call(one, { as: other }), expected: 401 }]),
        { answer: call(other), expected: other.client_id }
      ])
    )
    const answers = await Promise.all(requests.map(({ answer }) => answer))
    expect(answers).toEqual(requests.map(({ expected }) => expected))
  })
})
