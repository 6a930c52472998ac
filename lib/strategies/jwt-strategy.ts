/** What `client_secret_jwt` and `private_key_jwt` share: everything but who made the signature. */
import { checkAssertionDials, type AssertionDials } from '../assertions/assertion-dials.ts'
import { asymmetricAlgorithms, sameAlgorithm, symmetricAlgorithms } from '../client-keys/algorithms.ts'
import { decodeUnverified, type UnverifiedJws } from '../assertions/compact-jws.ts'
import { clientKeys, type ClientKeys } from '../client-keys/client-keys.ts'
import { guardedFetch, type FetchJson } from '../outbound/guarded-fetch.ts'
import {
  assertionChecks,
  assertionPolicy,
  identifyUnverified,
  jwtBearerAssertionType,
  pretendVerification,
  verifyClientAssertion,
  type AssertionPolicy
} from '../assertions/client-assertion.ts'
import type { AssertionAudience } from '../clients/client.ts'
import { DecisionBuilder } from '../decisions/builder.ts'
import { InvalidRequestError } from '../errors.ts'
import { requestNote } from '../request-note.ts'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import { checkOneOf } from '../options.ts'
import type { Store } from '../stores/store.ts'
import { checkClientKeys, type Proof, type StrategyOptions } from './attempt.ts'
import { MethodStrategy } from './method-strategy.ts'
import { absent, type Identification } from './strategy.ts'

export interface JwtStrategyOptions extends StrategyOptions {
  /** The issuer identifier: what `aud` of an assertion must be (rfc7523bis). */
  readonly issuer: string
  /** Where used `jti` values are kept, so that an assertion works once. */
  readonly store: Store
  /** Which other `aud` is accepted while clients move; a client's own `assertion_audience` overrides it. Default `issuer`. */
  readonly assertionAudience?: AssertionAudience | undefined
  /** The URLs accepted as `aud` under `report` and `legacy`: the token endpoint's. */
  readonly legacyAudiences?: readonly string[] | undefined
  /** True refuses `aud` as a list, even of one (FAPI 2.0 §5.3.2.1). */
  readonly audienceAsStringOnly?: boolean | undefined
  /** The signature algorithms accepted. Default: RS, PS, ES 256 to 512, EdDSA, Ed25519; HS256 to HS512 for secrets. */
  readonly algorithms?: readonly string[] | undefined
  /** Seconds a client's clock may be off. Default 10, at most 60. */
  readonly clockTolerance?: number | undefined
  /** Which further rules are enforced, and which only reported. */
  readonly assertionDials?: AssertionDials | undefined
  /** Seconds an assertion may live. Default 3600. */
  readonly maxLifetime?: number | undefined
  /** Finds clients' keys. Hand the same one to every strategy of a server: it holds the cache. */
  readonly clientKeys?: ClientKeys | undefined
  /** Fetches a client's `jwks_uri`, where `clientKeys` is not given. Default: https only, to public addresses, 5 seconds, 64 KiB. */
  readonly fetchJson?: FetchJson | undefined
}

const ownKeys = [
  'issuer',
  'store',
  'assertionAudience',
  'legacyAudiences',
  'audienceAsStringOnly',
  'algorithms',
  'clockTolerance',
  'assertionDials',
  'maxLifetime',
  'clientKeys',
  'fetchJson'
]

/** The common part; see the two classes built on it. */
export abstract class JwtStrategy extends MethodStrategy {
  readonly mechanism: Mechanism = 'assertion'
  readonly signingAlgorithms: readonly string[]
  private readonly kind: 'symmetric' | 'asymmetric'
  private readonly policy: AssertionPolicy
  private readonly keys: ClientKeys

  protected constructor(options: JwtStrategyOptions, kind: 'symmetric' | 'asymmetric') {
    super(options, ownKeys)
    this.kind = kind
    checkClientKeys(options.clientKeys)
    this.policy = assertionPolicy({
      issuer: options.issuer,
      store: options.store,
      audienceDial: checkOneOf(options.assertionAudience, 'assertionAudience', ['issuer', 'report', 'legacy'], 'issuer'),
      legacyAudiences: options.legacyAudiences,
      audienceAsStringOnly: options.audienceAsStringOnly,
      algorithms: options.algorithms,
      clockTolerance: options.clockTolerance,
      dials: checkAssertionDials(options.assertionDials),
      maxLifetime: options.maxLifetime,
      clock: options.clock
    })
    const ofKind = kind === 'symmetric' ? symmetricAlgorithms : asymmetricAlgorithms
    this.signingAlgorithms = this.policy.algorithms.filter(alg => ofKind.has(alg))
    this.keys = options.clientKeys ?? clientKeys({ fetchJson: options.fetchJson ?? guardedFetch(), clock: this.context.clock })
  }

  /**
   * A request carries this method when it has a `client_assertion` of type jwt-bearer. One without the other is
   * `invalid_request`; an assertion nobody can read is `invalid_client` (RFC 7521 §4.2.1).
   */
  identify(request: ClientRequest): Identification {
    const { client_assertion, client_assertion_type } = request.parameters
    if (client_assertion === undefined && client_assertion_type === undefined) return absent
    if (client_assertion === undefined) return malformed('client_assertion is missing')
    if (client_assertion_type === undefined) return malformed('client_assertion_type is missing')
    if (client_assertion_type !== jwtBearerAssertionType) return absent
    const identified = identifyUnverified(decodeOnce(request))
    if (identified.outcome === 'present') return { outcome: 'present', client_id: identified.client_id }
    return { outcome: 'malformed', error: this.refuseUnreadable(request, identified.reason) }
  }

  /** A secret and a private key sign with different algorithms. */
  suits(request: ClientRequest): boolean {
    const identified = identifyUnverified(decodeOnce(request))
    return identified.outcome === 'present' && this.signingAlgorithms.some(alg => sameAlgorithm(alg, identified.alg))
  }

  protected proof(request: ClientRequest): Proof {
    const { client_assertion: assertion = '', client_id } = request.parameters
    const { kind, policy, keys } = this
    const presented = { assertion, jws: decodeOnce(request), client_id_parameter: client_id, kind, policy }
    return {
      checks: assertionChecks,
      prove: (client, decision) => verifyClientAssertion({ ...presented, client, decision, clientKeys: keys }),
      pretend: decision => pretendVerification({ ...presented, decision })
    }
  }

  private refuseUnreadable(request: ClientRequest, reason: string) {
    const decision = new DecisionBuilder(request.endpoint, request.traceId)
    decision.client_id = request.parameters['client_id']
    decision.mechanism = this.mechanism
    decision.method = this.name
    decision.announce(['assertion_format', 'client', 'registered_method', ...assertionChecks])
    return decision.refuse('assertion_format', {
      section: 'RFC 7523 §3',
      received: reason,
      fix: 'Send one signed JWT in compact serialization as client_assertion.'
    })
  }
}

/** Both methods ask, to tell themselves apart, and then one of them judges: it is decoded for all of that. */
const decoded = requestNote<ClientRequest, UnverifiedJws>('client assertion')

function decodeOnce(request: ClientRequest): UnverifiedJws {
  return decoded.read(request) ?? decoded.write(request, decodeUnverified(request.parameters['client_assertion'] ?? ''))
}

function malformed(description: string): Identification {
  return { outcome: 'malformed', error: new InvalidRequestError(description) }
}
