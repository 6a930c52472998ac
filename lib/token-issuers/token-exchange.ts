/** Token exchange (RFC 8693): a token for another one, for less. */
import { decodeUnverified } from '../assertions/compact-jws.ts'
import {
  trustedIssuers,
  trustedIssuersChecks,
  type FindSubject,
  type TrustedIssuer,
  type TrustedIssuers,
  type TrustedIssuersOptions,
  type TrustedJwt
} from '../assertions/trusted-issuers.ts'
import type { Client } from '../clients/client.ts'
import { InvalidRequestError, InvalidTargetError } from '../errors.ts'
import { ConfigurationError, fn, readBy, readOptions, required, type Checks } from '../options.ts'
import { requestedResources } from '../client-request.ts'
import { actThrough, mayAct, type Actor, type Party } from '../tokens/actor.ts'
import { isProvedBy } from '../tokens/confirmation.ts'
import { hasAccount } from '../tokens/account.ts'
import { exchangesOf } from '../tokens/grant.ts'
import { startExchangedGrant, startGrant } from '../codes/begin-grant.ts'
import type { NewGrant } from '../tokens/person-grants.ts'
import { readForeignToken, verifyOwnToken, type PresentedToken, type PresentedTokenType } from '../tokens/presented-token.ts'
import { subjectFor } from '../tokens/subject.ts'
import { resourceFor } from '../tokens/token-response.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import { requestedScopeWithin, requiredParameter, tellReplay, type TokenIssuer, type TokenRequest } from './token-issuer.ts'

/** An exchange that breaks no rule, for the application to judge. */
export interface ExchangeRequest {
  /** The account here whose token it will be. */
  readonly sub: string
  /** The token of whom the new one is to be about, verified. */
  readonly subject: PresentedToken
  /** Content of the request's `actor_token`; undefined: there is none, and the client itself would act. */
  readonly actor: PresentedToken | undefined
  /** The client that asks. */
  readonly client: Client
  /** The scope it would be good for: at most what the subject token and the client's registration allow. */
  readonly scope: readonly string[]
  /** The resource it would be for. */
  readonly resource: string | undefined
  /** The `audience` parameter as it was sent. */
  readonly audience: string | undefined
}

/**
 * `impersonation`: the new token says nothing of who exchanged it. `delegation`: it names the actor in `act`, before
 * those who acted already. Either way it keeps the actors the subject token names.
 */
export type ExchangeVerdict =
  | { /** The kind of exchange that is allowed; false: none. */ readonly allow: 'impersonation' | 'delegation' }
  /** `reason` is for the operator. */
  | {
      /** The kind of exchange that is allowed; false: none. */ readonly allow: false
      /** The reason, for the operator. */ readonly reason?: string | undefined
    }

/** The options of `tokenExchange()`. */
export interface TokenExchangeOptions extends Omit<TrustedIssuersOptions, 'trustedIssuers'> {
  /**
   * Which exchanges are allowed. Whatever it does not allow is refused: undefined, and anything that is no {@link
   * ExchangeVerdict}.
   */
  readonly policy: (request: ExchangeRequest) => ExchangeVerdict | undefined | Promise<ExchangeVerdict | undefined>
  /** Other issuers whose JWTs may be exchanged. Default none. */
  readonly trustedIssuers?: readonly TrustedIssuer[] | undefined
  /** The account a trusted issuer's JWT is about. Required with `trustedIssuers`. */
  readonly subject?: FindSubject | undefined
}

const listed = trustedIssuersChecks.trustedIssuers

export const tokenExchangeChecks = {
  ...trustedIssuersChecks,
  policy: required(fn<TokenExchangeOptions['policy']>()),
  trustedIssuers: readBy(listed.takes, (list = [], key) => listed.read(list, key)),
  subject: fn<FindSubject>()
} satisfies Checks<TokenExchangeOptions>

const tokenType = 'urn:ietf:params:oauth:token-type:'

interface Exchange {
  readonly policy: TokenExchangeOptions['policy']
  readonly issuers: TrustedIssuers
  readonly findSubject: FindSubject | undefined
  readonly request: TokenRequest
  readonly server: TokenServer
}

/**
 * Exchanges this server's own access tokens, refresh tokens and ID Tokens, and trusted issuers' JWTs, for access
 * tokens. For confidential clients.
 *
 * Guaranteed of the token issued: the policy allowed it; its scope is within the subject token's and the client's; it
 * expires no later than the subject token; the request proved the keys and certificates the subject and actor tokens
 * are bound to, and it is bound to what the request proved; where the subject token names who may act (`may_act`),
 * nobody else does; actors are never lost from `act`; it has a grant of its own, which ends with the subject token's
 * grant and where the subject token is revoked. There is neither a refresh token nor an ID Token. A trusted issuer's
 * JWT is used up, last, unless its rule says `replay: 'allow'`.
 *
 * @throws ConfigurationError naming the option that is wrong. There is no exchange without a policy.
 *
 * @example
 * tokenExchange({
 *   // the gateway may call the APIs behind it for whoever called it
 *   policy: ({ client, subject, resource }) =>
 *     client.client_id === 'gateway' && subject.type === 'access_token' && subject.resources.includes('https://gateway.example') && resource !== undefined
 *       ? { allow: 'delegation' }
 *       : { allow: false }
 * })
 */
export function tokenExchange(options: TokenExchangeOptions): TokenIssuer {
  const { policy, subject: findSubject, fetchJson, trustedIssuers: rules } = readOptions(options, tokenExchangeChecks)
  const trusted = trustedIssuers({ trustedIssuers: rules, fetchJson })
  if (findSubject === undefined && rules.size > 0)
    throw new ConfigurationError('subject', "must be a function that finds the account a trusted issuer's JWT is about")
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    confidential: true,
    issue: (request, server) => exchange({ policy, findSubject, issuers: trusted(server), request, server })
  }
}

async function exchange(context: Exchange): ReturnType<TokenIssuer['issue']> {
  const { issuers, request, server } = context
  const requested = requestedType(request)
  const subject = await readToken(context, 'subject_token', ['access_token', 'refresh_token', 'id_token', 'jwt'])
  const actor = hasActor(request) ? await readToken(context, 'actor_token', ['access_token', 'id_token', 'jwt']) : undefined
  const wanted = requestedScopeWithin(request, server, subject.token.scope).filter(value => value !== 'offline_access')
  const resources = targetsOf(request, server, subject.token)
  const target = server.resources.together(resources, server.accessTokenTtl) ?? server.resources.inferred(wanted)
  if (requested === 'jwt' && target?.accessTokenFormat !== 'jwt')
    throw new InvalidRequestError('a JWT is issued only for a resource that takes JWTs')
  const scope = target === undefined ? wanted : server.resources.narrow(wanted, target)
  const sub = await subjectOf(context, subject)
  const targets = resources.length > 0 ? resources : [target?.resource]
  const act = await allowedActor(context, { sub, subject: subject.token, actor: actor?.token, scope, targets })
  for (const { jwt, name } of [subject, actor].filter(part => part !== undefined)) {
    if (jwt === undefined || (await issuers.consume(jwt))) continue
    tellReplay(request, server, jwt.iss)
    throw refused(name, 'replay: its jti was used before')
  }
  const { about, may_act, auth_time, acr, amr, exp } = subject.token
  const { client_id } = request.client
  const granted = { client_id, scope, resources, auth_time, acr, amr }
  const id = await beginGrant(server, subject.token, { ...granted, sub, auth_method: request.authentication.method })
  // a client that acts for itself is no person: nobody calls it by another name
  const whose = about === 'person' ? { sub } : { subject_client: sub }
  // whoever it is about was found to be there with the token that was presented
  const shape = { resource: resources, expires_at: exp, id_token: false, knownAccount: true } as const
  const response = await server.respond(request, { ...granted, ...whose, id, act, may_act }, shape)
  return { ...response, issued_token_type: tokenType + requested }
}

/** RFC 8693 §2.2.2: whatever is wrong with a token is `invalid_request`, in the same words. */
function refused(name: 'subject_token' | 'actor_token', reason: string): InvalidRequestError {
  return new InvalidRequestError(`this ${name} is not valid`, { reason })
}

function requestedType({ parameters }: TokenRequest): 'access_token' | 'jwt' {
  const { requested_token_type = `${tokenType}access_token` } = parameters
  const requested = (['access_token', 'jwt'] as const).find(type => requested_token_type === tokenType + type)
  if (requested === undefined) throw new InvalidRequestError('this requested_token_type is not issued here')
  return requested
}

/** RFC 8693 §2.1: a type without a token is a mistake, not a wish. */
function hasActor({ parameters: { actor_token, actor_token_type } }: TokenRequest): boolean {
  if ((actor_token === undefined) !== (actor_token_type === undefined))
    throw new InvalidRequestError('actor_token and actor_token_type are sent together')
  return actor_token !== undefined
}

interface Part {
  readonly name: 'subject_token' | 'actor_token'
  readonly token: PresentedToken
  /** The JWT that is used up; undefined for this server's own tokens. */
  readonly jwt: TrustedJwt | undefined
}

async function readToken(context: Exchange, name: Part['name'], types: readonly PresentedTokenType[]): Promise<Part> {
  const { request, server } = context
  const presented = requiredParameter(request, name)
  const given = requiredParameter(request, `${name}_type`)
  const type = types.find(candidate => given === tokenType + candidate)
  if (type === undefined) throw new InvalidRequestError(`this ${name}_type is not accepted`)
  const { jwt, ...read } = await verifyToken(context, type, presented)
  if ('refused' in read) throw refused(name, read.refused)
  const { token } = read
  if (!isProvedBy(token.cnf, request.confirmation)) throw refused(name, 'cnf: the request does not prove what it is bound to')
  // a trusted issuer's clock is given some tolerance, but the new token's time is ours
  if (token.exp * 1000 <= server.clock()) throw refused(name, 'expiry: it has just expired')
  return { name, token, jwt }
}

type Verified = { readonly jwt?: TrustedJwt | undefined } & ({ readonly token: PresentedToken } | { readonly refused: string })

async function verifyToken(
  { request, server, issuers }: Exchange,
  type: PresentedTokenType,
  presented: string
): Promise<Verified> {
  if (type !== 'jwt' || isOwnJwt(presented, server)) {
    // our own access tokens may be called JWTs, which they are
    const token = await verifyOwnToken(server, type === 'jwt' ? 'access_token' : type, presented, request.client)
    return 'refused' in token ? token : { token }
  }
  const verified = await issuers.verify(presented, { types: ['at+jwt'], audiences: [server.issuer] })
  if (verified.outcome === 'refused') return { refused: verified.reason }
  const token = readForeignToken(verified.jwt)
  return 'refused' in token ? token : { token, jwt: verified.jwt }
}

/** Whether it says so itself, which decides who verifies it and nothing else. */
function isOwnJwt(presented: string, server: TokenServer): boolean {
  const jws = decodeUnverified(presented)
  return jws.outcome === 'read' && jws.payload['iss'] === server.issuer
}

/**
 * The resources the new token is for: those `resource` or `audience` name, or else the subject token's own, so that a
 * token for one API never becomes one for all.
 */
function targetsOf(request: TokenRequest, server: TokenServer, subject: PresentedToken): readonly string[] {
  const resources = requestedResources(request.parameters)
  const { audience } = request.parameters
  if (audience !== undefined && resources.some(resource => resource !== audience))
    throw new InvalidTargetError('resource and audience name two targets, and a token is for one')
  const asked = audience === undefined ? resources : [audience]
  if (asked.length === 0 && subject.resources.length > 1)
    throw new InvalidTargetError('the subject_token is for several resources: name one')
  // what a refresh token is good for was agreed to; an access token's API is there to be left for the next one
  resourceFor(server, { resources: subject.type === 'refresh_token' ? subject.resources : [] }, asked)
  return asked.length === 0 ? subject.resources : server.resources.findAll(asked)
}

async function subjectOf({ findSubject, request, server }: Exchange, { token, jwt }: Part): Promise<string> {
  if (jwt === undefined) return token.sub
  const sub: unknown = await findSubject?.(jwt, request.client)
  if (typeof sub !== 'string' || sub === '') throw refused('subject_token', 'subject: nobody here')
  if (!(await hasAccount(server, sub))) throw refused('subject_token', 'account: nobody here any more')
  return sub
}

interface Proposal extends Pick<ExchangeRequest, 'sub' | 'subject' | 'actor' | 'scope'> {
  readonly targets: readonly (string | undefined)[]
}

/** Asks the policy of each target, and answers with the actors the new token names. */
async function allowedActor(context: Exchange, { targets, ...proposal }: Proposal): Promise<Actor | undefined> {
  const { policy, request, server } = context
  const { client } = request
  const { subject, actor } = proposal
  const notAllowed = (reason: string): InvalidRequestError => new InvalidRequestError('this exchange is not allowed', { reason })
  // it would have to be named with whoever acts through it, and a chain has one line
  if (actor?.act !== undefined) throw refused('actor_token', 'act: an actor that somebody acts for')
  const party = partyOf(actor, client, server)
  if (subject.may_act !== undefined && !mayAct(subject.may_act, party, client.client_id, server.issuer))
    throw notAllowed('may_act: the subject_token allows another actor')
  const { audience } = request.parameters
  const kinds = new Set<string>()
  for (const resource of targets) {
    const verdict = await policy({ ...proposal, client, resource, audience })
    if (verdict?.allow !== 'impersonation' && verdict?.allow !== 'delegation') {
      const reason = verdict?.allow === false ? verdict.reason : undefined
      throw notAllowed(`policy: ${reason ?? 'not allowed'}`)
    }
    kinds.add(verdict.allow)
  }
  if (kinds.size > 1) throw notAllowed('policy: impersonation at one resource, delegation at another')
  if (kinds.has('impersonation')) return subject.act
  const act = actThrough(party, subject.act)
  if (act === undefined) throw notAllowed('act: too many have acted already')
  return act
}

/**
 * The acting party: the actor token's subject, or else the client. One of this server's needs no issuer to be known by.
 */
function partyOf(actor: PresentedToken | undefined, client: Client, server: TokenServer): Party {
  if (actor === undefined) return { sub: client.client_id }
  if (actor.iss !== server.issuer) return { iss: actor.iss, sub: actor.sub }
  // a client acting for itself is called by its client_id, a person what this client calls people
  return { sub: actor.about === 'client' ? actor.sub : subjectFor(server, client, actor.sub) }
}

/** As many exchanges in a row as may lead to a token: each look at it looks at all of them. */
const mostExchanges = 8

/**
 * Begins the grant that the new token lives and dies with: one of its own, which ends with what was exchanged. Where
 * that was an ID Token, or another issuer's JWT, it rests on nothing else.
 */
async function beginGrant(server: TokenServer, subject: PresentedToken, record: NewGrant): Promise<string> {
  const { type, grant, jti, about } = subject
  if (type === 'jwt' || type === 'id_token') return startGrant(server, record)
  if (exchangesOf(grant) >= mostExchanges) throw refused('subject_token', `grant: exchanged ${mostExchanges} times already`)
  return startExchangedGrant(server, about === 'client' ? { ...record, about_client: true } : record, { grant, jti })
}
