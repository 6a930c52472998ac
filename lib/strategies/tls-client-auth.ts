/** `tls_client_auth`: a client certificate from a trusted CA, by the subject the client registered (RFC 8705 §2.1). */
import { methodOfCertificate, tlsClientAuthChecks, verifyTlsClientAuth } from '../certificates/client-certificate.ts'
import type { Client } from '../clients/client.ts'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import type { Proof } from './attempt.ts'
import { MethodStrategy } from './method-strategy.ts'
import { namesItselfOnly, type Identification } from './strategy.ts'

/**
 * Authenticates a client by its certificate: the chain was verified by the TLS layer, and the subject is the one member
 * the client registered (`tls_client_auth_subject_dn`, `…_san_dns`, `…_san_uri`, `…_san_ip` or `…_san_email`). Needs a
 * listener with `requestCert: true`, `rejectUnauthorized: false` and `ca`: the CAs whose certificates count. Keep them
 * few (RFC 8705 §7.4).
 *
 * @example
 * passport.use(new TlsClientAuthStrategy({ clients }))
 * app.post('/jobs', passport.authenticate('tls_client_auth', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class TlsClientAuthStrategy extends MethodStrategy {
  readonly name: string = 'tls_client_auth'
  readonly mechanism: Mechanism = 'client_id'
  /** True: a certificate proves it. */
  readonly certificate: boolean = true

  identify(request: ClientRequest): Identification {
    return namesItselfOnly(request)
  }

  /** Tells it from the other methods a bare `client_id` may mean, by the client and its certificate. */
  suits(request: ClientRequest, client: Client): boolean {
    return methodOfCertificate(client, request.certificate()) === this.name
  }

  protected proof(request: ClientRequest): Proof {
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
