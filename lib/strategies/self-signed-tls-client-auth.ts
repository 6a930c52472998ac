/** `self_signed_tls_client_auth`: a client certificate the client registered itself (RFC 8705 §2.2). */
import { methodOfCertificate, selfSignedChecks, verifySelfSigned } from '../certificates/client-certificate.ts'
import { clientKeys, type ClientKeys } from '../client-keys/client-keys.ts'
import { guardedFetch, type FetchJson } from '../outbound/guarded-fetch.ts'
import type { Client } from '../clients/client.ts'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import { fn, readOptions, type Checks } from '../options.ts'
import { clientKeysCheck, strategyChecks, type Proof, type StrategyOptions } from './attempt.ts'
import { MethodStrategy } from './method-strategy.ts'
import { namesItselfOnly, type Identification } from './strategy.ts'

export interface SelfSignedTlsClientAuthOptions extends StrategyOptions {
  /** Finds clients' keys. Hand the same one to every strategy of a server: it holds the cache. */
  readonly clientKeys?: ClientKeys | undefined
  /**
   * Fetches a client's `jwks_uri`, where `clientKeys` is not given. Default: https only, to public addresses, 5
   * seconds, 64 KiB.
   */
  readonly fetchJson?: FetchJson | undefined
}

export const selfSignedOptionChecks = {
  ...strategyChecks,
  clientKeys: clientKeysCheck,
  fetchJson: fn<FetchJson>()
} satisfies Checks<SelfSignedTlsClientAuthOptions>

/**
 * Authenticates a client by a certificate that stands, as `x5c` or as a key, in its `jwks` or `jwks_uri`. No chain is
 * validated: the TLS handshake proved that the client holds the key, and the registration says whose key it is. Needs a
 * listener with `requestCert: true` and `rejectUnauthorized: false`.
 *
 * @example
 * passport.use(new SelfSignedTlsClientAuthStrategy({ clients }))
 * app.post('/jobs', passport.authenticate('self_signed_tls_client_auth', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class SelfSignedTlsClientAuthStrategy extends MethodStrategy {
  readonly name: string = 'self_signed_tls_client_auth'
  readonly mechanism: Mechanism = 'client_id'
  /** True: a certificate proves it. */
  readonly certificate: boolean = true
  private readonly keys: ClientKeys

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: SelfSignedTlsClientAuthOptions) {
    const { clientKeys: keys, fetchJson, ...common } = readOptions(options, selfSignedOptionChecks)
    super(common)
    this.keys = keys ?? clientKeys({ fetchJson: fetchJson ?? guardedFetch(), clock: common.clock })
  }

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
      checks: selfSignedChecks,
      prove: (client, decision) => {
        const certificate = request.certificate()
        const note = request.certificateNote?.()
        return verifySelfSigned({ client, certificate, note, decision, clock, clientKeys: this.keys })
      }
    }
  }
}
