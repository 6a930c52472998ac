/** `client_secret_post`: id and secret as parameters of the body (RFC 6749 §2.3.1). */
import type { Request } from 'express'
import { InvalidRequestError } from '../errors.ts'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import { actionsOf, runStrategy, strategyChecks, strategyContext, type StrategyContext, type StrategyOptions } from './attempt.ts'
import { readOptions, type Checks } from '../options.ts'
import { ClientPasswordBase } from './passport-strategy.ts'
import { delegated, hashJudging, secretHashChecks, type Reading, type SecretHashOptions } from './secret-proof.ts'
import { absent, type ClientAuthenticationStrategy, type Identification } from './strategy.ts'

/** The options of `ClientSecretPostStrategy`. */
export interface ClientSecretPostOptions extends StrategyOptions, SecretHashOptions {}

export const clientSecretPostChecks = { ...strategyChecks, ...secretHashChecks } satisfies Checks<ClientSecretPostOptions>

/**
 * Authenticates a client by the body parameters `client_id` and `client_secret`.
 *
 * Built on passport-oauth2-client-password, which hands whatever a body parser made of the parameters (lists, objects,
 * numbers) to its verify callback and does nothing at all where no parser ran. So the body is read strictly before the
 * base class sees it, and the verify callback uses our reading, never its arguments.
 *
 * @example
 * passport.use(new ClientSecretPostStrategy({ clients }))
 * app.post('/jobs', passport.authenticate('client_secret_post', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class ClientSecretPostStrategy extends ClientPasswordBase implements ClientAuthenticationStrategy {
  override readonly name: string = 'client_secret_post'
  readonly mechanism: Mechanism = 'body_secret'
  readonly needsOnlyClientRequest: boolean = true
  readonly guessable: boolean = true
  /** The options, read. */
  readonly context: StrategyContext

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: ClientSecretPostOptions) {
    const { secretHashes, onSecretUpgrade, ...common } = readOptions(options, clientSecretPostChecks)
    const judging = hashJudging({ secretHashes, onSecretUpgrade }, common.clients)
    super(
      { passReqToCallback: true },
      delegated(() => this, judging)
    )
    this.context = strategyContext(common)
  }

  /** A `client_secret` without a `client_id` is `invalid_request`: nobody is named. */
  identify(request: ClientRequest): Identification {
    const { client_id, client_secret } = request.parameters
    if (client_secret === undefined) return absent
    if (client_id !== undefined) return { outcome: 'present', client_id }
    // beside an Authorization header it is a second mechanism, and that is the clearer thing to say
    return {
      outcome: 'malformed',
      error: new InvalidRequestError('client_id is missing', { reason: 'client_secret was sent without client_id' })
    }
  }

  /** Judges the request; called by Passport. */
  override authenticate(req: Request): void {
    const actions = actionsOf(this)
    runStrategy(actions, this, req, (request, client_id): undefined => {
      const { client_secret = '' } = request.parameters
      const reading: PostReading = {
        body: { client_id, client_secret },
        request,
        client_id,
        sent: { presented: client_secret, guess: request.guess }
      }
      super.authenticate(reading as unknown as Request)
    })
  }
}

interface PostReading extends Reading {
  readonly body: { readonly client_id: string; readonly client_secret: string }
}
