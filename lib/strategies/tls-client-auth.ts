/** `tls_client_auth`: a client certificate from a trusted CA, by the subject the client registered (RFC 8705 §2.1). */
import type { Request } from 'express'
import { Strategy as PassportStrategy } from 'passport'
import { methodOfCertificate, tlsClientAuthChecks, verifyTlsClientAuth } from '../assertions/certificate.ts'
import type { Client } from '../client.ts'
import type { ClientRequest, Mechanism } from '../request.ts'
import {
  actionsOf,
  judgeAttempt,
  runStrategy,
  strategyContext,
  type Proof,
  type StrategyContext,
  type StrategyOptions
} from './attempt.ts'
import { namesItselfOnly, type ClientAuthenticationStrategy, type Identification } from './strategy.ts'

/**
 * Authenticates a client by its certificate: the chain was verified by the TLS layer, and the subject is the one member the
 * client registered (`tls_client_auth_subject_dn`, `…_san_dns`, `…_san_uri`, `…_san_ip` or `…_san_email`). Needs a listener with
 * `requestCert: true`, `rejectUnauthorized: false` and `ca`: the CAs whose certificates count. Keep them few (RFC 8705 §7.4).
 *
 * @example
 * passport.use(new TlsClientAuthStrategy({ clients }))
 * app.post('/jobs', passport.authenticate('tls_client_auth', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class TlsClientAuthStrategy extends PassportStrategy implements ClientAuthenticationStrategy {
  override readonly name: string = 'tls_client_auth'
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

  suits(request: ClientRequest, client: Client): boolean {
    return methodOfCertificate(client, request.certificate()) === this.name
  }

  override authenticate(req: Request): void {
    const actions = actionsOf(this)
    runStrategy(actions, this, req, async (request, client_id) => {
      actions.success(await judgeAttempt(this, this.context, request, client_id, this.proof(request)))
    })
  }

  private proof(request: ClientRequest): Proof {
    const { clock } = this.context
    return {
      checks: tlsClientAuthChecks,
      prove: (client, decision) => {
        const certificate = request.certificate()
        return verifyTlsClientAuth({ client, certificate, note: request.certificateNote?.(), decision, clock })
      }
    }
  }
}
