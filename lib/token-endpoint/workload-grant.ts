/**
 * The JWT bearer grant without client authentication (RFC 7523 §2.1, the workload identity extension of MCP): a
 * platform's token is what proves the client, and all that names it.
 */
import { decodeUnverified } from '../assertions/compact-jws.ts'
import { clientsOfToken, lookedUpClient } from '../assertions/workloads/clients-of-token.ts'
import { consumeToken, federatedChecks, pretendFederatedJwt, verifyFederatedJwt } from '../assertions/workloads/federated-jwt.ts'
import { openWorkloads, type Workloads } from '../assertions/workloads/workloads.ts'
import type { ReadWorkloads } from '../assertions/workloads/options.ts'
import type { ClientRequest } from '../client-request.ts'
import type { Client, ClientRegistry } from '../clients/client.ts'
import { mayUseMethod } from '../clients/credentials.ts'
import { methodsThat } from '../clients/methods.ts'
import type { CheckDetail } from '../decisions/decision.ts'
import { DecisionBuilder } from '../decisions/builder.ts'
import { InvalidClientError, InvalidGrantError, OAuthError } from '../errors.ts'
import { requestedClient } from '../strategies/attempt.ts'
import { tell } from '../strategies/telling.ts'
import { failBeforeProof } from '../strategies/refusals.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import type { TokenIssuer } from '../token-issuers/token-issuer.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/** The parts of a token endpoint that the grant needs. */
interface GrantParts {
  readonly clients: ClientRegistry
  readonly server: TokenServer
  readonly strategies: readonly ClientAuthenticationStrategy[]
  readonly tokenIssuers: ReadonlyMap<string, TokenIssuer>
  readonly tokenEndpoints: readonly string[]
}

/** A client that its token proved. */
export interface WorkloadClient {
  readonly client: Client
  /** Uses the token up; rejects with {@link InvalidGrantError} where it was used before. */
  readonly useAssertion: () => Promise<void>
  /** Ends the authentication where something else was refused before the token was used: the client was who it is. */
  readonly unused: () => void
}

/** Told once how the authentication ended, when its decision has been told. */
type AuthenticationEnd = (error: unknown, client: Client | undefined) => void

/** Judges the token of a request; rejects with {@link InvalidGrantError} for whatever is wrong with it. */
export type JudgeGrant = (end: AuthenticationEnd) => Promise<WorkloadClient>

/** Recognizes the requests of this grant without authentication; undefined for any other. */
export type WorkloadGrant = (request: ClientRequest) => JudgeGrant | undefined

/** The method whose credentials the tokens are held against. */
export const [grantMethod = ''] = methodsThat(({ accepts }) => accepts.includes('federated'))

/** Undefined where no grant takes platforms' tokens, or there is no platform. */
export function workloadGrant(parts: GrantParts, read: ReadWorkloads | undefined): WorkloadGrant | undefined {
  const grant = [...parts.tokenIssuers.values()].find(({ workloads }) => workloads === true)
  if (grant === undefined || read === undefined || read.issuers.size === 0) return undefined
  const workloads = openWorkloads(read, parts.server)
  return request => {
    const { grant_type, assertion } = request.parameters
    if (grant_type !== grant.grant_type || assertion === undefined || authenticates(request, parts)) return undefined
    return end => judge(assertion, request, { parts, workloads, end })
  }
}

/** Whether a request says otherwise who calls. What may come beside any method does not by itself. */
function authenticates(request: ClientRequest, { strategies }: GrantParts): boolean {
  const { headers, parameters } = request
  const { client_id, client_secret, client_assertion, client_assertion_type } = parameters
  const carried = [headers.authorization, client_id, client_secret, client_assertion, client_assertion_type]
  if (carried.some(value => value !== undefined)) return true
  return strategies.some(strategy => strategy.supplementary !== true && strategy.identify(request).outcome !== 'absent')
}

interface Context {
  readonly parts: GrantParts
  readonly workloads: Workloads
  readonly end: AuthenticationEnd
}

async function judge(assertion: string, request: ClientRequest, context: Context): Promise<WorkloadClient> {
  const decision = new DecisionBuilder(request.endpoint, request.traceId)
  decision.mechanism = 'assertion'
  decision.method = grantMethod
  decision.announce(['client', 'registered_method', ...federatedChecks, ...(request.further?.checks(request) ?? [])])
  try {
    return await prove(assertion, request, decision, context)
  } catch (error) {
    const told = asGrantError(error, request)
    context.end(told, undefined)
    throw told
  }
}

async function prove(
  assertion: string,
  request: ClientRequest,
  decision: DecisionBuilder,
  { parts, workloads, end }: Context
): Promise<WorkloadClient> {
  const { clients, server, tokenEndpoints } = parts
  const jws = decodeUnverified(assertion)
  const audiences = [server.issuer, ...tokenEndpoints]
  const input = { assertion, jws, workloads, decision, audiences }
  const found =
    jws.outcome === 'read' ? clientsOfToken({ clients, method: grantMethod }, jws.payload, { workloads, audiences }) : []
  const [listed, more] = found
  const client_id = listed ?? (jws.outcome === 'read' ? await lookedUpClient(jws.payload, workloads) : '')
  const client = more === undefined ? await requestedClient(clients, request, client_id) : undefined
  decision.client_id = client?.client_id
  const now = server.clock() / 1000
  if (client === undefined || !mayUseMethod(client, grantMethod, now)) {
    failBeforeProof(decision, { name: grantMethod }, request, client, { now, unknown: noneOrSeveral(found) })
    await pretendFederatedJwt(input)
    throw decision.refuse('client')
  }
  decision.pass('client')
  decision.pass('registered_method')
  const proven = await verifyFederatedJwt(client, input)
  await request.further?.prove(request, client, decision)
  const { credential } = proven.credential
  request.authentication = { method: grantMethod, credential }
  const ended = once(error => {
    if (error === undefined) {
      tell({ onDecision: undefined }, request, () => decision.finish('authenticated'), decision.hasReports)
      clients.used?.(client, grantMethod, [credential])
    }
    end(error, error === undefined ? client : undefined)
  })
  const use = async (): Promise<void> => {
    try {
      await consumeToken(proven, { server, store: server.store, decision })
    } catch (error) {
      const told = asGrantError(error, request)
      ended(told)
      throw told
    }
    ended(undefined)
  }
  const unused = (): void => ended(undefined)
  if (proven.platform.rule.replay === 'once') return { client, useAssertion: use, unused }
  // nothing is used up: the authentication is over before anything is asked for in its name
  await use()
  return { client, useAssertion: () => Promise.resolve(), unused }
}

function noneOrSeveral(found: readonly string[]): CheckDetail {
  return {
    section: 'RFC 7523 §2.1',
    expected: 'exactly one client whose credentials match the token',
    received: found.length > 1 ? `${found.length} clients match: ${found.join(', ')}` : 'no client matches',
    fix: 'Let the credentials of exactly one configured client match the token, or find looked-up ones with clientOf.'
  }
}

/** The function, which does nothing from the second time on. */
function once(work: (error: unknown) => void): (error: unknown) => void {
  let isDone = false
  return error => {
    if (isDone) return
    isDone = true
    work(error)
  }
}

/** One answer for every token that is not good, whatever is wrong with it; what else went wrong stays what it is. */
function asGrantError(error: unknown, request: ClientRequest): unknown {
  if (!(error instanceof OAuthError)) return error
  const { decision, reason } = error
  tell({ onDecision: undefined }, request, () => decision)
  if (!(error instanceof InvalidClientError)) return error
  const refused = new InvalidGrantError('this assertion is not valid', { ...(reason !== undefined && { reason }) })
  refused.decision = decision
  return refused
}
