/** What people write themselves: a grant, a client authentication method and a store. Each must compile as the docs show it. */
import {
  InvalidGrantError,
  MethodStrategy,
  requestedScope,
  requiredParameter,
  tokenRouter,
  type Client,
  type ClientRequest,
  type Identification,
  type Json,
  type Key,
  type Proof,
  type Store,
  type StoredRecord,
  type Taken,
  type TokenIssuer,
  type TokenRouterOptions
} from 'clientele'

declare function redeemVoucher(voucher: string): Promise<string | undefined>

/** The keys of {@link ApiKeyStrategy}, by client_id. */
export const apiKeys = new Map<string, string>()

function isKeyOf({ client_id }: Client, key: string | readonly string[] | undefined): Promise<boolean> {
  return Promise.resolve(key !== undefined && apiKeys.get(client_id) === key)
}

/** A grant of one's own. */
export const voucher: TokenIssuer = {
  grant_type: 'urn:example:voucher',
  confidential: true,
  async issue(request, server) {
    const sub = await redeemVoucher(requiredParameter(request, 'voucher'))
    if (sub === undefined) throw new InvalidGrantError('this voucher is not valid')
    const grant = { client_id: request.client.client_id, sub, scope: requestedScope(request, server), resources: [] }
    const response = await server.respond(request, grant)
    return { ...response, voucher_balance: 0 }
  }
}

/** A client authentication method of one's own. */
export class ApiKeyStrategy extends MethodStrategy {
  readonly name = 'x_api_key' // what clients register as token_endpoint_auth_method
  readonly mechanism = 'api_key' // what its requests visibly carry
  readonly guessable = true // failures count towards guessProtection

  identify({ headers, parameters: { client_id } }: ClientRequest): Identification {
    return client_id === undefined || !('x-api-key' in headers) ? { outcome: 'absent' } : { outcome: 'present', client_id }
  }

  protected proof({ headers }: ClientRequest): Proof {
    const prove: Proof['prove'] = async (client, decision) => {
      if (!(await isKeyOf(client, headers['x-api-key'])))
        throw decision.refuse('api_key', { fix: 'Send the key of this client.' })
      decision.pass('api_key')
      return {}
    }
    return { checks: ['api_key'], prove }
  }
}

/** A store of one's own: the operations, nothing else. */
export class RecordingStore implements Store {
  private readonly inner: Store
  readonly written: Key[] = []

  constructor(inner: Store) {
    this.inner = inner
  }
  get(key: Key): Promise<StoredRecord | undefined> {
    return this.inner.get(key)
  }
  set(key: Key, value: Json, ttl: number): Promise<void> {
    this.written.push(key)
    return this.inner.set(key, value, ttl)
  }
  add(key: Key, value: Json, ttl: number): Promise<boolean> {
    return this.inner.add(key, value, ttl)
  }
  take(key: Key): Promise<Taken> {
    return this.inner.take(key)
  }
  swap(key: Key, version: StoredRecord['version'], value: Json, ttl: number): Promise<boolean> {
    return this.inner.swap(key, version, value, ttl)
  }
  delete(key: Key): Promise<void> {
    return this.inner.delete(key)
  }
  deleteGrant(grant: string): Promise<void> {
    return this.inner.deleteGrant(grant)
  }
  close(): Promise<void> {
    return this.inner.close()
  }
}

export const mounted = (options: TokenRouterOptions) =>
  tokenRouter({
    ...options,
    store: new RecordingStore(options.store),
    strategies: [new ApiKeyStrategy({ clients: options.clients })],
    tokenIssuers: [voucher]
  })

// @ts-expect-error -- a grant is named by its grant_type
export const nameless: TokenIssuer = { issue: voucher.issue.bind(voucher) }

export const tokenless: TokenIssuer = {
  grant_type: 'urn:example:nothing',
  // @ts-expect-error -- a token response has an access_token and a token_type
  issue: () => Promise.resolve({ scope: 'api:read' })
}

// @ts-expect-error -- a store without take() cannot let exactly one caller redeem a code
export const incomplete = (store: Omit<Store, 'take'>): Store => store

export async function values(store: Store): Promise<unknown> {
  const key: Key = { kind: 'note', id: '1' }
  // @ts-expect-error -- a Date does not survive JSON
  await store.set(key, new Date(), 60)
  // @ts-expect-error -- nothing is kept forever
  await store.set(key, 'text')
  const taken = await store.take(key)
  if (taken.outcome === 'taken') return taken.value
  // @ts-expect-error -- a spent record has no value to give
  const { value }: { value: unknown } = taken
  return value
}

/** What the base has, no method can forget. */
// @ts-expect-error -- a method says how it proves the client
export class ProvesNothing extends MethodStrategy {
  readonly name = 'x_nothing'
  readonly mechanism = 'nothing'
  identify(): Identification {
    return { outcome: 'absent' }
  }
}

export const unproven: Proof = {
  checks: ['api_key'],
  // @ts-expect-error -- a proof says what proved the client, or throws
  prove: () => true
}
