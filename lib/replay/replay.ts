/**
 * Authentications that were kept, judged again by a configuration that is to come: the clients that would break are
 * named before it is deployed anywhere.
 *
 * @module clientele/replay
 */
import type { JudgedAuthentication } from '../authentication/judged.ts'
import { deciding, effectOf, type ShadowEffect } from '../authentication/shadow/difference.ts'
import type { ClientRequest } from '../client-request.ts'
import type { Decision } from '../decisions/decision.ts'
import { DecisionBuilder } from '../decisions/builder.ts'
import { InvalidClientError } from '../errors.ts'
import { judgeAttempt, type Proof } from '../strategies/attempt.ts'
import { replayCandidate, type ReplayCandidate, type ReplayedOptions } from './candidate.ts'
import type { ReplayedClient, ReplayReport } from './report.ts'
import { proofOf } from './proofs.ts'
import { readJudged } from './records.ts'

export type { ReplayedOptions } from './candidate.ts'
export { keptAuthentications, type KeptAuthentications, type KeptAuthenticationsOptions } from './kept.ts'
export { formatReplay, replayFormats, type ReplayedClient, type ReplayFormat, type ReplayReport } from './report.ts'

/**
 * Judges kept authentications again, in the order they come, by the options of a server that is to be. Each is judged
 * as of its own time. Whatever a record holds is a record or is counted as unreadable.
 *
 * What cannot be told from what was kept is as it was: what a `jwks_uri` answers, the word of platforms and attesters,
 * and whether a secret of the same id is still the same.
 *
 * @param kept what `onJudged` was told, or JSON of it.
 * @throws {@link ConfigurationError} (rejects) naming the option that is wrong; whatever the source of the clients
 * rejects with.
 *
 * @example
 * const report = await replayAuthentications(kept, { ...options, assertionAudience: 'issuer' })
 * for (const { client_id, check, effect } of report.clients) console.log(`${client_id}: ${effect} (${check})`)
 */
export async function replayAuthentications(
  kept: Iterable<unknown> | AsyncIterable<unknown>,
  options: ReplayedOptions
): Promise<ReplayReport> {
  const candidate = replayCandidate(options)
  const clients = new Map<string, ReplayedClient>()
  let [judged, not_judged, unreadable] = [0, 0, 0]
  for await (const value of kept) {
    const record = readJudged(value)
    if (record === undefined) {
      unreadable++
      continue
    }
    const again = await judgeAgain(record, candidate)
    if (again === undefined) not_judged++
    else {
      judged++
      count(clients, record, again)
    }
  }
  return { clients: [...clients.values()].sort(byWeight), judged, not_judged, unreadable }
}

/** Undefined where what was kept does not say enough. */
async function judgeAgain(record: JudgedAuthentication, candidate: ReplayCandidate): Promise<Decision | undefined> {
  const { client_id, method } = record
  if (client_id === undefined || method === undefined) return undefined
  candidate.clock.now = record.at
  const known = await candidate.clients.find(client_id)
  // it may have registered itself, or have a document: neither is configured
  if (known === undefined && candidate.hasOthers) return undefined
  const strategy = candidate.methods.get(method)
  if (strategy === undefined) return refuseMethod(record, method)
  const proof = proofOf(record, method, candidate)
  if (proof === undefined && known?.token_endpoint_auth_method === method) return undefined
  return judge(record, candidate, strategy, proof ?? unknown)
}

const unknown: Proof = { checks: [], prove: () => ({}) }

async function judge(
  record: JudgedAuthentication,
  { clients, clock }: ReplayCandidate,
  strategy: { readonly name: string; readonly mechanism: string },
  proof: Proof
): Promise<Decision | undefined> {
  const { client_id = '', endpoint, trace_id } = record
  let decision: Decision | undefined
  const request: ClientRequest = {
    ...{ endpoint, headers: {}, parameters: {}, certificate: () => undefined, traceId: () => trace_id },
    watch: { every: true, tell: told => void (decision = told) },
    trial: { view: store => store }
  }
  const context = { clients, onDecision: undefined, clock: () => clock.now }
  try {
    await judgeAttempt({ ...strategy, context }, request, client_id, proof)
  } catch (error) {
    if (!(error instanceof InvalidClientError)) throw error
  }
  return decision
}

function refuseMethod({ endpoint, trace_id, client_id, mechanism }: JudgedAuthentication, method: string): Decision {
  const decision = new DecisionBuilder(endpoint, () => trace_id)
  decision.client_id = client_id
  decision.mechanism = mechanism
  decision.method = method
  const fix = 'Let the client use one of the methods that the candidate accepts.'
  decision.fail('supported_method', { section: 'RFC 6749 §3.2.1', received: method, fix })
  return decision.finish('refused')
}

function count(clients: Map<string, ReplayedClient>, live: JudgedAuthentication, candidate: Decision): void {
  const effect = effectOf(live, candidate)
  if (effect === undefined) return
  const { check, expected, received, fix } = deciding(effect === 'would_be_let_in' ? live : candidate) ?? {}
  const { client_id, method, at, trace_id } = live
  const name = JSON.stringify([client_id, effect, check])
  const before = clients.get(name)
  const isLast = before === undefined || at >= before.last_seen
  const seen = { method, last_seen: at, trace_id, expected, received, fix }
  clients.set(name, { client_id, effect, check, ...(isLast ? seen : before), count: (before?.count ?? 0) + 1 })
}

const weights: readonly ShadowEffect[] = ['would_break', 'would_be_let_in', 'other_report', 'other_reason']

function byWeight(one: ReplayedClient, other: ReplayedClient): number {
  return weights.indexOf(one.effect) - weights.indexOf(other.effect) || other.count - one.count
}
