/** The options of what a server mints. */
import { clock, eachOf, flag, fn, integer, issuerIdentifier, listOf, oneOf, readBy, type Checks } from '../options.ts'
import type { EventListener } from '../events/event-source.ts'
import { storeCheck, type Store } from '../stores/store.ts'
import type { AccountClaims } from './grant.ts'
import type { ClaimsHook, FindToken, IdTokenClaims } from './hooks.ts'
import type { KeySource, PrivateKeySet } from '../signing-keys/generate-keys.ts'
import { pooledRandomBytes, type RandomBytes } from '../crypto/random.ts'
import { resourceCheck, type ResourceOptions } from './resource.ts'
import { scopeList } from './scope.ts'
import { keysCheck } from '../signing-keys/signing-keys.ts'
import { pairwiseSecretCheck } from './subject.ts'

/** The options of what a server mints. */
export interface TokenOptions {
  /** The issuer identifier: exactly what clients know this server by. Never taken from a request. */
  readonly issuer: string
  /** Keeps codes, grants and tokens. */
  readonly store: Store
  /** Private keys to sign with: those of `generateKeys()`, or a source that is followed, such as `storedKeys()`. */
  readonly keys: PrivateKeySet | KeySource
  /**
   * Whether the person with this `sub` is still somebody here: answer with their account, or true. Whatever else it
   * answers (undefined, null, false) is a no: every code, device code, CIBA request and refresh token of theirs is
   * `invalid_grant` from then on, and every access token dead. Asked once for each token request that is about a person
   * and for each access token that is looked at; what it throws or rejects with is answered 503. Default: everybody who
   * ever was somebody here is.
   */
  readonly account?:
    ((sub: string) => object | boolean | null | undefined | Promise<object | boolean | null | undefined>) | undefined
  /** The claims about an account: for the userinfo endpoint, and for ID Tokens where a client asks for claims there. */
  readonly claims?: ((sub: string) => AccountClaims | undefined | Promise<AccountClaims | undefined>) | undefined
  /**
   * Secret that pairwise identifiers are made with (OpenID Connect Core §8), for clients with
   * `subject_type: "pairwise"`: at least 32 bytes. One of its own, because it must never change, and keys do: with
   * another one, everybody is a stranger to these clients. Default: none, and no such clients.
   */
  readonly pairwiseSecret?: string | Uint8Array | undefined
  /** The scope values clients may ask for, beside those of the resources. */
  readonly scopes?: readonly string[] | undefined
  /** The resources access tokens can be for. Default: none. */
  readonly resources?: readonly ResourceOptions[] | undefined
  /**
   * Target of a token whose request names no resource. `inferred` (default): the one resource that all its scope values
   * belong to, OpenID's and `offline_access` aside; with `openid` it opens the userinfo endpoint too, and `aud` lists
   * both. `none`: nothing that `aud` would name.
   */
  readonly defaultResource?: 'inferred' | 'none' | undefined
  /** Algorithms of ID Tokens, the first for clients that name none. Default RS256, PS256, ES256, EdDSA, Ed25519. */
  readonly idTokenAlgorithms?: readonly string[] | undefined
  /**
   * Which claims of a person's ID Tokens have. `requested` (default): those asked for there one by one; the others are
   * at the userinfo endpoint (OpenID Connect Core §5.4). `scopes`: those of the granted scope values too, for clients
   * that never ask there. A client's `id_token_claims` decides for it. A function: claims of the application's own,
   * beside those requested; bound as those of `accessTokenClaims` are.
   */
  readonly idTokenClaims?: IdTokenClaims | ClaimsHook | undefined
  /**
   * Adds claims of the application's own to access tokens: to JWTs, to what introspection says of opaque ones, and to
   * `req.accessToken`. A claim that is the server's cannot be set, all of them together are 4096 bytes at most, and it
   * has five seconds: otherwise there is no token. Called before a refresh token is used up. Default: none.
   */
  readonly accessTokenClaims?: ClaimsHook | undefined
  /**
   * Finds an access token that a server before this one issued, and that is still to be good: asked for what is no
   * token of this server's, whoever presents it. Its client, its person, its expiry and its revocation are judged as
   * those of any other. Default: there are none.
   */
  readonly findToken?: FindToken | undefined
  /** Seconds an access token lives. Default 3600. */
  readonly accessTokenTtl?: number | undefined
  /** Seconds an authorization code lives. Default 60. */
  readonly authorizationCodeTtl?: number | undefined
  /** Seconds a refresh token lives, counted from its last rotation. Default 1209600 (14 days). */
  readonly refreshTokenTtl?: number | undefined
  /**
   * Which grants have a refresh token, of clients that registered the grant type. `offline_access` (default): those
   * with that scope value. `registered`: all, for clients that cannot ask for it.
   */
  readonly refreshTokens?: 'offline_access' | 'registered' | undefined
  /**
   * True: answers with a refresh token say how long it is good for, as `refresh_token_timeout`, and where nothing can
   * prolong that `authorization_expires_in` (draft-ietf-oauth-refresh-token-expiration-03); so does introspection.
   * Default false.
   */
  readonly refreshTokenExpiration?: boolean | undefined
  /**
   * Which refresh tokens are replaced when used. `unbound` (default): all but those of confidential clients with
   * sender-constrained access tokens (FAPI 2.0 §5.3.2.1). `always`. `never`: all but those of public clients.
   */
  readonly refreshTokenRotation?: 'unbound' | 'always' | 'never' | undefined
  /**
   * Seconds after a rotation in which the replaced token still gets the same successor, so that a lost answer is not a
   * logout. Default 10; 0: never.
   */
  readonly refreshRetryWindow?: number | undefined
  /** Reads the time, milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Random bytes. Default: a cryptographically secure source. */
  readonly random?: RandomBytes | undefined
  /** Told of all that happens; see docs/events.md. What it throws or rejects with decides nothing. */
  readonly onEvent?: EventListener | undefined
}

const year = 31_536_000
/** OpenID Connect Registration §2: RS256 for clients that register nothing. */
const defaultIdTokenAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']
const isText = (value: unknown): value is string => typeof value === 'string'

const idTokenWords = oneOf(['requested', 'scopes'], 'requested')

export const tokenChecks = {
  issuer: issuerIdentifier(),
  store: storeCheck,
  keys: keysCheck,
  account: fn<NonNullable<TokenOptions['account']>>(),
  claims: fn<NonNullable<TokenOptions['claims']>>(),
  pairwiseSecret: pairwiseSecretCheck,
  scopes: scopeList([]),
  resources: eachOf('resources', resourceCheck, []),
  defaultResource: oneOf(['inferred', 'none'], 'inferred'),
  idTokenAlgorithms: listOf('algorithms', isText, defaultIdTokenAlgorithms),
  idTokenClaims: readBy(`${idTokenWords.takes}, or a function`, (value, key): IdTokenClaims | ClaimsHook =>
    typeof value === 'function' ? (value as ClaimsHook) : idTokenWords.read(value, key)
  ),
  accessTokenClaims: fn<ClaimsHook>(),
  findToken: fn<FindToken>(),
  accessTokenTtl: integer({ min: 1, max: year, default: 3600 }),
  authorizationCodeTtl: integer({ min: 1, max: 600, default: 60 }),
  refreshTokenTtl: integer({ min: 1, max: 10 * year, default: 1_209_600 }),
  refreshTokens: oneOf(['offline_access', 'registered'], 'offline_access'),
  refreshTokenExpiration: flag(false),
  refreshTokenRotation: oneOf(['unbound', 'always', 'never'], 'unbound'),
  refreshRetryWindow: integer({ min: 0, max: 3600, default: 10 }),
  clock: clock(),
  random: fn<RandomBytes>(pooledRandomBytes),
  onEvent: fn<EventListener>()
} satisfies Checks<TokenOptions>
