/**
 * Hooks of an application: the claims it adds to tokens, and the tokens it still knows from before. They are functions
 * of its own, bounded in time and in what they may say.
 */
import type { Client } from '../clients/client.ts'
import { OAuthError, ServerError, TemporarilyUnavailableError } from '../errors.ts'
import { isJsonObject } from '../json.ts'
import type { AccountClaims, Grant } from './grant.ts'

/** Context of a token that is about to be made. */
export interface ClaimsContext {
  /** The person, as the application knows them; undefined where a client acts for itself. */
  readonly account: ClaimsAccount | undefined
  /** The client the token is for. */
  readonly client: Client
  /** The grant it belongs to, with everything that was agreed to. */
  readonly grant: Grant
  /** The `grant_type` of the request, where there is one. */
  readonly grant_type: string | undefined
  /** The resource indicator it is for; several are separated by spaces. */
  readonly resource: string | undefined
  /** The scope values of this token. */
  readonly scope: readonly string[]
}

/** The person of a token, and how they signed in. */
export interface ClaimsAccount {
  /** The person's own `sub`, whatever the client calls them. */
  readonly sub: string
  /** Seconds since the epoch at which they signed in. */
  readonly auth_time?: number | undefined
  /** The authentication context class of that sign-in. */
  readonly acr?: string | undefined
  /** The methods they signed in by. */
  readonly amr?: readonly string[] | undefined
  /** Their session, as clients know it. */
  readonly sid?: string | undefined
}

/** Claims of the application's own for one token; undefined or null: none. */
export type ClaimsHook = (context: ClaimsContext) => AccountClaims | null | undefined | Promise<AccountClaims | null | undefined>

/** See {@link TokenOptions.idTokenClaims}. */
export type IdTokenClaims = 'requested' | 'scopes'

/** Milliseconds a hook may take. */
const patience = 5000
/** Bytes of the claims of one token, as JSON: tokens travel in headers. */
const largest = 4096

/** Claims that this library, or whoever reads its tokens, takes for something it said itself. */
const reserved = [
  ...['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'client_id', 'azp', 'nonce', 'sid', 'acr', 'amr', 'auth_time', 'cnf'],
  ...['scope', 'act', 'may_act', 'authorization_details', 'active', 'token_type', 'claims', 'pairwise_sub', 'grant', '__proto__'],
  ...['at_hash', 'c_hash', 's_hash', 'events', 'urn:openid:params:jwt:claim:auth_req_id', 'urn:openid:params:jwt:claim:rt_hash']
]
export const reservedClaims: ReadonlySet<string> = new Set(reserved)

/**
 * The claims a hook adds to a token.
 *
 * @param name the option it was given as.
 * @throws the OAuthError it threw; TemporarilyUnavailableError for whatever else it threw, and where it takes longer
 * than five seconds; ServerError where it answers no object, sets a claim that is this library's to set, or says more
 * than 4096 bytes.
 */
export async function ownClaims(name: string, hook: ClaimsHook, context: ClaimsContext): Promise<AccountClaims> {
  const answer = await answerOf(name, () => hook(context))
  if (answer === undefined || answer === null) return {}
  if (!isJsonObject(answer)) throw new ServerError({ reason: `${name} must answer with an object of claims` })
  const taken = Object.keys(answer).find(claim => reservedClaims.has(claim))
  if (taken !== undefined) throw new ServerError({ reason: `${name} must not set ${taken}: that claim is the server's` })
  const text = textOf(name, answer)
  const size = Buffer.byteLength(text)
  if (size > largest)
    throw new ServerError({ reason: `${name} must not answer with more than ${largest} bytes of claims: they were ${size}` })
  return JSON.parse(text) as AccountClaims
}

/** Writes an answer as JSON, so that a JWT and a store get the same. @throws ServerError where JSON cannot say it. */
function textOf(name: string, answer: object): string {
  try {
    return JSON.stringify(answer)
  } catch (cause) {
    throw new ServerError({ reason: `${name} must answer with what JSON can say; see the cause`, cause })
  }
}

/** The answer of a function of the application's, within its time. @throws as {@link ownClaims} says. */
export async function answerOf(name: string, ask: () => unknown): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new TemporarilyUnavailableError({ reason: `${name} did not answer within ${patience} ms` })),
      patience
    )
  })
  try {
    return await Promise.race([Promise.resolve(ask()), late])
  } catch (cause) {
    if (cause instanceof OAuthError) throw cause
    throw new TemporarilyUnavailableError({ reason: `${name} failed; see the cause`, cause })
  } finally {
    clearTimeout(timer)
  }
}

/** An access token that another server issued, and that is to stay good for as long as it lives. */
export interface ForeignToken {
  /** The client it was issued to. It has to be a client here. */
  readonly client_id: string
  /** The person it is about; undefined: the client itself. */
  readonly sub?: string | undefined
  /** The scope values it is good for. */
  readonly scope: readonly string[]
  /** Seconds since the epoch from which it is refused. */
  readonly exp: number
  /** Seconds since the epoch at which it was issued. Default: unknown, and then now. */
  readonly iat?: number | undefined
  /** The resource indicators it is for. Default: it names none. */
  readonly aud?: string | readonly string[] | undefined
}

/** Finds a token this server did not issue; undefined or null where there is none. */
export type FindToken = (token: string) => ForeignToken | null | undefined | Promise<ForeignToken | null | undefined>

/**
 * Finds a token that another server issued. @throws as {@link ownClaims}: who does not answer right gives no access.
 */
export async function findForeign(find: FindToken, presented: string): Promise<ForeignToken | undefined> {
  const answer = await answerOf('findToken', () => find(presented))
  if (answer === undefined || answer === null) return undefined
  const { client_id, sub, scope, exp } = answer as Partial<ForeignToken>
  const isToken =
    typeof client_id === 'string' &&
    (sub === undefined || typeof sub === 'string') &&
    Array.isArray(scope) &&
    scope.every(value => typeof value === 'string') &&
    typeof exp === 'number'
  if (!isToken)
    throw new ServerError({
      reason: 'findToken must answer with client_id, scope as a list and exp in seconds, or with undefined'
    })
  return answer as ForeignToken
}
