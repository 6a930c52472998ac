/**
 * Attestation-based client authentication (draft-ietf-oauth-attestation-based-client-auth-12): an attester's word for a
 * client's instance, and a proof that the instance sent it, of its own kind or as a DPoP proof. One place for every
 * rule about both.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { storeFor, type ClientRequest, type Clock } from '../../client-request.ts'
import type { DecisionBuilder } from '../../decisions/builder.ts'
import type { CheckName } from '../../decisions/decision.ts'
import { OAuthError } from '../../errors.ts'
import { objectLike, readOptions, type Read } from '../../options.ts'
import type { Store } from '../../stores/store.ts'
import { dpopNonces, type DpopNonces } from '../dpop-nonces.ts'
import { dpopAlgorithms, verifyDpopProof, type DpopPolicy } from '../dpop-proof.ts'
import { attestersOf } from './attesters.ts'
import { attestationChallenges } from './challenges.ts'
import {
  attestationChecks,
  verifiedAttestations,
  verifyAttestation,
  type AttestationRules,
  type AttestedInstance
} from './client-attestation.ts'
import { clientAttestationChecks, type attestationPolicyChecks, type ClientAttestationOptions } from './options.ts'
import { proofChecks, verifyProofOfPossession, type ProofRules } from './proof-of-possession.ts'

/** The header an attestation comes in, and that of its proof of possession. */
export const attestationHeader = 'oauth-client-attestation'
export const proofHeader = 'oauth-client-attestation-pop'
const challengeHeader = 'OAuth-Client-Attestation-Challenge'

/** The proof of an instance that it holds its key: one of its own kind, or its DPoP proof (attestation draft §5). */
export type AttestationProof = 'pop' | 'dpop'

/** The attesters and challenges of one server. Hand the same one to both of its strategies. */
export interface ClientAttestation {
  /** The algorithms attestations and proofs may be signed with, for metadata. */
  readonly algorithms: readonly string[]
  /**
   * A challenge to hand out, good for five minutes: in the header `OAuth-Client-Attestation-Challenge`, or at an
   * endpoint of your own.
   */
  challenge(): string
  /** The nonce that DPoP proofs beside an attestation have to carry now, for the header `DPoP-Nonce`. */
  dpopNonce(): string
  /** The checks that {@link ClientAttestation.prove} goes through, in order. */
  checks(by: AttestationProof): readonly CheckName[]
  /** Which proof a request comes with. */
  proofOf(request: ClientRequest): AttestationProof
  /** Headers of the answer to such a request: what the next proof has to answer. */
  answerHeaders(by: AttestationProof): Readonly<Record<string, string>>
  /**
   * Verifies the attestation of a request and the proof that comes with it, and uses the proof up, which happens last.
   * Resolves to the RFC 7638 thumbprint of the instance's key.
   *
   * Rejects with {@link InvalidClientError} with the decision; with `use_attestation_challenge`, `use_dpop_nonce`,
   * `invalid_dpop_proof` or `use_fresh_attestation` where the client is to come again; with TemporarilyUnavailableError
   * where the store does not answer.
   */
  prove(
    presented: {
      readonly request: ClientRequest
      /** The client it has to be about. */
      readonly client_id: string
      readonly by: AttestationProof
      /** Where the request may have been sent to, for `htu` of a DPoP proof. */
      readonly addresses: readonly string[]
    },
    decision: DecisionBuilder
  ): Promise<string>
}

export const clientAttestationCheck = objectLike<ClientAttestation>(
  'what clientAttestation() returns',
  value => typeof value['prove'] === 'function' && typeof value['challenge'] === 'function'
)

/**
 * Makes the attesters and challenges that the strategies of attestation work with. `authorizationServer({ attestation
 * })` makes its own.
 *
 * @throws {@link ConfigurationError} naming the option that is wrong.
 *
 * @example
 * const attestation = clientAttestation({ issuer: 'https://as.example.com', store: memoryStore(), attesters: [{ jwks }] })
 * passport.use(new AttestJwtClientAuthStrategy({ clients, attestation }))
 */
export function clientAttestation(options: ClientAttestationOptions): ClientAttestation {
  const { issuer, store, secret, clock, ...policy } = readOptions(options, clientAttestationChecks)
  const key = secret ?? randomBytes(32)
  const mac = (purpose: string) => (data: Uint8Array) => createHmac('sha256', key).update(`${purpose}\0`).update(data).digest()
  const nonces = dpopNonces(mac('dpop_nonce'), issuer, clock)
  const dpop = { issuer, store, clock, algorithms: dpopAlgorithms, nonces }
  return attestationBy(policy, { issuer, store, clock, mac: mac('attestation_challenge'), dpop })
}

/** The parts of a server that its attestation works with. */
interface AttestingServer {
  readonly issuer: string
  readonly store: Store
  readonly clock: Clock
  /** Makes challenges. */
  readonly mac: (data: Uint8Array) => Buffer
  /** The rules for DPoP proofs, with nonces always. */
  readonly dpop: DpopPolicy & { readonly nonces: DpopNonces }
}

/** The same, by options that were read. */
export function attestationBy(policy: Read<typeof attestationPolicyChecks>, server: AttestingServer): ClientAttestation {
  const { issuer, store, clock, dpop } = server
  const { algorithms, maxAge, challengeOnce, challenge } = policy
  const challenges = attestationChallenges(server.mac, issuer, clock)
  const attesters = attestersOf(policy.attesters)
  const rules: AttestationRules & ProofRules = {
    ...{ issuer, store, clock, algorithms, maxAge, challenges, challengeOnce, attesters },
    challengeRequired: challenge === 'required',
    verified: verifiedAttestations()
  }
  return {
    algorithms,
    challenge: () => challenges.next(),
    dpopNonce: () => dpop.nonces.current(),
    checks: by => (by === 'pop' ? popChecks : combinedChecks),
    proofOf: ({ headers }) => (headers[proofHeader] === undefined && headers['dpop'] !== undefined ? 'dpop' : 'pop'),
    answerHeaders: by => (by === 'pop' ? { [challengeHeader]: challenges.next() } : { 'DPoP-Nonce': dpop.nonces.current() }),
    async prove({ request, client_id, by, addresses }, decision) {
      const attestation = headerOf(request, attestationHeader)
      const client_id_parameter = request.parameters['client_id']
      const instance = await verifyAttestation({ attestation, client_id, client_id_parameter }, rules, decision)
      const own = request.trial === undefined ? { rules, dpop } : tried(request, rules, dpop)
      if (by === 'pop') await verifyProofOfPossession(headerOf(request, proofHeader), instance, own.rules, decision)
      else await verifyCombinedProof({ request, addresses, instance, client_id, policy: own.dpop }, decision)
      return instance.jkt
    }
  }
}

/** The same rules where nothing may be used up, or told of. */
function tried(request: ClientRequest, rules: ProofRules, dpop: DpopPolicy): { rules: ProofRules; dpop: DpopPolicy } {
  const { issuer, clock, algorithms, nonces } = dpop
  return {
    rules: { ...rules, store: storeFor(request, rules.store) },
    dpop: { issuer, clock, algorithms, nonces, store: storeFor(request, dpop.store) }
  }
}

const popChecks: readonly CheckName[] = [...attestationChecks, ...proofChecks]
const combinedChecks: readonly CheckName[] = [...attestationChecks, 'dpop_proof']

/** A header as it came; undefined where there was none. */
export function headerOf({ headers }: ClientRequest, name: string): string | undefined {
  const value = headers[name]
  // Node joins headers of one name; who hands over a list has sent two as well
  return Array.isArray(value) ? value.join(', ') : value
}

interface CombinedProof {
  readonly request: ClientRequest
  readonly addresses: readonly string[]
  readonly instance: AttestedInstance
  readonly client_id: string
  readonly policy: DpopPolicy
}

/**
 * The DPoP proof in the place of a proof of its own (attestation draft §5.2): by the attested key, and with a nonce
 * always.
 */
async function verifyCombinedProof(combined: CombinedProof, decision: DecisionBuilder): Promise<void> {
  const { request, addresses, instance, client_id, policy } = combined
  const section = 'attestation draft-12 §7.3'
  const proof = headerOf(request, 'dpop')
  if (proof === undefined || request.headers[proofHeader] !== undefined)
    throw decision.refuse('dpop_proof', {
      section,
      received: proof === undefined ? 'no DPoP header' : 'an OAuth-Client-Attestation-PoP header',
      fix: 'Send the attestation with a DPoP proof and no other, or register the client for attest_jwt_client_auth.'
    })
  const judge = (jkt: string): void => {
    if (jkt !== instance.jkt)
      throw decision.refuse('dpop_proof', {
        section,
        expected: `jkt:${instance.jkt}`,
        received: `jkt:${jkt}`,
        fix: 'Sign the DPoP proof with the private half of the key in cnf.jwk of the attestation that is sent with it.'
      })
    // who has failed already, as an unknown client has, uses nothing up
    if (decision.hasFailed) throw decision.refuse('dpop_proof')
  }
  try {
    const by = { client_id, traceId: request.traceId }
    request.dpop = await verifyDpopProof({ proof, method: 'POST', addresses, policy, by, judge })
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status !== 400) throw error
    const received = error.reason ?? error.message
    const fix = 'Send a DPoP proof for this request as RFC 9449 has it, with the nonce of the last DPoP-Nonce header.'
    throw decision.refuseAs('dpop_proof', { section, received, fix }, error)
  }
  decision.pass('dpop_proof')
}
