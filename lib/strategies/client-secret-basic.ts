/** `client_secret_basic`: id and secret in the Authorization header (RFC 6749 §2.3.1). */
import type { Request } from 'express'
import { BasicStrategy } from 'passport-http'
import { InvalidRequestError } from '../errors.ts'
import { readBasicCredentials, type BasicCredentials } from '../http/basic-credentials.ts'
import { requestNote } from '../http/request-note.ts'
import { ConfigurationError } from '../options.ts'
import type { ClientRequest, Mechanism } from '../request.ts'
import { actionsOf, runStrategy, strategyContext, type StrategyContext, type StrategyOptions } from './attempt.ts'
import { delegated, type Reading } from './secret-proof.ts'
import { absent, type ClientAuthenticationStrategy, type Identification } from './strategy.ts'

export interface ClientSecretBasicOptions extends StrategyOptions {
  /** The realm of the `WWW-Authenticate` challenge. Default `OAuth`. */
  readonly realm?: string | undefined
}

/**
 * Authenticates a client by id and secret in the Authorization header, both form-encoded (RFC 6749 §2.3.1, App. B).
 *
 * Built on passport-http's BasicStrategy, which takes any scheme containing "basic", tolerates junk around the base64, cuts
 * the secret at a second colon and decodes nothing. So the header is read strictly before the base class sees it, the base
 * class gets a rewritten one it cannot misread, and the verify callback uses our reading, never its arguments.
 *
 * @example
 * passport.use(new ClientSecretBasicStrategy({ clients }))
 * app.post('/jobs', passport.authenticate('client_secret_basic', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class ClientSecretBasicStrategy extends BasicStrategy implements ClientAuthenticationStrategy {
  override readonly name: string = 'client_secret_basic'
  readonly mechanism: Mechanism = 'authorization_header'
  readonly needsOnlyClientRequest: boolean = true
  readonly guessable: boolean = true
  readonly challenge: string
  readonly context: StrategyContext

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: ClientSecretBasicOptions) {
    const context = strategyContext(options, ['realm'])
    const challenge = `Basic realm="${checkRealm(options.realm)}", charset="UTF-8"`
    super(
      { passReqToCallback: true },
      delegated(() => this)
    )
    this.context = context
    this.challenge = challenge
  }

  /** Reads the header; an unreadable one is `invalid_request`. */
  identify(request: ClientRequest): Identification {
    const read = readOnce(request)
    switch (read.outcome) {
      case 'absent':
        return absent
      case 'malformed':
        return {
          outcome: 'malformed',
          error: new InvalidRequestError('the Authorization header is malformed', { reason: read.reason })
        }
      case 'present':
        return { outcome: 'present', client_id: read.client_id }
    }
  }

  override authenticate(req: Request): void {
    const actions = actionsOf(this)
    const judged = (request: ClientRequest, client_id: string): undefined => {
      const reading: BasicReading = { headers: readableHeaders, request, client_id, client_secret: secretOf(request) }
      super.authenticate(reading as unknown as Request)
    }
    runStrategy(actions, this, req, judged)
  }
}

interface BasicReading extends Reading {
  readonly headers: { readonly authorization: string }
}

/** What the base class reads instead: it refuses halves that are empty or hold a colon before the verify callback could judge them. */
const readableHeaders = { authorization: `Basic ${Buffer.from('client:secret').toString('base64')}` }

/** A request is identified and then judged: the header is decoded for both. */
const readings = requestNote<ClientRequest, BasicCredentials>('Basic credentials')

function readOnce(request: ClientRequest): BasicCredentials {
  return readings.read(request) ?? readings.write(request, readBasicCredentials(request.headers.authorization))
}

function secretOf(request: ClientRequest): string {
  const read = readOnce(request)
  return read.outcome === 'present' ? read.client_secret : ''
}

function checkRealm(realm = 'OAuth'): string {
  // quoted-string without anything that needs quoting (RFC 9110 §11.5)
  if (typeof realm !== 'string' || !/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/.test(realm)) {
    throw new ConfigurationError('realm', 'must be printable ASCII without quotes or backslashes')
  }
  return realm
}
