/** Telling of attempts: each is a decision, whatever comes of it. */
import { DecisionBuilder } from '../decisions/builder.ts'
import type { Decision } from '../decisions/decision.ts'
import type { OAuthError } from '../errors.ts'
import type { ClientRequest } from '../client-request.ts'
import type { ClientAuthenticationStrategy } from './strategy.ts'

interface DecisionListener {
  readonly onDecision: ((decision: Decision) => void) | undefined
}

/** The record of an attempt that a strategy judges. */
export function decisionAbout(
  { name, mechanism }: Pick<ClientAuthenticationStrategy, 'name' | 'mechanism'>,
  request: ClientRequest,
  client_id: string | undefined
): DecisionBuilder {
  const decision = new DecisionBuilder(request.endpoint, request.traceId)
  // whoever names nobody is told of without a name
  decision.client_id = client_id === '' ? undefined : client_id
  decision.mechanism = mechanism
  decision.method = name
  return decision
}

/**
 * Tells whoever listens; both listeners are {@link harmless}.
 *
 * @param reports whether the decision reports something.
 */
export function tell(
  context: DecisionListener,
  request: ClientRequest,
  decide: () => Decision | undefined,
  reports = false
): void {
  const watch = request.watch?.every === true || reports ? request.watch : undefined
  if (context.onDecision === undefined && request.onDecision === undefined && watch === undefined) return
  const decision = decide()
  if (decision === undefined) return
  watch?.tell(decision)
  if (request.trial !== undefined) return
  context.onDecision?.(decision)
  if (request.onDecision !== context.onDecision) request.onDecision?.(decision)
}

/** A request that carries a method unreadably is an attempt too. Returns the error to throw. */
export function tellMalformed(
  context: DecisionListener,
  request: ClientRequest,
  strategy: Pick<ClientAuthenticationStrategy, 'name' | 'mechanism'>,
  error: OAuthError
): OAuthError {
  const decision = (error.decision ??= malformedDecision(request, strategy, error))
  tell(context, request, () => decision)
  return error
}

function malformedDecision(
  request: ClientRequest,
  strategy: Pick<ClientAuthenticationStrategy, 'name' | 'mechanism'>,
  error: OAuthError
): Decision | undefined {
  const decision = decisionAbout(strategy, request, request.parameters['client_id'])
  return decision.refuse('request', { section: 'RFC 6749 §2.3', fix: error.reason ?? error.message }).decision
}
