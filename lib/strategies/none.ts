/** `none`: a public client names itself and proves nothing (RFC 6749 §2.1). What protects it is PKCE, at the grant. */
import type { Request } from 'express'
import { Strategy as PassportStrategy } from 'passport'
import type { ClientRequest, Mechanism } from '../request.ts'
import { actionsOf, judgeAttempt, runStrategy, strategyContext, type StrategyContext, type StrategyOptions } from './attempt.ts'
import { namesItselfOnly, type ClientAuthenticationStrategy, type Identification } from './strategy.ts'

/**
 * Identifies a public client by `client_id` alone. Refuses every confidential client: naming one proves nothing.
 *
 * @example
 * passport.use(new NoneStrategy({ clients }))
 * app.post('/device', passport.authenticate('none', { session: false, assignProperty: 'authenticatedClient' }), start)
 */
export class NoneStrategy extends PassportStrategy implements ClientAuthenticationStrategy {
  override readonly name: string = 'none'
  readonly mechanism: Mechanism = 'client_id'
  readonly needsOnlyClientRequest: boolean = true
  readonly context: StrategyContext

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: StrategyOptions) {
    super()
    this.context = strategyContext(options)
  }

  identify(request: ClientRequest): Identification {
    return namesItselfOnly(request)
  }

  override authenticate(req: Request): void {
    const actions = actionsOf(this)
    runStrategy(actions, this, req, async (request, client_id) => {
      const proof = { checks: [], prove: () => ({}) }
      actions.success(await judgeAttempt(this, this.context, request, client_id, proof))
    })
  }
}
