/** Places among those whose secrets are judged: reserved before, and settled after. */
import type { NextFunction, Request } from 'express'
import type { ClientRequest } from '../client-request.ts'
import type { Guess } from '../credentials/guesses/guess-places.ts'
import type { GuessProtection } from '../credentials/guesses/guess-protection.ts'
import { TooManyAttemptsError, type InvalidClientError, type OAuthError } from '../errors.ts'
import { networkOf } from '../http/network.ts'
import { refuseWith, unjudged } from './refusals.ts'
import type { Selected } from './selection.ts'

/**
 * A place among those whose secrets are judged. @throws TooManyAttemptsError, TemporarilyUnavailableError, or rejects
 * with them
 */
export function reserveGuess(
  guesses: GuessProtection | undefined,
  req: Request,
  request: ClientRequest,
  selected: Selected
): Guess | undefined | Promise<Guess> {
  if (guesses === undefined) return undefined
  const network = networkOf(req)
  const refuse = (error: unknown): never => {
    throw refusedUnjudged(error, request, selected, network)
  }
  try {
    const guess = guesses.reserve(selected.client_id, network)
    return guess instanceof Promise ? guess.catch(refuse) : guess
  } catch (error) {
    return refuse(error)
  }
}

/** Counts what was refused as a wrong guess, and answers. */
export function settleGuess(guess: Guess, refusal: InvalidClientError, next: NextFunction): void {
  const answer = (more: OAuthError | undefined): void => {
    if (more !== undefined) more.decision = refusal.decision
    next(more ?? refusal)
  }
  guess.wrong().then(answer, next)
}

/**
 * Gives a refusal before the secret is looked at, for too many attempts, a decision like any other; other errors stay.
 */
function refusedUnjudged(error: unknown, request: ClientRequest, { strategy, client_id }: Selected, network: string): unknown {
  if (!(error instanceof TooManyAttemptsError)) return error
  const decision = unjudged(request, strategy.mechanism)
  decision.client_id = client_id
  decision.method = strategy.name
  const fix = 'Correct the secret this client is configured with, then wait; or raise guessProtection.attempts.'
  const detail = { section: 'OAuth 2.1 §2.4.1', received: network, fix }
  return refuseWith(error, request, decision.refuse('failure_budget', detail))
}
