/** `private_key_jwt`: an assertion signed with the client's private key (RFC 7523 §2.2, OpenID Connect Core §9). */
import { JwtStrategy, type JwtStrategyOptions } from './jwt-strategy.ts'

/** The options of the method `private_key_jwt`. */
export type PrivateKeyJwtOptions = JwtStrategyOptions

/**
 * Authenticates a client by a JWT signed with a key from its `jwks` or `jwks_uri`. The server never holds anything that
 * could impersonate the client. Recommended (RFC 9700 §2.5).
 *
 * @example
 * passport.use(new PrivateKeyJwtStrategy({ clients, issuer: 'https://as.example.com', store: memoryStore() }))
 * app.post('/jobs', passport.authenticate('private_key_jwt', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class PrivateKeyJwtStrategy extends JwtStrategy {
  /** The method, a `token_endpoint_auth_method` value. */
  readonly name: string = 'private_key_jwt'

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: PrivateKeyJwtOptions) {
    super(options, 'asymmetric', new.target === PrivateKeyJwtStrategy)
  }
}
