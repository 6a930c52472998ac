/** `none`: a public client names itself and proves nothing (RFC 6749 §2.1). What protects it is PKCE, at the grant. */
import type { ClientRequest, Mechanism } from '../client-request.ts'
import type { Proof } from './attempt.ts'
import { MethodStrategy } from './method-strategy.ts'
import { namesItselfOnly, type Identification } from './strategy.ts'

/**
 * Identifies a public client by `client_id` alone. Refuses every confidential client: naming one proves nothing.
 *
 * @example
 * passport.use(new NoneStrategy({ clients }))
 * app.post('/device', passport.authenticate('none', { session: false, assignProperty: 'authenticatedClient' }), start)
 */
export class NoneStrategy extends MethodStrategy {
  readonly name: string = 'none'
  readonly mechanism: Mechanism = 'client_id'
  /** True: it proves nothing. */
  readonly public: boolean = true

  identify(request: ClientRequest): Identification {
    return namesItselfOnly(request)
  }

  protected proof(): Proof {
    return nothing
  }
}

const nothing: Proof = { checks: [], prove: () => ({}) }
