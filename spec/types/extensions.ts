/** What people write themselves: a grant, a client authentication method and a store. Each must compile as the docs show it. */
import { Strategy as PassportStrategy } from 'passport-strategy'
import {
  InvalidClientError,
  InvalidGrantError,
  requestedScope,
  requiredParameter,
  TemporarilyUnavailableError,
  tokenRouter,
  type Client,
  type ClientAuthenticationStrategy,
  type ClientRequest,
  type Identification,
  type Json,
  type Key,
  type Store,
  type StoredRecord,
  type Taken,
  type TokenIssuer,
  type TokenRouterOptions
} from 'clientele'
import type { Request } from 'express'

declare function redeemVoucher(voucher: string): Promise<string | undefined>
declare function findByApiKey(key: string): Promise<Client | undefined>

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
export class ApiKeyStrategy extends PassportStrategy implements ClientAuthenticationStrategy {
  readonly name: string = 'api_key'
  readonly mechanism: string = 'api_key'

  identify(request: ClientRequest): Identification {
    const key = request.headers['x-api-key']
    if (typeof key !== 'string') return { outcome: 'absent' }
    return { outcome: 'present', client_id: key.slice(0, key.indexOf('.')) }
  }

  override authenticate(req: Request): void {
    findByApiKey(req.get('x-api-key') ?? '').then(
      client => {
        if (client === undefined) this.error(new InvalidClientError({ reason: 'no client has this key' }))
        else this.success(client)
      },
      (cause: unknown) => {
        this.error(new TemporarilyUnavailableError({ reason: 'the keys could not be looked up', cause }))
      }
    )
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
    strategies: [new ApiKeyStrategy()],
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
