/** The options of a sign-in that are its server's too. */
import { pooledRandomBytes, type RandomBytes } from '../crypto/random.ts'
import type { OAuthErrorHandlerOptions } from '../http/error-handler.ts'
import { clock, fn, issuerIdentifier, objectLike, type Checks } from '../options.ts'
import type { KeySource, PrivateKeySet } from '../signing-keys/generate-keys.ts'
import { keysCheck } from '../signing-keys/signing-keys.ts'
import { storeCheck, type Store } from '../stores/store.ts'

/** Options of a sign-in about the server it is for: the same values as the server's own options. */
export interface SignInHost {
  /** The server's issuer identifier. */
  readonly issuer: string
  /** Keeps sessions, and people's tokens at the provider. */
  readonly store: Store
  /** The server's keys: what is kept is sealed under them. */
  readonly keys: PrivateKeySet | KeySource
  /** Reads the time, milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Random bytes. Default: a cryptographically secure source. */
  readonly random?: RandomBytes | undefined
  /** The meanings of scope values to people, for the consent page. */
  readonly meanings?: Readonly<Record<string, string>> | undefined
  /** Told of what went wrong; see the server's own option. */
  readonly onError?: OAuthErrorHandlerOptions['onError']
}

export const signInHostChecks = {
  issuer: issuerIdentifier(),
  store: storeCheck,
  keys: keysCheck,
  clock: clock(),
  random: fn<RandomBytes>(pooledRandomBytes),
  meanings: objectLike<Readonly<Record<string, string>>>('an object: scope values, each with what it means to people'),
  onError: fn<NonNullable<OAuthErrorHandlerOptions['onError']>>()
} satisfies Checks<SignInHost>
