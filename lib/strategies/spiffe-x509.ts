/**
 * `spiffe_x509`: the X.509-SVID of the workload the client is, over mutual TLS (draft-ietf-oauth-spiffe-client-auth
 * §3.2).
 */
import { looksLikeSvid, spiffeX509Checks, verifySpiffeX509 } from '../assertions/workloads/spiffe-x509.ts'
import type { Workloads } from '../assertions/workloads/workloads.ts'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import { readOptions } from '../options.ts'
import type { Proof } from './attempt.ts'
import { MethodStrategy } from './method-strategy.ts'
import { namesItselfOnly, type Identification } from './strategy.ts'
import { openOptions, workloadStrategyChecks, type WorkloadStrategyOptions } from './workload-strategy.ts'

/**
 * Authenticates a client, which names itself by `client_id`, by its certificate: an X.509-SVID whose one URI name is
 * the client's `spiffe_id` or below it, and whose path leads to the bundle of its trust domain. The authorities of the
 * TLS listener, or of a proxy, have no say in it. Needs a listener with `requestCert: true` and `rejectUnauthorized:
 * false`, or a proxy that passes the certificate on with its intermediates.
 *
 * @example
 * const workloads = { trustDomains: [{ trustDomain: 'prod.example', bundleEndpoint: 'https://spire.prod.example/bundle' }] }
 * passport.use(new SpiffeX509Strategy({ clients, issuer: 'https://as.example.com', workloads }))
 * app.post('/jobs', passport.authenticate('spiffe_x509', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class SpiffeX509Strategy extends MethodStrategy {
  readonly name: string = 'spiffe_x509'
  readonly mechanism: Mechanism = 'client_id'
  /** True: a certificate proves it. */
  readonly certificate: boolean = true
  private readonly workloads: Workloads

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: WorkloadStrategyOptions) {
    const { common, workloads } = openOptions(readOptions(options, workloadStrategyChecks))
    super(common)
    this.workloads = workloads
  }

  identify(request: ClientRequest): Identification {
    return namesItselfOnly(request)
  }

  /** Tells it from the other methods a bare `client_id` may mean, by the certificate. */
  suits(request: ClientRequest): boolean {
    return looksLikeSvid(request.certificate(), this.workloads)
  }

  protected proof(request: ClientRequest): Proof {
    return {
      checks: spiffeX509Checks,
      prove: async (client, decision) => {
        const certificate = request.certificate()
        const note = request.certificateNote?.()
        const { credential, used } = await verifySpiffeX509({ client, certificate, note, decision, workloads: this.workloads })
        return { credential, used: used.credential }
      }
    }
  }
}
