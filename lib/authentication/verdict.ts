/**
 * Holds the word of a strategy that does not judge as the built-in ones do against what is registered: that word alone
 * lets nobody in.
 */
import type { Client, ClientRegistry } from '../clients/client.ts'
import { mayUseMethod } from '../clients/credentials.ts'
import type { DecisionBuilder } from '../decisions/builder.ts'
import { InvalidClientError, ServerError } from '../errors.ts'
import type { ClientRequest } from '../client-request.ts'
import { checkProven, requestedClient } from '../strategies/attempt.ts'
import { decisionAbout, tell } from '../strategies/telling.ts'
import { failBeforeProof, refuseUntold, withChallenge } from '../strategies/refusals.ts'
import type { Selected } from './selection.ts'

/** The end of a strategy: the client it named, or its refusal. */
type Verdict = Client | InvalidClientError

/**
 * Fails closed: a strategy that calls `pass()`, or `error()` with nothing, has authenticated nobody; Express goes on at
 * `next('route')` and the like.
 */
export function verdictOf(strategy: Selected['strategy'], error: unknown, client: Client | undefined): Verdict | Error {
  if (error instanceof Error) return error
  const reason = `the strategy ${strategy.name} named no client`
  if (error === undefined || error === null) return client ?? new InvalidClientError({ reason })
  return new ServerError({ reason: `the strategy ${strategy.name} ended in something that is no error`, cause: error })
}

/** Tells what is held against the registration; any other error is a fault, and goes on as it is. */
export function isVerdict(ended: Verdict | Error): ended is Verdict {
  return ended instanceof InvalidClientError || !(ended instanceof Error)
}

/**
 * The client as it is registered, where it is the one the request names and may use this method now; otherwise, and
 * where the strategy refused, the refusal. Either way the attempt is told as a decision.
 *
 * @param clock milliseconds since the epoch.
 * @throws TemporarilyUnavailableError when the clients cannot be looked up.
 */
export async function judgeVerdict(
  verdict: Verdict,
  selected: Selected,
  request: ClientRequest,
  { clients, clock }: { readonly clients: ClientRegistry; readonly clock: () => number }
): Promise<Verdict> {
  const { strategy, client_id } = selected
  const client = await requestedClient(clients, request, client_id)
  const decision = decisionAbout(strategy, request, client_id)
  decision.announce(['client', 'registered_method', strategy.name])
  try {
    const now = clock() / 1000
    if (client === undefined || !mayUseMethod(client, strategy.name, now)) {
      failBeforeProof(decision, strategy, request, client, { now, why: clients.whyUnknown?.(client_id) })
      throw decision.refuse('client')
    }
    decision.pass('client')
    decision.pass('registered_method')
    checkVerdict(verdict, selected, decision)
    checkProven(decision, request, client_id)
  } catch (refusal) {
    if (!(refusal instanceof InvalidClientError)) throw refusal
    return refused(verdict instanceof InvalidClientError ? verdict : withChallenge(refusal, strategy.challenge), refusal, request)
  }
  request.authentication = { method: strategy.name }
  tell(silent, request, () => decision.finish('authenticated'))
  if (request.trial === undefined) clients.used?.(client, strategy.name, [])
  return client
}

/**
 * The strategy's own check is one, and has the name of its method. @throws InvalidClientError where it refused, or
 * named another client.
 */
function checkVerdict(verdict: Verdict, { strategy: { name }, client_id }: Selected, decision: DecisionBuilder): void {
  if (verdict instanceof InvalidClientError) throw refuseUntold(decision, name, verdict)
  decision.pass(name)
  const named: unknown = verdict.client_id
  if (named === client_id) return
  throw decision.refuse('one_client_id', {
    section: 'RFC 6749 §2.3',
    expected: client_id,
    received: typeof named === 'string' ? named : 'no client_id',
    fix: `Let the strategy ${name} succeed with the client that its identify() named.`
  })
}

/** Whoever made the strategy may have kept a record of its own: then that is the one. */
function refused(error: InvalidClientError, { decision }: InvalidClientError, request: ClientRequest): InvalidClientError {
  const told = (error.decision ??= decision)
  tell(silent, request, () => told)
  return error
}

const silent = { onDecision: undefined }
