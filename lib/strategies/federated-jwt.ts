/**
 * `federated_jwt`: a token that the client's platform signed for it, such as a Kubernetes service account token. No
 * secret is anywhere.
 */
import { jwtBearerAssertionType } from '../assertions/client-assertion.ts'
import type { UnverifiedJws } from '../assertions/compact-jws.ts'
import { clientsOfToken } from '../assertions/workloads/clients-of-token.ts'
import { consumeToken, federatedChecks, pretendFederatedJwt, verifyFederatedJwt } from '../assertions/workloads/federated-jwt.ts'
import { storeFor, type ClientRequest } from '../client-request.ts'
import { readOptions, type Checks } from '../options.ts'
import { storeToAddCheck } from '../assertions/assertion-policy.ts'
import type { Store } from '../stores/store.ts'
import type { Proof } from './attempt.ts'
import { decodeOnce, isForeign } from './presented-assertion.ts'
import { openOptions, workloadStrategyChecks, WorkloadJwtStrategy, type WorkloadStrategyOptions } from './workload-strategy.ts'

/** The options of the method `federated_jwt`. */
export interface FederatedJwtOptions extends WorkloadStrategyOptions {
  /** The store that keeps tokens that are good once as used. */
  readonly store: Store
}

export const federatedJwtChecks = { ...workloadStrategyChecks, store: storeToAddCheck } satisfies Checks<FederatedJwtOptions>

/**
 * Authenticates a client by a JWT of a platform this server trusts, sent as `client_assertion` of type
 * `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`: by the issuer, audience, subject and claims that one of its
 * `federated_credentials` wants. A request without `client_id` is of the one client, among those configured as a list,
 * whose credentials match; of nobody where there are two.
 *
 * @example
 * const workloads = { issuers: [{ issuer: 'https://token.actions.githubusercontent.com' }] }
 * passport.use(new FederatedJwtStrategy({ clients, issuer: 'https://as.example.com', store: memoryStore(), workloads }))
 * app.post('/jobs', passport.authenticate('federated_jwt', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class FederatedJwtStrategy extends WorkloadJwtStrategy {
  /** The method, a `token_endpoint_auth_method` value. */
  readonly name: string = 'federated_jwt'
  /** The algorithms that any of the platforms may sign with. */
  readonly signingAlgorithms: readonly string[]
  private readonly store: Store

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: FederatedJwtOptions) {
    const read = readOptions(options, federatedJwtChecks)
    super(openOptions(read))
    this.store = read.store
    this.signingAlgorithms = this.workloads.platformAlgorithms
  }

  /** Leaves assertions that a client signs itself to another method. */
  protected isCarried(type: string, jws: UnverifiedJws): boolean {
    return type === jwtBearerAssertionType && isForeign(jws)
  }

  /** Tells it from the methods whose assertions clients sign themselves. */
  suits(request: ClientRequest): boolean {
    return isForeign(decodeOnce(request))
  }

  protected clientsOf(payload: Readonly<Record<string, unknown>>): readonly string[] {
    const { workloads, name: method } = this
    return clientsOfToken({ clients: this.context.clients, method }, payload, { workloads, audiences: [workloads.server.issuer] })
  }

  protected proof(request: ClientRequest): Proof {
    const { workloads } = this
    const store = storeFor(request, this.store)
    const { server } = workloads
    const { client_assertion: assertion = '' } = request.parameters
    const presented = { assertion, jws: decodeOnce(request), workloads, audiences: [server.issuer] }
    return {
      checks: federatedChecks,
      prove: async (client, decision) => {
        const proven = await verifyFederatedJwt(client, { decision, ...presented })
        await consumeToken(proven, { server, store, decision })
        return { credential: proven.credential.credential }
      },
      pretend: decision => pretendFederatedJwt({ decision, ...presented }),
      ...this.unknownClient(request)
    }
  }
}
