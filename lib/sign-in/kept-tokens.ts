/** People's tokens at the provider: sealed in the store, renewed when they run out, and by one process at a time. */
import { setTimeout as wait } from 'node:timers/promises'
import { TemporarilyUnavailableError } from '../errors.ts'
import { find, swap, write } from '../stores/records.ts'
import type { Key, Store } from '../stores/store.ts'
import { opened, sealed } from '../tokens/sealed.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import type { UpstreamTokens } from './options.ts'
import type { KeptTokens, Provider } from './provider.ts'
import { digestOf } from './sessions.ts'

export interface TokenKeeper {
  keep(sub: string, tokens: KeptTokens): Promise<void>
  find(sub: string): Promise<UpstreamTokens | undefined>
}

interface TokenKeeperContext extends Pick<TokenServer, 'keys' | 'random' | 'issuer'> {
  readonly store: Store
  readonly clock: () => number
  readonly provider: Pick<Provider, 'refresh'>
}

interface Kept {
  readonly sealed: string
  /** Whoever renews them has until then: milliseconds since the epoch. */
  readonly renewed_by?: number
}

/** Seconds after their last use. */
const keptFor = 2_592_000
/** Seconds before they run out, so that a call that takes its time gets through. */
const ahead = 60
/** Milliseconds. */
const longestRenewal = 15_000
const pause = 200
const purpose = 'upstream tokens'

export function tokenKeeper(context: TokenKeeperContext): TokenKeeper {
  const { store, clock, issuer } = context
  const keyOf = (sub: string): Key => ({ kind: 'upstream_tokens', id: digestOf(`${issuer}\n${sub}`) })
  const record = (tokens: KeptTokens): Kept => ({ sealed: sealed(context, purpose, tokens) })
  const renew = async (key: Key, refresh_token: string): Promise<KeptTokens | undefined> => {
    const tokens = await context.provider.refresh(refresh_token)
    if (tokens === undefined) await store.delete(key)
    else await write(store, key, record(tokens), keptFor)
    return tokens
  }
  const current = async (key: Key): Promise<KeptTokens | undefined> => {
    const deadline = clock() + longestRenewal
    for (;;) {
      const found = await find<Kept>(store, key)
      if (found === undefined) return undefined
      const { value, version } = found
      const tokens = opened(context, purpose, value.sealed) as KeptTokens
      if (isGood(tokens, clock())) return tokens
      if (tokens.refresh_token === undefined) return undefined
      // of two renewals with one refresh token a provider may take the second for a theft
      const mine = clock() >= (value.renewed_by ?? 0)
      const marked = { ...value, renewed_by: clock() + longestRenewal }
      if (mine && (await swap(store, key, version, marked, keptFor))) return renew(key, tokens.refresh_token)
      if (clock() > deadline) throw new TemporarilyUnavailableError({ reason: "a person's tokens are being renewed" })
      await wait(pause)
    }
  }
  return {
    keep: (sub, tokens) => write(store, keyOf(sub), record(tokens), keptFor),
    async find(sub) {
      const tokens = await current(keyOf(sub))
      return tokens && handedOut(tokens)
    }
  }
}

/** The tokens as the host sees them: what renews them stays here. */
export function handedOut({ access_token, expires_at, scope }: KeptTokens): UpstreamTokens {
  return { access_token, expires_at, scope }
}

function isGood({ expires_at }: KeptTokens, now: number): boolean {
  return expires_at === undefined || now < 1000 * (expires_at - ahead)
}
