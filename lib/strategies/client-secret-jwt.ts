/** `client_secret_jwt`: an assertion signed with the client's secret (RFC 7523 §2.2, OpenID Connect Core §9). */
import { JwtStrategy, type JwtStrategyOptions } from './jwt-strategy.ts'

/** The options of the method `client_secret_jwt`. */
export type ClientSecretJwtOptions = JwtStrategyOptions

/**
 * Authenticates a client by a JWT it signed with its secret (HS256, HS384, HS512): the secret itself is never sent. The
 * server must hold the secret readable.
 *
 * @example
 * passport.use(new ClientSecretJwtStrategy({ clients, issuer: 'https://as.example.com', store: memoryStore() }))
 * app.post('/jobs', passport.authenticate('client_secret_jwt', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class ClientSecretJwtStrategy extends JwtStrategy {
  /** The method, a `token_endpoint_auth_method` value. */
  readonly name: string = 'client_secret_jwt'
  /** True: a secret may be guessed, and wrong ones are counted. */
  readonly guessable: boolean = true

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: ClientSecretJwtOptions) {
    super(options, 'symmetric', new.target === ClientSecretJwtStrategy)
  }
}
