/**
 * Client Attestation PoP JWTs (attestation draft §5.1): that whoever sends an attestation holds the key it vouches for.
 */
import { isAccepted } from '../../client-keys/algorithms.ts'
import { importPublicKey, unsuitable } from '../../client-keys/public-keys.ts'
import type { Clock } from '../../client-request.ts'
import type { DecisionBuilder } from '../../decisions/builder.ts'
import type { CheckDetail, CheckName } from '../../decisions/decision.ts'
import { UseAttestationChallengeError } from '../../errors.ts'
import type { Store } from '../../stores/store.ts'
import { claimsSignedBy, decodeUnverified, describeClaim, isName, isNumericDate, longestName, typeOf } from '../compact-jws.ts'
import { consumeOnce } from '../replay.ts'
import { challengeLifetime, type AttestationChallenges } from './challenges.ts'
import type { AttestedInstance } from './client-attestation.ts'
import type { JsonObject } from '../../json.ts'

/** The checks {@link verifyProofOfPossession} goes through, in order. */
export const proofChecks: readonly CheckName[] = [
  'pop_header',
  'pop_signature',
  'pop_audience',
  'pop_freshness',
  'attestation_challenge',
  'jti',
  'replay'
]

/** The rules of a server for proofs of possession. */
export interface ProofRules {
  readonly issuer: string
  readonly store: Store
  readonly clock: Clock
  readonly algorithms: readonly string[]
  readonly challenges: AttestationChallenges
  /** Whether a proof has to answer a challenge. */
  readonly challengeRequired: boolean
  /** Whether a challenge is good for one proof. */
  readonly challengeOnce: boolean
}

/** Seconds a proof may be old, and a client's clock be off. */
const window = 300
const tolerance = 10
const type = 'oauth-client-attestation-pop+jwt'
const section = 'attestation draft-12 §7.2'

/**
 * Every check of a proof, by the key of the instance; its challenge, where that is good for one, and its jti are used
 * up last.
 *
 * @param pop the header as it came; two headers arrive as one that is no JWT.
 * @throws InvalidClientError with the decision, at the first check that fails; UseAttestationChallengeError with a
 * challenge to answer; TemporarilyUnavailableError where the store cannot tell whether it was used before.
 */
export async function verifyProofOfPossession(
  pop: string | undefined,
  instance: AttestedInstance,
  rules: ProofRules,
  decision: DecisionBuilder
): Promise<void> {
  const alg = checkHeader(pop, instance, rules, decision)
  const claims = await checkSignature(pop ?? '', alg, instance, decision)
  checkAudience(claims['aud'], rules, decision)
  const iat = checkFreshness(claims, rules, decision)
  const challenge = checkChallenge(claims['challenge'], rules, decision)
  const jti = checkJti(claims['jti'], decision)
  // who has failed already, as an unknown client has, uses nothing up
  if (decision.hasFailed) throw decision.refuse('replay')
  await useUp({ challenge, jti, iat }, instance, rules, decision)
}

function checkHeader(
  pop: string | undefined,
  { jwk }: AttestedInstance,
  { algorithms }: ProofRules,
  decision: DecisionBuilder
): string {
  const refuse = (received: string, fix: string) => decision.refuse('pop_header', { section, received, fix })
  if (pop === undefined)
    throw refuse('no OAuth-Client-Attestation-PoP header', 'Send a proof of possession beside the attestation.')
  const jws = decodeUnverified(pop)
  if (jws.outcome === 'malformed')
    throw refuse(jws.reason, 'Send exactly one OAuth-Client-Attestation-PoP header, with one JWT in compact serialization.')
  const { typ, alg, crit } = jws.header
  if (crit !== undefined) throw refuse('crit', 'Sign without a crit header; no extension is understood.')
  if (typeOf(typ) !== type) throw refuse(`typ ${describeClaim(typ)}`, `Set the typ header of the proof to ${type}.`)
  if (!isAccepted(alg, algorithms)) throw refuse(`alg ${describeClaim(alg)}`, `Sign the proof with ${algorithms.join(' or ')}.`)
  const problem = unsuitable(jwk, alg)
  if (problem !== undefined)
    throw refuse(`alg ${alg}, and the attested key ${problem}`, 'Sign the proof as the key in cnf.jwk of the attestation signs.')
  decision.pass('pop_header')
  return alg
}

async function checkSignature(
  pop: string,
  alg: string,
  { jwk }: AttestedInstance,
  decision: DecisionBuilder
): Promise<JsonObject> {
  const imported = await importPublicKey(jwk, alg)
  const claims = imported && (await claimsSignedBy(pop, imported.key, alg))
  if (claims === undefined)
    throw decision.refuse('pop_signature', {
      section,
      received: `a signature (${alg}) that the attested key did not make`,
      fix: 'Sign the proof with the private half of the key in cnf.jwk of the attestation that is sent with it.'
    })
  decision.pass('pop_signature')
  return claims
}

/** Compared as it stands, and never a list: a proof is for one server. */
function checkAudience(aud: unknown, { issuer }: ProofRules, decision: DecisionBuilder): void {
  if (aud !== issuer)
    throw decision.refuse('pop_audience', {
      section,
      expected: issuer,
      received: Array.isArray(aud) ? 'a list' : describeClaim(aud),
      fix: 'Send the issuer identifier of this server as aud of the proof, as a string.'
    })
  decision.pass('pop_audience')
}

function checkFreshness({ iat, nbf, exp }: JsonObject, { clock }: ProofRules, decision: DecisionBuilder): number {
  const now = clock() / 1000
  const isWithin = isNumericDate(iat) && Math.abs(now - iat) <= window
  const begun = nbf === undefined || (isNumericDate(nbf) && nbf <= now + tolerance)
  const lasts = exp === undefined || (isNumericDate(exp) && exp + tolerance > now)
  if (!isWithin || !begun || !lasts)
    throw decision.refuse('pop_freshness', {
      section,
      expected: `an iat within ${window} s of ${Math.floor(now)}`,
      received: `iat ${describeClaim(iat)}${begun && lasts ? '' : ', and nbf or exp does not hold'}`,
      fix: 'Sign a new proof for every request, with the time of now as iat; correct the client’s clock.'
    })
  decision.pass('pop_freshness')
  return iat
}

/**
 * A challenge that is not this server's, or was answered before where once is all, is always refused; a missing or
 * stale one where there has to be one.
 *
 * @returns the challenge, where it is one to use up.
 */
function checkChallenge(challenge: unknown, rules: ProofRules, decision: DecisionBuilder): string | undefined {
  const { challenges, challengeRequired, challengeOnce } = rules
  const state = stateOf(challenge, challenges)
  if (state === 'wrong' || (state !== 'fresh' && challengeRequired)) throw refuseChallenge(badChallenges[state], rules, decision)
  return state === 'fresh' && challengeOnce ? (challenge as string) : undefined
}

const badChallenges = { missing: 'no claim challenge', stale: 'one that is too old', wrong: 'one that is not of this server' }

function stateOf(challenge: unknown, challenges: ProofRules['challenges']) {
  if (challenge === undefined) return 'missing'
  return typeof challenge === 'string' ? challenges.judge(challenge) : 'wrong'
}

function refuseChallenge(received: string, { challenges }: ProofRules, decision: DecisionBuilder) {
  const detail: CheckDetail = {
    section: 'attestation draft-12 §6.1',
    expected: 'a challenge of this server',
    received,
    fix: 'Sign a new proof whose claim challenge is the OAuth-Client-Attestation-Challenge of this answer.'
  }
  const error = new UseAttestationChallengeError(challenges.next(), { reason: `attestation_challenge: ${received}` })
  return decision.refuseAs('attestation_challenge', detail, error)
}

function checkJti(jti: unknown, decision: DecisionBuilder): string {
  if (isName(jti)) return jti
  decision.pass('attestation_challenge')
  throw decision.refuse('jti', {
    section,
    expected: `a string of 1 to ${longestName} characters`,
    received: typeof jti === 'string' ? `${jti.length} characters` : typeof jti,
    fix: 'Send a fresh random jti in every proof of possession.'
  })
}

async function useUp(
  { challenge, jti, iat }: { readonly challenge: string | undefined; readonly jti: string; readonly iat: number },
  { jkt }: AttestedInstance,
  rules: ProofRules,
  decision: DecisionBuilder
): Promise<void> {
  const { issuer, store, clock } = rules
  const isFirst = challenge === undefined || (await consumeOnce(store, 'attestation_challenge', [issuer, challenge], challengeLifetime + window)) // prettier-ignore
  if (!isFirst) throw refuseChallenge('one that was answered before', rules, decision)
  decision.pass('attestation_challenge')
  decision.pass('jti')
  const ttl = Math.ceil(iat + window - clock() / 1000) + 1
  if (!(await consumeOnce(store, 'attestation_pop', [issuer, jkt, jti], ttl)))
    throw decision.refuse('replay', {
      section,
      received: 'a jti that was used before',
      fix: 'Sign a new proof with a new jti for every request.'
    })
  decision.pass('replay')
}
