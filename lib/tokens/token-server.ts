/** The server as token issuers see it: keys, store, policy, and the one way from a grant to a token response. */
import { ConfigurationError, type Read } from '../options.ts'
import type { LateUse } from '../stores/late-use.ts'
import type { Client } from '../clients/client.ts'
import { emitting, eventSource, type EventSource } from '../events/event-source.ts'
import type { Emit } from '../events/events.ts'
import type { FirstStep, Store } from '../stores/store.ts'
import type { Confirmation } from './confirmation.ts'
import type { Grant } from './grant.ts'
import type { ClaimsHook, FindToken, IdTokenClaims } from './hooks.ts'
import { GuardedStore } from '../stores/guarded.ts'
import type { RandomBytes } from '../crypto/random.ts'
import { Resources } from './resource.ts'
import { SigningKeys } from '../signing-keys/signing-keys.ts'
import { pairwiseSubjects, type PairwiseSubjects } from './subject.ts'
import type { tokenChecks, TokenOptions } from './token-options.ts'

export { tokenChecks, type TokenOptions } from './token-options.ts'

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
  /** The use of what proved the client, where it is still to be recorded: with the access token, or before it. */
  readonly lateUse?: LateUse | undefined
}

/** A refresh token, if there is one, whose grant is recorded in one step with the access token. */
export interface UnrecordedRefreshToken {
  /** The refresh token. */
  readonly refresh_token: string | undefined
  /** The step that records its grant. Where it says no, there is no access token either. */
  readonly record: FirstStep
}

/** The shape that {@link TokenServer.respond} is to give one response. */
export interface ResponseShape {
  /** The scope of this access token, as the client asked for it: within the grant's. */
  readonly scope?: readonly string[] | undefined
  /** The resource this access token is for, or several, each once (RFC 8707); an empty list: none is named. */
  readonly resource?: string | readonly string[] | undefined
  /**
   * The refresh token, or what makes it: called once nothing can be refused any more, and again where others were
   * faster with its record.
   */
  readonly refresh_token?: string | (() => Promise<string | UnrecordedRefreshToken | undefined>) | undefined
  /**
   * Tells since when the time of the refresh token has run, in milliseconds since the epoch; asked once there is one.
   * Default: now.
   */
  readonly refreshed_at?: (() => number) | undefined
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
  /** Keeps codes, grants and tokens. As with any store, a copy of it by spread has none of its operations. */
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
  /** Whether answers say how long refresh tokens are good for. */
  readonly refreshTokenExpiration?: boolean
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
  /**
   * Tells of what happens; undefined while nobody listens: `server.emit?.({ type: … })` then makes no object. It is
   * inherited: a copy of the server by spread has none.
   */
  readonly emit?: Emit | undefined
  /**
   * Mints what the grant, its scope and the client call for, and records it before it is answered: never more than
   * client and server allow now, and nothing for a person who is nobody here any more.
   */
  respond(recipient: TokenRecipient, grant: Grant, shape?: ResponseShape): Promise<TokenResponse>
}

/** Settings of a token server beside its options. */
interface TokenServerSetting extends Pick<TokenServer, 'hasClient' | 'userinfo'> {
  readonly events?: EventSource
}

/** @param options every one read. @throws ConfigurationError naming the option that is wrong beside the others. */
export function tokenServer(
  options: Read<typeof tokenChecks>,
  respond: (server: TokenServer, ...rest: Parameters<TokenServer['respond']>) => Promise<TokenResponse>,
  more: TokenServerSetting = {}
): TokenServer {
  const { issuer, store, pairwiseSecret, scopes, idTokenAlgorithms, defaultResource, onEvent } = options
  const events = more.events ?? eventSource({ issuer, clock: options.clock, onEvent })
  const keys = new SigningKeys(options.keys, 'keys', change => events.emit?.({ type: 'keys.changed', ...change }))
  const resources = new Resources(options.resources, {
    inferring: defaultResource === 'inferred',
    algorithms: keys.algorithms()
  })
  // written out: what is left of the options of a whole server is much, and every tenant would keep it
  const server: TokenServer = emitting(() => events.emit, {
    issuer,
    store: new GuardedStore(store),
    keys,
    account: options.account,
    claims: options.claims,
    pairwise: pairwiseSecret === undefined ? undefined : pairwiseSubjects(pairwiseSecret, issuer),
    resources,
    scopes: [...new Set([...scopes, ...resources.all().flatMap(resource => resource.scopes)])],
    openScopes: resources.openScopes(),
    idTokenAlgorithms: usableAlgorithms(idTokenAlgorithms, keys),
    idTokenClaims: options.idTokenClaims,
    accessTokenClaims: options.accessTokenClaims,
    findToken: options.findToken,
    accessTokenTtl: options.accessTokenTtl,
    authorizationCodeTtl: options.authorizationCodeTtl,
    refreshTokenTtl: options.refreshTokenTtl,
    refreshTokens: options.refreshTokens,
    refreshTokenExpiration: options.refreshTokenExpiration,
    refreshTokenRotation: options.refreshTokenRotation,
    refreshRetryWindow: options.refreshRetryWindow,
    clock: options.clock,
    random: options.random,
    hasClient: more.hasClient,
    userinfo: more.userinfo,
    respond: (...given: Parameters<TokenServer['respond']>) => respond(server, ...given)
  })
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
