/** The common part of `client_secret_jwt` and `private_key_jwt`: everything but who made the signature. */
import { assertionAlgorithms, asymmetricAlgorithms, isAccepted, symmetricAlgorithms } from '../client-keys/algorithms.ts'
import { clientKeys, type ClientKeys } from '../client-keys/client-keys.ts'
import { guardedFetch, type FetchJson } from '../outbound/guarded-fetch.ts'
import {
  assertionChecks,
  assertionOptionChecks,
  assertionPolicy,
  identifyUnverified,
  jwtBearerAssertionType,
  pretendVerification,
  verifyClientAssertion,
  type AssertionOptions,
  type AssertionPolicy
} from '../assertions/client-assertion.ts'
import { storeFor, type ClientRequest, type Mechanism } from '../client-request.ts'
import { asMade } from '../stores/as-made.ts'
import type { LateUse } from '../stores/late-use.ts'
import { fn, readOptions, type Checks } from '../options.ts'
import type { Store } from '../stores/store.ts'
import { clientKeysCheck, strategyChecks, type Proof, type StrategyOptions } from './attempt.ts'
import { MethodStrategy } from './method-strategy.ts'
import { assertionTypeOf, decodeOnce, isForeign } from './presented-assertion.ts'
import { absent, type Identification } from './strategy.ts'
import { decisionAbout } from './telling.ts'

export interface JwtStrategyOptions extends StrategyOptions, AssertionOptions {
  /** Finds clients' keys. Hand the same one to every strategy of a server: it holds the cache. */
  readonly clientKeys?: ClientKeys | undefined
  /**
   * Fetches a client's `jwks_uri`, where `clientKeys` is not given. Default: https only, to public addresses, 5
   * seconds, 64 KiB.
   */
  readonly fetchJson?: FetchJson | undefined
}

export const jwtStrategyChecks = {
  ...strategyChecks,
  ...assertionOptionChecks,
  clientKeys: clientKeysCheck,
  fetchJson: fn<FetchJson>()
} satisfies Checks<JwtStrategyOptions>

function algorithmsOf(kind: 'symmetric' | 'asymmetric', algorithms: readonly string[]): readonly string[] {
  const ofKind = kind === 'symmetric' ? symmetricAlgorithms : asymmetricAlgorithms
  return algorithms.filter(alg => ofKind.has(alg))
}

/** Those of strategies that were given none: the same lists for all of them. */
const usualAlgorithms = {
  symmetric: Object.freeze(algorithmsOf('symmetric', assertionAlgorithms)),
  asymmetric: Object.freeze(algorithmsOf('asymmetric', assertionAlgorithms))
}

/** What inherits from one, stands before it or changes it may do more once the client is authenticated. */
const settlingLate = asMade<Pick<JwtStrategy, 'authenticate'>>(['authenticate'])

/** Whether a strategy can leave the use of what proved the client to the endpoint ({@link ClientRequest.recordsIn}). */
export function settlesLate(strategy: Pick<JwtStrategy, 'authenticate'>): boolean {
  return settlingLate.has(strategy)
}

/** The common part; see the two classes built on it. */
export abstract class JwtStrategy extends MethodStrategy {
  /** The mechanism: an assertion. */
  readonly mechanism: Mechanism = 'assertion'
  /** The algorithms an assertion may be signed with. */
  readonly signingAlgorithms: readonly string[]
  private readonly kind: 'symmetric' | 'asymmetric'
  private readonly policy: AssertionPolicy
  private readonly keys: ClientKeys

  /** @param whole true where nothing is added to what stands here. */
  protected constructor(options: JwtStrategyOptions, kind: 'symmetric' | 'asymmetric', whole: boolean) {
    const read = readOptions(options, jwtStrategyChecks)
    const { clients, onDecision, clock } = read
    super({ clients, onDecision, clock })
    if (whole) settlingLate.note(this)
    this.kind = kind
    this.policy = assertionPolicy(read)
    this.signingAlgorithms = read.algorithms === undefined ? usualAlgorithms[kind] : algorithmsOf(kind, this.policy.algorithms)
    this.keys = read.clientKeys ?? clientKeys({ fetchJson: read.fetchJson ?? guardedFetch(), clock })
  }

  /**
   * A request carries this method when it has a `client_assertion` of type jwt-bearer. One without the other is
   * `invalid_request`; an assertion nobody can read is `invalid_client` (RFC 7521 §4.2.1).
   */
  identify(request: ClientRequest): Identification {
    const type = assertionTypeOf(request)
    if (typeof type !== 'string') return type
    if (type !== jwtBearerAssertionType) return absent
    const identified = identifyUnverified(decodeOnce(request))
    if (identified.outcome === 'present') return { outcome: 'present', client_id: identified.client_id }
    return { outcome: 'malformed', error: this.refuseUnreadable(request, identified.reason) }
  }

  /** A secret and a private key sign with different algorithms; what another than the client issued is neither's. */
  suits(request: ClientRequest): boolean {
    const jws = decodeOnce(request)
    if (isForeign(jws)) return false
    const identified = identifyUnverified(jws)
    return identified.outcome === 'present' && isAccepted(identified.alg, this.signingAlgorithms)
  }

  protected proof(request: ClientRequest): Proof {
    const { client_assertion: assertion = '', client_id: client_id_parameter } = request.parameters
    const { kind, policy, keys: clientKeys } = this
    const jws = decodeOnce(request)
    const store = storeFor(request, policy.store)
    const later = mayWait(request, policy.store) ? (use: LateUse) => void (request.lateUse = use) : undefined
    return {
      checks: assertionChecks,
      // written out: V8 takes a microsecond or more to copy an object that gets other members beside
      prove: (client, decision) =>
        verifyClientAssertion({ assertion, jws, client_id_parameter, kind, policy, client, decision, clientKeys, store, later }),
      pretend: decision => pretendVerification({ assertion, jws, client_id_parameter, kind, policy, decision, clientKeys })
    }
  }

  private refuseUnreadable(request: ClientRequest, reason: string) {
    const decision = decisionAbout(this, request, request.parameters['client_id'])
    decision.announce(['assertion_format', 'client', 'registered_method', ...assertionChecks])
    return decision.refuse('assertion_format', {
      section: 'RFC 7523 §3',
      received: reason,
      fix: 'Send one signed JWT in compact serialization as client_assertion.'
    })
  }
}

/**
 * Whether the jti may be used up with what the request is answered with: where that is recorded in the same store, and
 * nothing is proved or counted after it.
 */
function mayWait({ recordsIn, trial, further, guess }: ClientRequest, store: Store): boolean {
  return recordsIn === store && trial === undefined && further === undefined && guess === undefined
}
