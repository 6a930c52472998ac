/**
 * The common part of `federated_jwt` and `spiffe_jwt`: a token of a platform as the client's assertion, beside which
 * the client need not be named.
 */
import type { Request } from 'express'
import { lookedUpClient } from '../assertions/workloads/clients-of-token.ts'
import { openWorkloads, type Workloads } from '../assertions/workloads/workloads.ts'
import { workloadsCheck, type WorkloadsOptions } from '../assertions/workloads/options.ts'
import type { UnverifiedJws } from '../assertions/compact-jws.ts'
import type { CheckDetail } from '../decisions/decision.ts'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import { issuerIdentifier, required, type Checks, type Read } from '../options.ts'
import { requestNote, type RequestNote } from '../request-note.ts'
import { actionsOf, judgeAttempt, runStrategy, strategyChecks, type StrategyOptions } from './attempt.ts'
import { MethodStrategy } from './method-strategy.ts'
import { assertionTypeOf, decodeOnce } from './presented-assertion.ts'
import { absent, type Identification } from './strategy.ts'

/** The options of the methods whose proof comes from another platform. */
export interface WorkloadStrategyOptions extends StrategyOptions {
  /** The issuer identifier: what `aud` of a token must be where a credential does not say something else. */
  readonly issuer: string
  /** Sources of the tokens taken. Hand the same object to every strategy of a server: it holds the cache of keys. */
  readonly workloads: WorkloadsOptions
}

export const workloadStrategyChecks = {
  ...strategyChecks,
  issuer: issuerIdentifier(),
  workloads: required(workloadsCheck)
} satisfies Checks<WorkloadStrategyOptions>

/** A strategy's options once they have been read: the common ones, and the platforms and domains they name. */
export interface OpenedOptions {
  readonly common: StrategyOptions
  readonly workloads: Workloads
}

/** By options that were read. */
export function openOptions({
  clients,
  onDecision,
  clock,
  issuer,
  workloads
}: Read<typeof workloadStrategyChecks>): OpenedOptions {
  return { common: { clients, onDecision, clock }, workloads: openWorkloads(workloads, { issuer, clock }) }
}

/** The common part; see the two classes built on it. */
export abstract class WorkloadJwtStrategy extends MethodStrategy {
  /** The mechanism: an assertion. */
  readonly mechanism: Mechanism = 'assertion'
  /** The platforms and domains whose tokens are taken. */
  protected readonly workloads: Workloads
  /** The clients a request's token could be for, which several ask for and one looks for. */
  private readonly matches: RequestNote<ClientRequest, readonly string[]>

  protected constructor({ common, workloads }: OpenedOptions) {
    super(common)
    this.workloads = workloads
    this.matches = requestNote<ClientRequest, readonly string[]>('clients of the token')
  }

  /** Whether a request that has an assertion of this type may carry this method. */
  protected abstract isCarried(type: string, jws: UnverifiedJws): boolean

  /** The clients a token could be for, whoever sent it. */
  protected abstract clientsOf(payload: Readonly<Record<string, unknown>>): readonly string[]

  /**
   * The client is the one the request names as `client_id`, or the only one whose credentials the token matches; that
   * of `clientOf` is found when it is judged.
   */
  identify(request: ClientRequest): Identification {
    const type = assertionTypeOf(request)
    if (typeof type !== 'string') return type
    const { client_id } = request.parameters
    const jws = decodeOnce(request)
    if (!this.isCarried(type, jws)) return absent
    if (client_id !== undefined) return { outcome: 'present', client_id }
    const [found, more] = this.matchesOf(request, jws)
    return { outcome: 'present', client_id: more === undefined ? (found ?? '') : '' }
  }

  /** As every strategy does, once a client is looked for that neither the request names nor the configured list has. */
  override authenticate(req: Request): void {
    const actions = actionsOf(this)
    runStrategy(actions, this, req, async (request, named) => {
      const client_id = named === '' ? await this.lookedUp(request) : named
      actions.success(await judgeAttempt(this, request, client_id, this.proof(request)))
    })
  }

  private async lookedUp(request: ClientRequest): Promise<string> {
    const jws = decodeOnce(request)
    if (jws.outcome === 'malformed' || request.parameters['client_id'] !== undefined) return ''
    return this.matchesOf(request, jws).length === 0 ? lookedUpClient(jws.payload, this.workloads) : ''
  }

  private matchesOf(request: ClientRequest, jws: UnverifiedJws): readonly string[] {
    if (jws.outcome === 'malformed') return []
    return this.matches.read(request) ?? this.matches.write(request, this.clientsOf(jws.payload))
  }

  /** Detail of the check `client` where there is no such client: for a name nobody has, nothing more than usual. */
  protected unknownClient(request: ClientRequest): { readonly unknown?: CheckDetail } {
    if (request.parameters['client_id'] !== undefined) return {}
    const found = this.matchesOf(request, decodeOnce(request))
    const isSeveral = found.length > 1
    return {
      unknown: {
        section: 'RFC 6749 §5.2',
        expected: 'exactly one client whose credentials match the token',
        received: isSeveral ? `${found.length} clients match: ${found.join(', ')}` : 'no client matches',
        fix: isSeveral
          ? 'Send client_id beside the token, or let each client’s credentials want what no other’s do.'
          : 'Send client_id beside the token to be told why it does not match, or add the credential to a configured client.'
      }
    }
  }
}
