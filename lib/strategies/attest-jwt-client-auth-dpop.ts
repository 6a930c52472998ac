/**
 * `attest_jwt_client_auth_dpop`: an attestation whose key signs the request's DPoP proof, and nothing else (attestation
 * draft §5.2).
 */
import { listOf, readOptions, type Checks } from '../options.ts'
import { AttestationStrategy, attestationStrategyChecks, type AttestationStrategyOptions } from './attestation-strategy.ts'

/** The options of the method `attest_jwt_client_auth_dpop`. */
export interface AttestJwtClientAuthDpopOptions extends AttestationStrategyOptions {
  /**
   * The URLs requests may have been sent to, for `htu` of their DPoP proofs. The endpoints of a server say so
   * themselves; elsewhere it must be given.
   */
  readonly addresses?: readonly string[] | undefined
}

export const attestJwtClientAuthDpopChecks = {
  ...attestationStrategyChecks,
  addresses: listOf('URLs', (url): url is string => typeof url === 'string' && URL.canParse(url), [])
} satisfies Checks<AttestJwtClientAuthDpopOptions>

/**
 * Authenticates a client by the headers `OAuth-Client-Attestation` and `DPoP`, both of one key. The proof carries a
 * nonce always: there is no other challenge.
 *
 * @example
 * passport.use(new AttestJwtClientAuthDpopStrategy({ clients, attestation, addresses: ['https://as.example.com/jobs'] }))
 * app.post('/jobs', passport.authenticate('attest_jwt_client_auth_dpop', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class AttestJwtClientAuthDpopStrategy extends AttestationStrategy {
  /** The method, a `token_endpoint_auth_method` value. */
  readonly name: string = 'attest_jwt_client_auth_dpop'

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: AttestJwtClientAuthDpopOptions) {
    const { addresses, ...common } = readOptions(options, attestJwtClientAuthDpopChecks)
    super(common, 'dpop', addresses)
  }
}
