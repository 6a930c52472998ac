/** An assertion's jti is recorded in one step with the token it buys: it is good once, and whoever comes second gets and leaves nothing. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import {
  clientCredentials,
  memoryStore,
  PrivateKeyJwtStrategy,
  type AuthorizationServerOptions,
  type Decision,
  type Store
} from '../../lib/index.ts'
import type { ServerEvent } from '../../lib/events/index.ts'
import { batchOf } from '../../lib/stores/batch.ts'
import type { BatchStore, Key } from '../../lib/stores/store.ts'
import { assertionClaims, makeParties, signAssertion, type Parties } from '../support/clients/assertion-requests.ts'
import { api, breakableStore, files, harness, issuer } from '../support/servers/authorization-server.ts'

const now = 1_800_000_000
const plain = { scope: 'files:read', resource: files }

let parties: Parties
beforeAll(async () => {
  parties = await makeParties()
})

const isToken = ({ kind }: Key): boolean => kind === `${issuer.length}:${issuer}access_token`

/** The store, and the tokens that are in it. */
function watchedStore(behind: Store): { store: Store; tokens: () => Promise<number> } {
  const written = new Map<string, Key>()
  const store: Store = {
    get: key => behind.get(key),
    set(key, value, ttl) {
      if (isToken(key)) written.set(key.id, key)
      return behind.set(key, value, ttl)
    },
    add: (key, value, ttl) => behind.add(key, value, ttl),
    take: key => behind.take(key),
    swap: (key, version, value, ttl) => behind.swap(key, version, value, ttl),
    delete: key => behind.delete(key),
    deleteGrant: grant => behind.deleteGrant(grant),
    close: () => behind.close()
  }
  const whole = {
    ...store,
    batch: (...[steps]: Parameters<BatchStore['batch']>) => {
      for (const { key, operation } of steps) if (operation === 'set' && isToken(key)) written.set(key.id, key)
      return batchOf(behind)?.(steps) ?? Promise.resolve('apart' as const)
    }
  }
  const tokens = async (): Promise<number> => {
    const found = await Promise.all([...written.values()].map(key => behind.get(key)))
    return found.filter(record => record !== undefined).length
  }
  return { store: whole, tokens }
}

async function world(options: Partial<AuthorizationServerOptions> = {}) {
  const clock = { now: now * 1000 }
  const behind = options.store ?? memoryStore({ clock: () => clock.now })
  const { store, tokens } = watchedStore(behind)
  const decisions: Decision[] = []
  const events: ServerEvent[] = []
  const clients = parties.clients.map(client => ({ ...client, scope: 'files:read api:read' }))
  const started = await harness({
    clients,
    onDecision: decision => decisions.push(decision),
    onEvent: event => events.push(event),
    ...options,
    store
  })
  const present = async (assertion: object, form: object = plain) =>
    request(started.app)
      .post('/oauth2/token')
      .type('form')
      .send({ grant_type: 'client_credentials', ...assertion, ...form })
  const sign = (change: object = {}) => signAssertion(parties, 'signs', assertionClaims('signs', now, change))
  return { ...started, store, tokens, decisions, events, present, sign }
}

const replayOf = ({ checks }: Decision) => checks.find(({ check }) => check === 'replay')?.outcome

describe('an assertion', () => {
  it('buys one token, and is told of as the first that it is, and the second that it is not', async () => {
    const { present, sign, tokens, decisions, events } = await world()
    const assertion = await sign()
    expect((await present(assertion)).status).toBe(200)
    expect(events.map(({ type }) => type)).toEqual(['authentication.succeeded', 'token.issued'])
    const again = await present(assertion)
    expect([again.status, again.body]).toEqual([401, { error: 'invalid_client', error_description: expect.any(String) }])
    expect(events.map(({ type }) => type).slice(2)).toEqual(['authentication.refused', 'assertion.replayed'])
    expect(decisions.map(decision => [decision.outcome, replayOf(decision)])).toEqual([
      ['authenticated', 'pass'],
      ['refused', 'fail']
    ])
    expect(await tokens()).toBe(1)
  })

  it.each([
    ['opaque tokens', plain],
    ['JWTs', { scope: 'api:read', resource: api }]
  ])('of a hundred that present it at once for %s, serves one, and nothing of the others is left', async (_name, form) => {
    const { present, sign, tokens, decisions } = await world()
    const assertion = await sign()
    const answers = await Promise.all(Array.from({ length: 100 }, () => present(assertion, form)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(99)
    expect(await tokens()).toBe(form === plain ? 1 : 0)
    expect(decisions.filter(({ outcome }) => outcome === 'authenticated')).toHaveLength(1)
    expect(decisions).toHaveLength(100)
  })

  it.each([
    ['a scope there is not', { scope: 'no:such' }, 'invalid_scope'],
    ['a scope that is none', { scope: '"' }, 'invalid_scope'],
    ['a resource there is not', { resource: 'https://elsewhere.example.com' }, 'invalid_target'],
    ['a grant there is not', { grant_type: 'no_such_grant' }, 'unsupported_grant_type'],
    ['a grant of others', { grant_type: 'authorization_code', code: 'c' }, 'unauthorized_client']
  ])('is used up by a request with %s, and says nothing of that when it comes again', async (_name, wrong, error) => {
    const { present, sign, tokens, events } = await world()
    const assertion = await sign()
    const first = await present(assertion, { ...plain, ...wrong })
    expect([first.status, (first.body as { error: string }).error]).toEqual([400, error])
    expect(events.map(({ type }) => type)).toEqual(['authentication.succeeded', 'token.refused'])
    for (const form of [{ ...plain, ...wrong }, plain]) {
      const again = await present(assertion, form)
      expect([again.status, (again.body as { error: string }).error]).toEqual([401, 'invalid_client'])
    }
    expect(events.slice(2).map(({ type }) => type)).not.toContain('token.refused')
    expect(await tokens()).toBe(0)
  })

  it('that comes again has the application asked nothing, and no token issuer of its own run', async () => {
    let asked = 0
    const hooked = await world({
      accessTokenClaims: () => {
        asked += 1
        return {}
      }
    })
    const own = clientCredentials()
    let issued = 0
    const wrapped = await world({
      tokenIssuers: [
        {
          ...own,
          issue(given, server) {
            issued += 1
            return own.issue(given, server)
          }
        }
      ]
    })
    const changed = clientCredentials()
    Object.assign(changed, {
      issue: (...given: Parameters<typeof own.issue>) => {
        issued += 1
        return own.issue(...given)
      }
    })
    for (const { present, sign } of [hooked, wrapped, await world({ tokenIssuers: [changed] })]) {
      const assertion = await sign()
      expect((await present(assertion)).status).toBe(200)
      expect((await present(assertion)).status).toBe(401)
    }
    expect([asked, issued]).toEqual([1, 2])
  })

  it('is good for nothing while the store does not answer, and for a token once it does', async () => {
    const { store: behind, broken } = breakableStore(memoryStore({ clock: () => now * 1000 }))
    const { present, sign, tokens, events } = await world({ store: behind })
    for (const operation of ['add', 'set'] as const) {
      events.length = 0
      broken.set(operation, 'rejects')
      const assertion = await sign()
      expect((await present(assertion)).status).toBe(503)
      expect(events.map(({ type }) => type)).toEqual(['authentication.unanswered'])
      expect(await tokens()).toBe(operation === 'add' ? 0 : 1)
      broken.clear()
      // a Proxy is asked one after the other: where the use was recorded, it has been used
      expect((await present(assertion)).status).toBe(operation === 'set' ? 401 : 200)
    }
  })

  it('is remembered in the store its strategy was given', async () => {
    const own = memoryStore({ clock: () => now * 1000 })
    const strategies = [new PrivateKeyJwtStrategy({ clients: parties.clients, issuer, store: own, clock: () => now * 1000 })]
    const { present, sign, tokens } = await world({
      strategies,
      clients: parties.clients.filter(({ client_id }) => client_id === 'signs')
    })
    const assertion = await sign({})
    expect((await present(assertion, {})).status).toBe(200)
    expect((await present(assertion, {})).status).toBe(401)
    expect(await tokens()).toBe(1)
  })
})
