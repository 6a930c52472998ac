/** `client_secret_basic`: id and secret in the Authorization header (RFC 6749 §2.3.1). */
import type { Request } from 'express'
import type { BasicEncoding, SecretSent } from '../credentials/secrets/client-secret.ts'
import { InvalidRequestError } from '../errors.ts'
import { readBasicCredentials, type BasicCredentials } from '../http/basic-credentials.ts'
import { requestNote } from '../request-note.ts'
import { oneOf, readOptions, textLike, type Check, type Checks } from '../options.ts'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import { actionsOf, runStrategy, strategyChecks, strategyContext, type StrategyContext, type StrategyOptions } from './attempt.ts'
import { BasicBase } from './passport-strategy.ts'
import { delegated, hashJudging, secretHashChecks, type Reading, type SecretHashOptions } from './secret-proof.ts'
import { absent, type ClientAuthenticationStrategy, type Identification } from './strategy.ts'

export interface ClientSecretBasicOptions extends StrategyOptions, SecretHashOptions {
  /** The realm of the `WWW-Authenticate` challenge. Default `OAuth`. */
  readonly realm?: string | undefined
  /**
   * Treatment of clients that do not form-encode client_id and secret, as RFC 6749 §2.3.1 asks and many libraries do
   * not. `report`, the default: a secret that is not right when it is decoded is compared as it came, and one that is
   * right then lets the client in, reported as `encoding`. `enforce`: it is refused.
   */
  readonly basicEncoding?: BasicEncoding | undefined
}

export const basicEncodingCheck: Check<BasicEncoding> = oneOf(['report', 'enforce'], 'report')

export const clientSecretBasicChecks = {
  ...strategyChecks,
  ...secretHashChecks,
  // quoted-string without anything that needs quoting (RFC 9110 §11.5)
  realm: textLike(
    'printable ASCII without quotes or backslashes',
    value => /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/.test(value),
    'OAuth'
  ),
  basicEncoding: basicEncodingCheck
} satisfies Checks<ClientSecretBasicOptions>

/**
 * Authenticates a client by id and secret in the Authorization header, both form-encoded (RFC 6749 §2.3.1, App. B);
 * what was not encoded is understood too, unless `basicEncoding` is `enforce`.
 *
 * Built on passport-http's BasicStrategy, which takes any scheme containing "basic", tolerates junk around the base64,
 * cuts the secret at a second colon and decodes nothing. So the header is read strictly before the base class sees it,
 * the base class gets a rewritten one it cannot misread, and the verify callback uses our reading, never its arguments.
 *
 * @example
 * passport.use(new ClientSecretBasicStrategy({ clients }))
 * app.post('/jobs', passport.authenticate('client_secret_basic', { session: false, assignProperty: 'authenticatedClient' }), run)
 */
export class ClientSecretBasicStrategy extends BasicBase implements ClientAuthenticationStrategy {
  override readonly name: string = 'client_secret_basic'
  readonly mechanism: Mechanism = 'authorization_header'
  readonly needsOnlyClientRequest: boolean = true
  readonly headerOnly: boolean = true
  readonly guessable: boolean = true
  readonly challenge: string
  /** The options, read. */
  readonly context: StrategyContext
  private readonly encoding: BasicEncoding

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(options: ClientSecretBasicOptions) {
    const { realm, basicEncoding, secretHashes, onSecretUpgrade, ...common } = readOptions(options, clientSecretBasicChecks)
    const judging = hashJudging({ secretHashes, onSecretUpgrade }, common.clients)
    super(
      { passReqToCallback: true },
      delegated(() => this, judging)
    )
    this.context = strategyContext(common)
    this.challenge = `Basic realm="${realm}", charset="UTF-8"`
    this.encoding = basicEncoding
  }

  /** Reads the header; an unreadable one is `invalid_request`. */
  identify(request: ClientRequest): Identification {
    const read = readOnce(request)
    if (read.outcome === 'absent') return absent
    const asSent = this.encoding === 'report' ? read.asSent : undefined
    if (read.outcome === 'malformed') {
      if (asSent !== undefined) return { outcome: 'present', client_id: asSent.client_id }
      const error = new InvalidRequestError('the Authorization header is malformed', { reason: read.reason })
      return { outcome: 'malformed', error }
    }
    const { client_id } = read
    if (asSent === undefined || asSent.client_id === client_id) return { outcome: 'present', client_id }
    if (isKnownAs(request, asSent.client_id)) return { outcome: 'present', client_id: asSent.client_id }
    return { outcome: 'present', client_id, otherwise: asSent.client_id }
  }

  /** Judges the request; called by Passport. */
  override authenticate(req: Request): void {
    const actions = actionsOf(this)
    const judged = (request: ClientRequest, client_id: string): undefined => {
      const sent = sentIn(request, client_id, this.encoding)
      super.authenticate({ headers: readableHeaders, request, client_id, sent } satisfies BasicReading as unknown as Request)
    }
    runStrategy(actions, this, req, judged)
  }
}

/** Whether the request says elsewhere, or it was found out already, that this is the client it means. */
function isKnownAs({ parameters, found }: ClientRequest, client_id: string): boolean {
  return parameters['client_id'] === client_id || (found?.client !== undefined && found.client_id === client_id)
}

/** The secret in each way it can be read. */
function sentIn(request: ClientRequest, client_id: string, basicEncoding: BasicEncoding): SecretSent {
  const read = readOnce(request)
  const { guess } = request
  if (read.outcome === 'absent') return { presented: '', guess }
  const { asSent } = read
  if (read.outcome === 'malformed') return { presented: asSent?.client_secret ?? '', unencoded: true, basicEncoding, guess }
  const { client_secret: presented } = read
  if (asSent === undefined) return { presented, guess }
  const isOther = asSent.client_secret !== presented
  const unencoded = client_id !== read.client_id
  return { presented, ...(isOther && { asSent: asSent.client_secret }), unencoded, basicEncoding, guess }
}

interface BasicReading extends Reading {
  readonly headers: { readonly authorization: string }
}

/**
 * Headers that the base class reads instead: it refuses halves that are empty or hold a colon before the verify
 * callback could judge them.
 */
const readableHeaders = { authorization: `Basic ${Buffer.from('client:secret').toString('base64')}` }

/** A request is identified and then judged: the header is decoded for both. */
const readings = requestNote<ClientRequest, BasicCredentials>('Basic credentials')

function readOnce(request: ClientRequest): BasicCredentials {
  return readings.read(request) ?? readings.write(request, readBasicCredentials(request.headers.authorization))
}
