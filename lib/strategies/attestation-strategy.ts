/** The common part of the two methods of attestation: everything but how an instance proves that it holds its key. */
import {
  attestationHeader,
  clientAttestationCheck,
  headerOf,
  type AttestationProof,
  type ClientAttestation
} from '../assertions/attestation/attestation.ts'
import { decodeUnverified, type UnverifiedJws } from '../assertions/compact-jws.ts'
import type { DecisionBuilder } from '../decisions/builder.ts'
import type { InvalidClientError } from '../errors.ts'
import { requestNote } from '../request-note.ts'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import { flag, readOptions, required, type Checks } from '../options.ts'
import { strategyChecks, type Proof, type StrategyOptions } from './attempt.ts'
import { MethodStrategy } from './method-strategy.ts'
import { absent, type Identification } from './strategy.ts'
import { decisionAbout } from './telling.ts'

/** The options of a strategy of attestation. */
export interface AttestationStrategyOptions extends StrategyOptions {
  /** The attesters and challenges; what `clientAttestation()` makes. */
  readonly attestation: ClientAttestation
  /**
   * True where clients of other methods may send an attestation too, which whoever mounts the strategies then verifies.
   * Default false.
   */
  readonly supplementary?: boolean | undefined
}

export const attestationStrategyChecks = {
  ...strategyChecks,
  attestation: required(clientAttestationCheck),
  supplementary: flag(false)
} satisfies Checks<AttestationStrategyOptions>

/** The common part; see the two classes built on it. */
export abstract class AttestationStrategy extends MethodStrategy {
  /** The mechanism: an attestation. */
  readonly mechanism: Mechanism = 'attestation'
  /** Whether an attestation may come beside another method. */
  readonly supplementary: boolean
  private readonly by: AttestationProof
  private readonly attestation: ClientAttestation
  /** Addresses requests may have been sent to, unless whoever read one says. */
  private readonly addresses: readonly string[]

  protected constructor(options: AttestationStrategyOptions, by: AttestationProof, addresses: readonly string[] = []) {
    const { attestation, supplementary, ...common } = readOptions(options, attestationStrategyChecks)
    super(common)
    this.attestation = attestation
    this.supplementary = supplementary
    this.by = by
    this.addresses = addresses
  }

  /**
   * A request carries this method when it has an attestation; which proof has to come with it says what the client
   * registered.
   */
  identify(request: ClientRequest): Identification {
    if (request.headers[attestationHeader] === undefined) return absent
    const jws = decodeOnce(request)
    const client_id = jws.outcome === 'read' ? jws.payload['sub'] : undefined
    if (typeof client_id === 'string' && client_id !== '') return { outcome: 'present', client_id }
    const reason = jws.outcome === 'read' ? 'its sub is not a client_id' : jws.reason
    return { outcome: 'malformed', error: this.refuseUnreadable(request, reason) }
  }

  /** By whether the attestation comes with a proof of its own kind, or with a DPoP proof alone. */
  suits(request: ClientRequest): boolean {
    return this.attestation.proofOf(request) === this.by
  }

  /** Headers of the answer, with the challenge or nonce that the next proof has to answer. */
  answerHeaders(): Readonly<Record<string, string>> {
    return this.attestation.answerHeaders(this.by)
  }

  protected proof(request: ClientRequest): Proof {
    const { attestation, by } = this
    const prove = async (client_id: string, decision: DecisionBuilder): Promise<string> => {
      const addresses = request.addresses?.() ?? this.addresses
      return attestation.prove({ request, client_id, by, addresses }, decision)
    }
    return {
      checks: attestation.checks(by),
      prove: async ({ client_id }, decision) => {
        const instance = await prove(client_id, decision)
        // there are as many instances as the client has devices: which of them it was is no credential anybody lists
        return { credential: `jkt:${instance}`, used: `method:${this.name}`, instance }
      },
      pretend: decision => prove(decision.client_id ?? '', decision)
    }
  }

  private refuseUnreadable(request: ClientRequest, received: string): InvalidClientError {
    const decision = decisionAbout(this, request, request.parameters['client_id'])
    decision.announce(['attestation_header', 'client', 'registered_method', ...this.attestation.checks(this.by).slice(1)])
    return decision.refuse('attestation_header', {
      section: 'attestation draft-12 §7.1',
      received,
      fix: 'Send exactly one OAuth-Client-Attestation header, with one signed JWT in compact serialization.'
    })
  }
}

/** Both methods ask, to tell themselves apart: it is decoded for both. */
const decoded = requestNote<ClientRequest, UnverifiedJws>('client attestation')

function decodeOnce(request: ClientRequest): UnverifiedJws {
  return decoded.read(request) ?? decoded.write(request, decodeUnverified(headerOf(request, attestationHeader) ?? ''))
}
