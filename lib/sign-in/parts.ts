/** The parts that the built-in sign-in of one server works with. */
import type { OAuthErrorHandlerOptions } from '../http/error-handler.ts'
import { ConfigurationError, readOptions } from '../options.ts'
import { SigningKeys } from '../signing-keys/signing-keys.ts'
import { guardedStore } from '../stores/guarded.ts'
import { opened, sealed } from '../tokens/sealed.ts'
import { signInHostChecks, type SignInHost } from './host.ts'
import type { ReadUpstream } from './options.ts'
import { tokenKeeper, type TokenKeeper } from './kept-tokens.ts'
import { provider, type Provider, type SignInUnderWay } from './provider.ts'
import { digestOf, sessions, type Sessions } from './sessions.ts'

/**
 * A sign-in at the provider, as its `state` carries it: sealed, so that nothing is stored for people who never come
 * back.
 */
export interface CarriedSignIn extends SignInUnderWay {
  readonly interaction: string
  /** Seconds a sign-in there may be old. */
  readonly max_age?: number | undefined
}

export interface SignInParts {
  readonly options: ReadUpstream
  readonly provider: Provider
  readonly sessions: Sessions
  readonly keeper: TokenKeeper
  /** The address the provider sends people back to, and that of the consent page. */
  readonly addresses: { readonly signIn: string; readonly consent: string }
  readonly meanings: ReadonlyMap<string, string>
  readonly onError: OAuthErrorHandlerOptions['onError']
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  newSignIn(interaction: string, browser: string, max_age: number | undefined): CarriedSignIn
  /** The sign-in that was begun in this browser; undefined for any other, and for one that has expired. */
  readState(state: string, browser: string | undefined): CarriedSignIn | undefined
  /** Says that a browser was sent to the page of an interaction. */
  proofOf(interaction: string, browser: string): string
  isProof(proof: string, interaction: string, browser: string | undefined): boolean
}

interface State {
  readonly i: string
  readonly n: string
  readonly v: string
  readonly b: string
  readonly e: number
  readonly m?: number | undefined
}

/** Seconds people may take at the provider. */
const longestSignIn = 3600
const statePurpose = 'sign-in state'
const proofPurpose = 'sign-in page'

/** @throws ConfigurationError naming the option of the server that is wrong. */
export function signInParts(options: ReadUpstream, host: SignInHost): SignInParts {
  const { issuer, store: given, keys: keySet, clock: now, random, meanings = {}, onError } = readOptions(host, signInHostChecks)
  if (!Object.values(meanings).every(text => typeof (text as unknown) === 'string'))
    throw new ConfigurationError('meanings', 'must be an object of texts')
  const store = guardedStore(given)
  const keys = new SigningKeys(keySet)
  const sealing = { keys, random }
  const addresses = { signIn: `${issuer}/oauth2/sign-in`, consent: `${issuer}/oauth2/consent` }
  const openId = provider(options, addresses.signIn, now)
  const bytes = (interaction: string, browser: string): Buffer => Buffer.from(JSON.stringify([issuer, interaction, browser]))
  const fresh = (): string => Buffer.from(random(32)).toString('base64url')
  return {
    options,
    provider: openId,
    sessions: sessions({ issuer, store, random, clock: now, ttl: options.sessionTtl }),
    keeper: tokenKeeper({ issuer, store, clock: now, provider: openId, ...sealing }),
    addresses,
    meanings: new Map(Object.entries(meanings)),
    onError,
    clock: now,
    newSignIn(interaction, browser, max_age) {
      const [nonce, verifier] = [fresh(), fresh()]
      const e = now() + 1000 * longestSignIn
      const state: State = { i: interaction, n: nonce, v: verifier, b: digestOf(browser), e, m: max_age }
      return { interaction, nonce, verifier, max_age, state: sealed(sealing, statePurpose + issuer, state) }
    },
    readState(state, browser) {
      const carried = openState(() => opened(sealing, statePurpose + issuer, state) as State)
      if (carried === undefined || browser === undefined) return undefined
      const { i: interaction, n: nonce, v: verifier, b, e, m: max_age } = carried
      return b === digestOf(browser) && now() < e ? { interaction, nonce, verifier, max_age, state } : undefined
    },
    proofOf: (interaction, browser) => keys.mac(proofPurpose, bytes(interaction, browser)).toString('base64url'),
    isProof: (proof, interaction, browser) =>
      browser !== undefined && keys.verifyMac(proofPurpose, bytes(interaction, browser), Buffer.from(proof, 'base64url'))
  }
}

/** Whatever was sent as state: what was not sealed here is none. */
function openState(open: () => State): State | undefined {
  try {
    return open()
  } catch {
    return undefined
  }
}
