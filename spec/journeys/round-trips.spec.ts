/** How often each kind of request waits for the store, one time after the other: where it takes batches, and where it does not. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import { memoryStore } from '../../lib/index.ts'
import { inOneStep } from '../../lib/stores/batch.ts'
import type { Batch, BatchStore, Key, Store } from '../../lib/stores/store.ts'
import { assertionClaims, askWith, makeParties, type Parties } from '../support/clients/assertion-requests.ts'
import {
  api,
  clients,
  codeForm,
  issuer,
  files,
  harness,
  redeemed,
  token,
  type Harness
} from '../support/servers/authorization-server.ts'

/** A store that says what it was asked, each time on a line; `whole` takes batches. */
function countedStore(behind: Store, whole: boolean): { store: Store; asked: string[] } {
  const asked: string[] = []
  const told = (operation: string, key: Key): void => {
    const kind = kindOf(key)
    // what is done after the answer, and what is looked up once in a while
    if (!kind.startsWith('credential_') && kind !== 'client_credentials') asked.push(`${operation} ${kind}`)
  }
  const store: Store = {
    get: key => (told('get', key), behind.get(key)),
    set: (key, value, ttl) => (told('set', key), behind.set(key, value, ttl)),
    add: (key, value, ttl) => (told('add', key), behind.add(key, value, ttl)),
    take: key => (told('take', key), behind.take(key)),
    swap: (key, version, value, ttl) => (told('swap', key), behind.swap(key, version, value, ttl)),
    delete: key => (told('delete', key), behind.delete(key)),
    deleteGrant: grant => (asked.push('deleteGrant'), behind.deleteGrant(grant)),
    close: () => behind.close()
  }
  const batch: BatchStore['batch'] = async (steps: Batch) => {
    asked.push(steps.map(({ operation, key }) => `${operation} ${kindOf(key)}`).join(', '))
    return (await inOneStep(behind, steps)) ? 'done' : 'refused'
  }
  const batching: BatchStore = { ...store, batch }
  return { store: whole ? batching : store, asked }
}

/** Without the issuer it belongs to. */
function kindOf({ kind }: Key): string {
  return kind.slice(kind.startsWith(`${issuer.length}:`) ? `${issuer.length}:${issuer}`.length : 0)
}

let parties: Parties
beforeAll(async () => {
  parties = await makeParties()
})

describe.each([
  ['with batches', true],
  ['without', false]
])('the waits of a request at a store %s', (_name, whole) => {
  async function world(): Promise<Harness & { asked: string[] }> {
    const clock = { now: 1_800_000_000_000 }
    const { store, asked } = countedStore(memoryStore({ clock: () => clock.now }), whole)
    const started = await harness({ store, clients: [...clients, ...parties.clients], guessProtection: {} })
    clock.now = started.clock.now
    return { ...started, asked }
  }
  /** What the store is asked during `work`, whose answer has to be good. Two that are asked together are one. */
  async function asking(
    { asked }: { asked: string[] },
    work: () => PromiseLike<{ status: number; body: object }>
  ): Promise<string[]> {
    asked.length = 0
    const { status } = await work()
    expect(status).toBe(200)
    return [...asked]
  }
  const together = (...steps: string[]): string[] => (whole ? [steps.join(', ')] : steps)
  const now = 1_800_000_000

  it('Basic, for an opaque token', async () => {
    const it = await world()
    const form = { grant_type: 'client_credentials', scope: 'files:read', resource: files }
    expect(await asking(it, () => token(it.app, 'web', form))).toEqual(['set access_token'])
  })

  it('Basic, for a JWT', async () => {
    const it = await world()
    const form = { grant_type: 'client_credentials', scope: 'api:read', resource: api }
    expect(await asking(it, () => token(it.app, 'web', form))).toEqual([])
  })

  it('a code', async () => {
    const it = await world()
    const form = await codeForm(it.app, { scope: 'offline_access files:read' })
    expect(await asking(it, () => token(it.app, 'web', form))).toEqual([
      'take authorization_code',
      ...together('set grant', 'set access_token')
    ])
  })

  it('a refresh token', async () => {
    const it = await world()
    const { refresh_token } = await redeemed(it.app, 'web', { scope: 'offline_access files:read' })
    const form = { grant_type: 'refresh_token', refresh_token }
    expect(await asking(it, () => token(it.app, 'web', form))).toEqual([
      'get grant',
      ...together('swap grant', 'set access_token')
    ])
  })

  it('a refresh token, for a JWT', async () => {
    const it = await world()
    const { refresh_token } = await redeemed(it.app, 'web', { scope: 'offline_access api:read', resource: api })
    const form = { grant_type: 'refresh_token', refresh_token }
    expect(await asking(it, () => token(it.app, 'web', form))).toEqual(['get grant', 'swap grant'])
  })

  it('an authorization request, of a person whom the client has something of', async () => {
    const it = await world()
    await codeForm(it.app)
    it.asked.length = 0
    await codeForm(it.app)
    expect(it.asked).toEqual(['get person_grants', ...together('swap person_grants', 'set authorization_code')])
  })

  it('an authorization request in a session: what it is asked side by side, twice one after the other', async () => {
    const it = await world()
    it.person.account = { sub: 'alice', auth_time: 1, sid: 'session' }
    await codeForm(it.app)
    it.asked.length = 0
    await codeForm(it.app)
    expect(it.asked.slice(0, 3).sort()).toEqual(['get person_grants', 'get person_sessions', 'get session_clients'])
    expect(it.asked.slice(3).sort()).toEqual(
      ['swap session_clients', ...together('swap person_grants', 'set authorization_code')].sort()
    )
  })

  it('introspection and revocation of an opaque token', async () => {
    const it = await world()
    const form = { grant_type: 'client_credentials', scope: 'files:read', resource: files }
    const { access_token } = (await token(it.app, 'web', form)).body as { access_token: string }
    expect(await asking(it, () => token(it.app, 'web', { token: access_token }, '/oauth2/introspect'))).toEqual([
      'get access_token'
    ])
    expect(await asking(it, () => token(it.app, 'web', { token: access_token }, '/oauth2/revoke'))).toEqual([
      'get access_token',
      ...together('set revoked_access_token', 'delete access_token')
    ])
  })

  it('an assertion, for an opaque token', async () => {
    const it = await world()
    const ask = () => askWith(it.app, parties, 'signs', assertionClaims('signs', now))
    expect(await asking(it, ask)).toEqual(together('add client_assertion', 'set access_token'))
  })
})
