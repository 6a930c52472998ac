/**
 * Requests that a person decides somewhere else while their client asks for the outcome again and again: what the
 * device grant (RFC 8628) and backchannel authentication (CIBA) share.
 *
 * A request is never rewritten. What happens to it stands in records of their own, each written in one atomic step: the
 * person's decision and the tokens' one handing-out are added where there is none, the pace of polling is compared and
 * set. So of many decisions one counts, of many polls one gets tokens, and no poll can hold up the person who decides.
 */
import { noteConsented } from '../clients/documents/consented.ts'
import { InvalidGrantError, OAuthError } from '../errors.ts'
import { add, find, read, swap, write } from '../stores/records.ts'
import type { Key } from '../stores/store.ts'
import { checkAccount } from '../tokens/account.ts'
import { grantOfReference, newReference } from '../tokens/access-token.ts'
import { tokenDigest, type GrantContent } from '../tokens/grant.ts'
import { joinSession } from '../tokens/sessions.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/** The parameter the client polls with; also the kind of the request's record. */
type PollingParameter = 'device_code' | 'auth_req_id'

/** Members of every such request. */
export interface PolledRequest extends Pick<GrantContent, 'scope' | 'resources' | 'authorization_details'> {
  readonly client_id: string
  /** The person who is asked, where it is known beforehand. */
  readonly sub?: string | undefined
  /** The attested instance of the client that may collect the outcome, by its key's thumbprint. */
  readonly instance_jkt?: string | undefined
  /** Milliseconds since the epoch. */
  readonly expires_at: number
  /** Seconds between two polls, as the client was told. */
  readonly interval: number
}

/** The place where a request is kept. Names the code without giving it away: `id` is a digest. */
export interface PolledReference {
  readonly kind: PollingParameter
  readonly grant: string
  readonly id: string
}

/** A request as it was found. */
export interface FoundRequest<R extends PolledRequest = PolledRequest> {
  readonly reference: PolledReference
  readonly request: R
}

/** The person who allowed it, and the sign-in they did so with. */
interface Approval extends Pick<GrantContent, 'acr' | 'amr' | 'sid'> {
  readonly sub: string
  /** Seconds since the epoch. */
  readonly auth_time: number
}

export type PersonDecision = { readonly decision: 'allow'; readonly approval: Approval } | { readonly decision: 'deny' }

/** Seconds for which an expired request is still told from one that never was. */
const afterlife = 600
/** Seconds every `slow_down` adds to the interval (RFC 8628 §3.5). */
const slowDown = 5
/** Milliseconds a poll may come early: what the network adds to one request it may not add to the next. */
const leeway = 500
const longestCode = 512

/** A new code of 256 random bits for a client, and where its request is to be kept. */
export function newPollingCode(
  server: TokenServer,
  kind: PollingParameter,
  client_id: string
): { code: string; reference: PolledReference } {
  const grant = server.random(16).toString('base64url')
  const code = newReference(server, grant)
  return { code, reference: { kind, grant, id: digestOf(code, client_id) } }
}

/** Keeps a new request until a while after it has expired. */
export async function keepRequest(server: TokenServer, reference: PolledReference, request: PolledRequest): Promise<void> {
  await write(server.store, reference, request, secondsLeft(server, request))
}

/**
 * The request a client polls for. The client is part of the key: another client's code finds nothing.
 *
 * @throws InvalidGrantError where there is none.
 */
export async function findPolledRequest<R extends PolledRequest>(
  server: TokenServer,
  kind: PollingParameter,
  code: string,
  client_id: string
): Promise<FoundRequest<R>> {
  const grant = code.length > longestCode ? undefined : grantOfReference(code)
  const reference = grant === undefined ? undefined : { kind, grant, id: digestOf(code, client_id) }
  const request = reference && (await read<R>(server.store, reference))
  if (reference === undefined || request === undefined)
    throw new InvalidGrantError(`this ${kind} is not valid`, {
      reason: 'never issued, issued to another client, or long expired'
    })
  return { reference, request }
}

/**
 * The request at a reference while a person can still decide it; undefined when it is decided, expired or was never
 * there.
 */
export async function findUndecided<R extends PolledRequest>(
  server: TokenServer,
  reference: PolledReference
): Promise<FoundRequest<R> | undefined> {
  const request = await read<R>(server.store, reference)
  if (request === undefined || hasExpired(server, request)) return undefined
  return (await readDecision(server, reference)) === undefined ? { reference, request } : undefined
}

/**
 * Decides a request. Of any number of decisions, exactly one gets `true`; none does once the request has expired. What
 * is allowed in a session is on that session's list before anybody can collect it.
 *
 * @throws OAuthError `login_required` where that session has ended meanwhile.
 */
export async function decideRequest(
  server: TokenServer,
  { reference, request }: FoundRequest,
  decision: PersonDecision
): Promise<boolean> {
  if (hasExpired(server, request)) return false
  const { sub, sid } = decision.decision === 'allow' ? decision.approval : {}
  if (sub !== undefined && sid !== undefined)
    await joinSession(server, reference.grant, { sub, sid, client_id: request.client_id, scope: request.scope })
  // before the decision, which counts once it is recorded
  if (sub !== undefined) await noteConsented(server.store, request.client_id)
  return add(server.store, decisionKey(reference), decision, secondsLeft(server, request))
}

/**
 * The person's approval, for exactly one of any number of callers.
 *
 * @throws OAuthError `expired_token`, `access_denied`; `authorization_pending`, or `slow_down` for whoever asks too
 * often, while nobody has decided (RFC 8628 §3.5, CIBA Core §11); InvalidGrantError where the tokens were handed out
 * before, or nobody is left who could decide.
 */
export async function collectApproval(server: TokenServer, { reference, request }: FoundRequest): Promise<Approval> {
  if (hasExpired(server, request)) throw new OAuthError('expired_token', 400, 'this request has expired')
  const decided = await readDecision(server, reference)
  if (decided === undefined) {
    if (request.sub !== undefined) await checkAccount(server, request.sub)
    if (await isTooEarly(server, reference, request))
      throw new OAuthError('slow_down', 400, `wait ${slowDown} seconds longer between requests from now on`)
    throw new OAuthError('authorization_pending', 400, 'the person has not decided yet')
  }
  if (decided.decision === 'deny') throw new OAuthError('access_denied', 400, 'the person denied the request')
  if (!(await handOut(server, { reference, request })))
    throw new InvalidGrantError(`this ${reference.kind} was used before`, {
      reason: 'its tokens were handed out to an earlier poll'
    })
  return decided.approval
}

/** Uses an approved request up: true for exactly one caller, who hands out its tokens. */
export function handOut(server: TokenServer, { reference, request }: FoundRequest): Promise<boolean> {
  return server.store.add(keyOf(reference, 'used'), null, secondsLeft(server, request))
}

interface Pace {
  /** Seconds. */
  readonly interval: number
  /** When the next poll is due: milliseconds since the epoch. */
  readonly due: number
}

/**
 * Whether a poll comes before it is due; every one that does makes the interval longer, for this and all later ones.
 */
async function isTooEarly(server: TokenServer, reference: PolledReference, request: PolledRequest): Promise<boolean> {
  const key = keyOf(reference, 'pace')
  // whoever loses a race finds the winner's poll, and is early then: no third round
  for (;;) {
    const now = server.clock()
    const ttl = secondsLeft(server, request)
    const paceOf = (interval: number): Pace => ({ interval, due: now + interval * 1000 })
    const found = await find<Pace>(server.store, key)
    if (found === undefined) {
      if (await add(server.store, key, paceOf(request.interval), ttl)) return false
      continue
    }
    const { interval, due } = found.value
    if (now + leeway < due) {
      await swap(server.store, key, found.version, paceOf(interval + slowDown), ttl)
      return true
    }
    if (await swap(server.store, key, found.version, paceOf(interval), ttl)) return false
  }
}

function readDecision(server: TokenServer, reference: PolledReference): Promise<PersonDecision | undefined> {
  return read<PersonDecision>(server.store, decisionKey(reference))
}

function hasExpired(server: TokenServer, { expires_at }: PolledRequest): boolean {
  return server.clock() >= expires_at
}

/** Seconds for which whatever belongs to a request is kept from now on. */
function secondsLeft(server: TokenServer, { expires_at }: PolledRequest): number {
  return Math.max(0, expires_at - server.clock()) / 1000 + afterlife
}

function decisionKey(reference: PolledReference): Key {
  return keyOf(reference, 'decision')
}

function keyOf({ kind, grant, id }: PolledReference, what: 'decision' | 'used' | 'pace'): Key {
  return { kind: `${kind}_${what}`, id, grant }
}

function digestOf(code: string, client_id: string): string {
  return tokenDigest(`${code}\n${client_id}`)
}
