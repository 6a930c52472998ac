/**
 * The base of client authentication methods: everything about one but what a request of it looks like and how it proves
 * the client.
 */
import type { Request } from 'express'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import {
  actionsOf,
  judgeAttempt,
  runStrategy,
  strategyChecks,
  strategyContext,
  type Proof,
  type StrategyContext,
  type StrategyOptions
} from './attempt.ts'
import { readBy, readOptions, type Check } from '../options.ts'
import { PassportBase } from './passport-strategy.ts'
import type { ClientAuthenticationStrategy, Identification } from './strategy.ts'

/** An option that the class itself looks at. */
const unjudged: Check<unknown> = { ...readBy('anything', value => value), takesPromises: true }

/**
 * A client authentication method, built in or of the application's own. Whoever extends it says what a request of the
 * method looks like (`identify`) and how it proves the client (`proof`). Guaranteed of every client that a request is
 * then authenticated as: it is known, it may use this method now, and it is the one the request names as `client_id`,
 * where it names one. Every attempt, authenticated or refused, is told as one decision; every refusal is the same 401
 * `invalid_client`.
 *
 * Passport runs a strategy on `Object.create(strategy)`: no `#private` members.
 *
 * @example
 * class ApiKeyStrategy extends MethodStrategy {
 *   readonly name = 'x_api_key'
 *   readonly mechanism = 'api_key'
 *   identify({ headers, parameters: { client_id } }: ClientRequest): Identification {
 *     return headers['x-api-key'] === undefined || client_id === undefined ? { outcome: 'absent' } : { outcome: 'present', client_id }
 *   }
 *   protected proof({ headers }: ClientRequest): Proof {
 *     const prove: Proof['prove'] = async ({ client_id }, decision) => {
 *       if (!(await isKeyOf(client_id, headers['x-api-key']))) throw decision.refuse('api_key', { fix: 'Send the key that was issued to the client.' })
 *       decision.pass('api_key')
 *       return {}
 *     }
 *     return { checks: ['api_key'], prove }
 *   }
 * }
 */
export abstract class MethodStrategy extends PassportBase implements ClientAuthenticationStrategy {
  abstract override readonly name: string
  abstract readonly mechanism: Mechanism
  readonly needsOnlyClientRequest: boolean = true
  /** The options of the strategy, checked: its clients, its clock and who is told of decisions. */
  readonly context: StrategyContext

  /**
   * @param ownOptions the names of options beside those of {@link StrategyOptions}, which are for the class itself to
   * check.
   * @throws ConfigurationError naming the option that is wrong.
   */
  constructor(options: StrategyOptions, ownOptions: readonly string[] = []) {
    super()
    const own = Object.fromEntries(ownOptions.map(name => [name, unjudged]))
    this.context = strategyContext(readOptions(options, { ...own, ...strategyChecks }))
  }

  abstract identify(request: ClientRequest): Identification

  /**
   * Makes the proof of the client of a request that {@link identify} said is present. Called once a request, before its
   * client is looked up.
   */
  protected abstract proof(request: ClientRequest): Proof

  override authenticate(req: Request): void {
    const actions = actionsOf(this)
    runStrategy(actions, this, req, async (request, client_id) => {
      actions.success(await judgeAttempt(this, request, client_id, this.proof(request)))
    })
  }
}
