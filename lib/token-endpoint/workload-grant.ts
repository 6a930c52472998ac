/**
 * The JWT bearer grant without client authentication (RFC 7523 §2.1, the workload identity extension of MCP): a
 * platform's token is what proves the client, and all that names it.
 */
import { decodeUnverified } from '../assertions/compact-jws.ts'
import { clientsOfToken } from '../assertions/workloads/clients-of-token.ts'
import { consumeToken, federatedChecks, pretendFederatedJwt, verifyFederatedJwt } from '../assertions/workloads/federated-jwt.ts'
import { openWorkloads, type Workloads } from '../assertions/workloads/workloads.ts'
import type { ReadWorkloads } from '../assertions/workloads/options.ts'
import type { ClientRequest } from '../client-request.ts'
import type { Client, ClientRegistry } from '../clients/client.ts'
import { mayUseMethod } from '../clients/credentials.ts'
import { methodsThat } from '../clients/methods.ts'
import { DecisionBuilder } from '../decisions/builder.ts'
import { InvalidClientError, InvalidGrantError } from '../errors.ts'
import { requestedClient, tell } from '../strategies/attempt.ts'
import type { TokenIssuer } from '../token-issuers/token-issuer.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/** The parts of a token endpoint that the grant needs. */
export interface GrantParts {
  readonly clients: ClientRegistry
  readonly server: TokenServer
  readonly tokenIssuers: ReadonlyMap<string, TokenIssuer>
  readonly tokenEndpoints: readonly string[]
}

/** A client that its token proved. */
export interface WorkloadClient {
  readonly client: Client
  /** Uses the token up; rejects with {@link InvalidGrantError} where it was used before. */
  readonly useAssertion: () => Promise<void>
}

/**
 * Authenticates by the request's `assertion`; undefined where the request is none of this grant without authentication.
 */
export type WorkloadGrant = (request: ClientRequest) => Promise<WorkloadClient> | undefined

const [method = ''] = methodsThat(({ accepts }) => accepts.includes('federated'))

/** Undefined where no grant takes platforms' tokens, or there is no platform. */
export function workloadGrant(parts: GrantParts, read: ReadWorkloads | undefined): WorkloadGrant | undefined {
  const grant = [...parts.tokenIssuers.values()].find(({ workloads }) => workloads === true)
  if (grant === undefined || read === undefined || read.issuers.size === 0) return undefined
  const workloads = openWorkloads(read, parts.server)
  return request => {
    const { grant_type, assertion } = request.parameters
    if (grant_type !== grant.grant_type || assertion === undefined || authenticates(request)) return undefined
    return judge(assertion, request, { parts, workloads })
  }
}

function authenticates({ headers, parameters }: ClientRequest): boolean {
  const { client_id, client_secret, client_assertion, client_assertion_type } = parameters
  const carried = [headers.authorization, client_id, client_secret, client_assertion, client_assertion_type]
  return carried.some(value => value !== undefined)
}

interface Context {
  readonly parts: GrantParts
  readonly workloads: Workloads
}

async function judge(assertion: string, request: ClientRequest, context: Context): Promise<WorkloadClient> {
  const decision = new DecisionBuilder(request.endpoint, request.traceId)
  decision.mechanism = 'assertion'
  decision.method = method
  decision.announce(['client', ...federatedChecks])
  try {
    return await prove(assertion, request, decision, context)
  } catch (error) {
    throw asGrantError(error, request)
  }
}

async function prove(
  assertion: string,
  request: ClientRequest,
  decision: DecisionBuilder,
  { parts, workloads }: Context
): Promise<WorkloadClient> {
  const { clients, server, tokenEndpoints } = parts
  const jws = decodeUnverified(assertion)
  const audiences = [server.issuer, ...tokenEndpoints]
  const input = { assertion, jws, workloads, decision, audiences }
  const found = jws.outcome === 'read' ? clientsOfToken({ clients, method }, jws.payload, { workloads, audiences }) : []
  const [client_id = '', more] = found
  const client = more === undefined ? await requestedClient(clients, request, client_id) : undefined
  if (client === undefined || !mayUseMethod(client, method, server.clock() / 1000)) {
    decision.fail('client', {
      section: 'RFC 7523 §2.1',
      expected: 'exactly one client whose credentials match the token',
      received: more === undefined ? 'no client matches' : `${found.length} clients match: ${found.join(', ')}`,
      fix: 'Let the credentials of exactly one configured client match the token.'
    })
    await pretendFederatedJwt(input)
    throw decision.refuse('client')
  }
  decision.client_id = client.client_id
  decision.pass('client')
  const proven = await verifyFederatedJwt(client, input)
  const { credential } = proven.credential
  request.authentication = { method, credential }
  clients.used?.(client, method, [credential])
  const useAssertion = async (): Promise<void> => {
    try {
      await consumeToken(proven, { server, store: server.store, decision })
    } catch (error) {
      throw asGrantError(error, request)
    }
    tell({ onDecision: undefined }, request, () => decision.finish('authenticated'), decision.hasReports)
  }
  return { client, useAssertion }
}

/** One answer for every token that is not good, whatever is wrong with it. */
function asGrantError(error: unknown, request: ClientRequest): unknown {
  if (!(error instanceof InvalidClientError)) return error
  const { decision, reason } = error
  const refused = new InvalidGrantError('this assertion is not valid', { ...(reason !== undefined && { reason }) })
  refused.decision = decision
  tell({ onDecision: undefined }, request, () => decision)
  return refused
}
