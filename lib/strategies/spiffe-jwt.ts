/** `spiffe_jwt`: a JWT-SVID of the workload the client is (draft-ietf-oauth-spiffe-client-auth §3.1). */
import type { UnverifiedJws } from '../assertions/compact-jws.ts'
import { jwtBearerAssertionType } from '../assertions/client-assertion.ts'
import { clientsOfSvid } from '../assertions/workloads/clients-of-token.ts'
import {
  jwtSpiffeAssertionType,
  pretendSpiffeJwt,
  spiffeJwtChecks,
  svidAlgorithms,
  verifySpiffeJwt
} from '../assertions/workloads/spiffe-jwt.ts'
import { parseSpiffeId } from '../clients/spiffe-id.ts'
import type { ClientRequest } from '../client-request.ts'
import { readOptions } from '../options.ts'
import type { Proof } from './attempt.ts'
import { decodeOnce, isForeign } from './presented-assertion.ts'
import { openOptions, workloadStrategyChecks, WorkloadJwtStrategy, type WorkloadStrategyOptions } from './workload-strategy.ts'

/**
 * Authenticates a client by a JWT-SVID, sent as `client_assertion` of type
 * `urn:ietf:params:oauth:client-assertion-type:jwt-spiffe`: signed with a key of the trust domain in its `sub`, which
 * is the client's `spiffe_id` or below it. A request without `client_id` is of the one client, among those configured
 * as a list, that is so; of nobody where there are two.
 *
 * @example
 * const workloads = { trustDomains: [{ trustDomain: 'prod.example', bundleEndpoint: 'https://spire.prod.example/bundle' }] }
 * passport.use(new SpiffeJwtStrategy({ clients, issuer: 'https://as.example.com', workloads }))
 * app.post('/jobs', passport.authenticate('spiffe_jwt', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class SpiffeJwtStrategy extends WorkloadJwtStrategy {
  /** The method, a `token_endpoint_auth_method` value. */
  readonly name: string = 'spiffe_jwt'
  /** The algorithms of JWT-SVIDs. */
  readonly signingAlgorithms: readonly string[] = svidAlgorithms

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: WorkloadStrategyOptions) {
    super(openOptions(readOptions(options, workloadStrategyChecks)))
  }

  /**
   * A JWT-SVID under the type of other assertions is looked at too, so that whoever operates the server is told of the
   * type.
   */
  protected isCarried(type: string, jws: UnverifiedJws): boolean {
    return type === jwtSpiffeAssertionType || (type === jwtBearerAssertionType && isSvid(jws))
  }

  /** Tells it from the methods whose assertions have another type. */
  suits(request: ClientRequest): boolean {
    return request.parameters['client_assertion_type'] === jwtSpiffeAssertionType || isSvid(decodeOnce(request))
  }

  protected clientsOf(payload: Readonly<Record<string, unknown>>): readonly string[] {
    return clientsOfSvid({ clients: this.context.clients, method: this.name }, payload, this.workloads)
  }

  protected proof(request: ClientRequest): Proof {
    const { client_assertion: assertion = '', client_assertion_type: assertionType = '' } = request.parameters
    const presented = { assertion, assertionType, jws: decodeOnce(request), workloads: this.workloads }
    return {
      checks: spiffeJwtChecks,
      prove: async (client, decision) => {
        const { credential } = await verifySpiffeJwt(client, { decision, ...presented })
        return { credential }
      },
      pretend: decision => pretendSpiffeJwt({ decision, ...presented }),
      ...this.unknownClient(request)
    }
  }
}

/** A token whose subject is a SPIFFE ID, and which its subject did not sign for itself. */
function isSvid(jws: UnverifiedJws): boolean {
  return isForeign(jws) && jws.outcome === 'read' && parseSpiffeId(jws.payload['sub']) !== undefined
}
