/**
 * `attest_jwt_client_auth`: an attester vouches for an instance of the client, which proves that it holds its key
 * (attestation draft §5.1).
 */
import { AttestationStrategy, type AttestationStrategyOptions } from './attestation-strategy.ts'

/**
 * Authenticates a client by the headers `OAuth-Client-Attestation` and `OAuth-Client-Attestation-PoP`: for software
 * that runs in many places, none of which can keep the client's secret, each of which has a key of its own. What the
 * client is given is good for that instance alone.
 *
 * @example
 * passport.use(new AttestJwtClientAuthStrategy({ clients, attestation: clientAttestation({ issuer, store, attesters }) }))
 * app.post('/jobs', passport.authenticate('attest_jwt_client_auth', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class AttestJwtClientAuthStrategy extends AttestationStrategy {
  /** The method, a `token_endpoint_auth_method` value. */
  readonly name: string = 'attest_jwt_client_auth'

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: AttestationStrategyOptions) {
    super(options, 'pop')
  }
}
