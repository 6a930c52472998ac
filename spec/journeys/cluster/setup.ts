/** What the processes and their clients agree on. */
import type { ClientMetadata, PrivateKeySet, WorkloadsOptions } from 'clientele'

/** What every process is known by, whichever port it listens on. */
export const issuer = 'https://as.example.com'
/** The same without a retry window: a refresh token that was replaced is no token. */
export const strictIssuer = `${issuer}/strict`
export const callback = 'https://client.example.com/cb'
export const deviceCodeGrantType = 'urn:ietf:params:oauth:grant-type:device_code'

export interface StoreEngine {
  readonly engine: 'sqlite' | 'postgres' | 'redis'
  /** A file, or addresses. */
  readonly address: string | readonly string[]
}

/** The ones that decide: a refresh token is replaced by a swap, a code is spent by a take. */
export type StoreOperation = 'swap' | 'take'

export interface NodeSetup {
  readonly store: StoreEngine
  readonly keys: PrivateKeySet
  readonly clients: readonly ClientMetadata[]
  readonly workloads?: WorkloadsOptions
  /** Whether clients have credentials in the store, which `/credentials/<function>` changes. */
  readonly credentials?: boolean
}
