/** The server as token issuers see it: keys, store, policy, and the one way from a grant to a token response. */
import {
  clock,
  ConfigurationError,
  eachOf,
  fn,
  integer,
  issuerIdentifier,
  listOf,
  oneOf,
  readBy,
  type Checks,
  type Read
} from '../options.ts'
import type { Client } from '../clients/client.ts'
import { eventSource, type EventListener, type EventSource } from '../events/event-source.ts'
import type { Emit } from '../events/events.ts'
import { storeCheck, type Store } from '../stores/store.ts'
import type { Confirmation } from './confirmation.ts'
import type { AccountClaims, Grant } from './grant.ts'
import type { ClaimsHook, FindToken, IdTokenClaims } from './hooks.ts'
import type { KeySource, PrivateKeySet } from '../signing-keys/generate-keys.ts'
import { guardedStore } from '../stores/guarded.ts'
import { pooledRandomBytes, type RandomBytes } from '../crypto/random.ts'
import { resourceCheck, Resources, type ResourceOptions } from './resource.ts'
import { scopeList } from './scope.ts'
import { keysCheck, SigningKeys } from '../signing-keys/signing-keys.ts'
import { pairwiseSecretCheck, pairwiseSubjects, type PairwiseSubjects } from './subject.ts'

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
  refreshTokenRotation: oneOf(['unbound', 'always', 'never'], 'unbound'),
  refreshRetryWindow: integer({ min: 0, max: 3600, default: 10 }),
  clock: clock(),
  random: fn<RandomBytes>(pooledRandomBytes),
  onEvent: fn<EventListener>()
} satisfies Checks<TokenOptions>

/** A successful token response (RFC 6749 §5.1). */
export interface TokenResponse {
  /** The access token. */
  readonly access_token: string
  /** `Bearer`, `DPoP` or `N_A`: how the token is presented. */
  readonly token_type: string
  /** Seconds. */
  readonly expires_in?: number
  /** The refresh token, where there is one. */
  readonly refresh_token?: string
  /** The ID Token, where there is one. */
  readonly id_token?: string
  /** The scope values that were granted, where they are not those asked for. */
  readonly scope?: string
  readonly [member: string]: unknown
}

/** The client that asks, and the key or certificate its tokens are to be bound to. */
export interface TokenRecipient {
  /** The client that gets the tokens. */
  readonly client: Client
  /** The key or certificate they are bound to, where there is one. */
  readonly confirmation?: Confirmation | undefined
  /** The grant they ask by, and the id of their request's trace, for whoever is told of the tokens. */
  readonly grant_type?: string | undefined
  /** The trace id of the request. */
  readonly traceId?: (() => string) | undefined
}

/** The shape that {@link TokenServer.respond} is to give one response. */
export interface ResponseShape {
  /** The scope of this access token, as the client asked for it: within the grant's. */
  readonly scope?: readonly string[] | undefined
  /** The resource this access token is for, or several, each once (RFC 8707); an empty list: none is named. */
  readonly resource?: string | readonly string[] | undefined
  /** The refresh token, or what makes it: called once nothing can be refused any more. */
  readonly refresh_token?: string | (() => Promise<string | undefined>) | undefined
  /** True: that the grant's person is somebody here has just been found out; `account` is not asked again. */
  readonly knownAccount?: true | undefined
  /** The latest this access token may expire: seconds since the epoch, in the future. Default: its own life. */
  readonly expires_at?: number | undefined
  /** False: no ID Token, whatever the scope. */
  readonly id_token?: false | undefined
  /** For a pushed response: the request it answers, to which its ID Token is bound (CIBA Core §10.3.1). */
  readonly auth_req_id?: string | undefined
}

/** A server, as far as its token issuers know it. */
export interface TokenServer {
  /** The issuer identifier. */
  readonly issuer: string
  /** Keeps codes, grants and tokens. */
  readonly store: Store
  /** Signs and verifies. */
  readonly keys: SigningKeys
  /** Says whether a person is still somebody here. */
  readonly account: TokenOptions['account']
  /** Looks up a person's claims. */
  readonly claims: TokenOptions['claims']
  /** Makes pairwise identifiers; undefined where there is no secret to make them with. */
  readonly pairwise: PairwiseSubjects | undefined
  /** The resources access tokens can be for. */
  readonly resources: Resources
  /** Every scope value there is: the server's and the resources'. */
  readonly scopes: readonly string[]
  /** Those of them that clients nobody configured may ask for whatever they registered. */
  readonly openScopes?: readonly string[]
  /** Algorithms ID Tokens may be signed with; never empty. */
  readonly idTokenAlgorithms: readonly string[]
  /** The claims ID Tokens have beyond those that are always there. */
  readonly idTokenClaims: IdTokenClaims | ClaimsHook
  /** Adds claims to access tokens. */
  readonly accessTokenClaims?: ClaimsHook | undefined
  /** Finds tokens of the server before this one. */
  readonly findToken?: FindToken | undefined
  /** Seconds an access token lives. */
  readonly accessTokenTtl: number
  /** Seconds an authorization code lives. */
  readonly authorizationCodeTtl: number
  /** Seconds a refresh token lives unused. */
  readonly refreshTokenTtl: number
  /** Says who gets refresh tokens. */
  readonly refreshTokens: 'offline_access' | 'registered'
  /** Says whose refresh tokens rotate. */
  readonly refreshTokenRotation: 'unbound' | 'always' | 'never'
  /** Seconds in which the refresh token before the current one gets the same successor. */
  readonly refreshRetryWindow: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Random bytes. */
  readonly random: RandomBytes
  /**
   * Whether there is such a client: the tokens of one that is gone go with it. Rejects where that cannot be found out.
   */
  readonly hasClient?: ((client_id: string) => Promise<boolean>) | undefined
  /** The value of `aud` that stands for the userinfo endpoint; undefined where there is none. */
  readonly userinfo?: string | undefined
  /** Tells of what happens; undefined while nobody listens: `server.emit?.({ type: … })` then makes no object. */
  readonly emit?: Emit | undefined
  /**
   * Mints what the grant, its scope and the client call for, and records it before it is answered: never more than
   * client and server allow now, and nothing for a person who is nobody here any more.
   */
  respond(recipient: TokenRecipient, grant: Grant, shape?: ResponseShape): Promise<TokenResponse>
}

/** Settings of a token server beside its options. */
export interface TokenServerSetting extends Pick<TokenServer, 'hasClient' | 'userinfo'> {
  readonly events?: EventSource
}

/** @param options every one read. @throws ConfigurationError naming the option that is wrong beside the others. */
export function tokenServer(
  options: Read<typeof tokenChecks>,
  respond: (server: TokenServer, ...rest: Parameters<TokenServer['respond']>) => Promise<TokenResponse>,
  more: TokenServerSetting = {}
): TokenServer {
  const { issuer, store, pairwiseSecret, scopes, idTokenAlgorithms, defaultResource, onEvent, ...kept } = options
  const events = more.events ?? eventSource({ issuer, clock: options.clock, onEvent })
  const keys = new SigningKeys(options.keys, 'keys', change => events.emit?.({ type: 'keys.changed', ...change }))
  const resources = new Resources(options.resources, {
    inferring: defaultResource === 'inferred',
    algorithms: keys.algorithms()
  })
  const server: TokenServer = {
    ...kept,
    issuer,
    store: guardedStore(store),
    keys,
    pairwise: pairwiseSecret === undefined ? undefined : pairwiseSubjects(pairwiseSecret, issuer),
    resources,
    scopes: [...new Set([...scopes, ...resources.all().flatMap(resource => resource.scopes)])],
    openScopes: resources.openScopes(),
    idTokenAlgorithms: usableAlgorithms(idTokenAlgorithms, keys),
    hasClient: more.hasClient,
    userinfo: more.userinfo,
    get emit() {
      return events.emit
    },
    respond: (...given) => respond(server, ...given)
  }
  return server
}

/** @throws ConfigurationError where there is no key for any of them. */
function usableAlgorithms(list: readonly string[], keys: SigningKeys): readonly string[] {
  const available = keys.algorithms()
  const usable = list.filter(alg => available.includes(alg))
  if (usable.length === 0)
    throw new ConfigurationError('idTokenAlgorithms', `must name one of ${available.join(', ')}, for which there are keys`)
  return usable
}
