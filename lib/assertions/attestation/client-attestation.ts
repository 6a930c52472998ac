/**
 * Client Attestation JWTs (attestation draft §4): an attester's word for one instance of a client, and for that
 * instance's key.
 */
import type { CryptoKey, JWK } from 'jose'
import { LRUCache } from 'lru-cache'
import { jwkThumbprint } from '../../clients/credentials.ts'
import { privateMembers } from '../../clients/metadata/jwk.ts'
import { isPublicKey } from '../../client-keys/public-keys.ts'
import { isAccepted } from '../../client-keys/algorithms.ts'
import type { Clock } from '../../client-request.ts'
import type { DecisionBuilder } from '../../decisions/builder.ts'
import type { CheckName } from '../../decisions/decision.ts'
import { UseFreshAttestationError } from '../../errors.ts'
import { claimsSignedBy, decodeUnverified, describeClaim, isNumericDate, typeOf } from '../compact-jws.ts'
import type { Attesters } from './attesters.ts'
import { isJsonObject, type JsonObject } from '../../json.ts'

/** The checks {@link verifyAttestation} goes through, in order. */
export const attestationChecks: readonly CheckName[] = [
  'attestation_header',
  'attestation_type',
  'attester',
  'attestation_signature',
  'attestation_subject',
  'attestation_confirmation',
  'attestation_freshness'
]

/** An instance of a client that an attester vouched for. */
export interface AttestedInstance {
  /** Its public key. One object for as long as the attestation is kept. */
  readonly jwk: JWK
  /** The key's RFC 7638 thumbprint. */
  readonly jkt: string
}

/** The rules of a server for attestations. */
export interface AttestationRules {
  readonly attesters: Attesters
  readonly algorithms: readonly string[]
  /** Seconds since `iat`; undefined: `exp` alone decides. */
  readonly maxAge: number | undefined
  readonly clock: Clock
  readonly verified: VerifiedAttestations
}

/**
 * Attestations whose signature was verified, each with the key that made it and its claims: an instance shows the same
 * one again and again.
 */
type VerifiedAttestations = LRUCache<string, { readonly key: CryptoKey; readonly claims: JsonObject }>

/** Characters of all that are kept; no more than attesters of this server signed. */
const mostKept = 4_194_304

export function verifiedAttestations(): VerifiedAttestations {
  return new LRUCache({ maxSize: mostKept, sizeCalculation: (_, attestation) => attestation.length })
}

interface PresentedAttestation {
  /** The header as it came; two headers arrive as one that is no JWT. Undefined: there was none. */
  readonly attestation: string | undefined
  /** The client it has to be about. */
  readonly client_id: string
  /** The request's `client_id` parameter, where there is one. */
  readonly client_id_parameter: string | undefined
}

/** Seconds an attester's clock may be ahead, and an attestation be past its `exp`. */
const tolerance = 10
const type = 'oauth-client-attestation+jwt'
const section = 'attestation draft-12 §7.1'

/**
 * Guaranteed of an attestation that passes: one of the attesters that may vouch for this client signed it, its subject
 * is the client, it is within its time, and its key is public.
 *
 * @throws InvalidClientError with the decision, at the first check that fails; UseFreshAttestationError for one that is
 * older than the server's own limit.
 */
export async function verifyAttestation(
  presented: PresentedAttestation,
  rules: AttestationRules,
  decision: DecisionBuilder
): Promise<AttestedInstance> {
  const { client_id } = presented
  const attestation = presented.attestation ?? ''
  const header = readHeader(attestation, decision)
  const alg = checkHeader(header, rules, decision)
  const found = await rules.attesters.find(
    { alg, kid: typeof header['kid'] === 'string' ? header['kid'] : undefined, x5c: header['x5c'] },
    client_id,
    rules.clock()
  )
  if ('problem' in found)
    throw decision.refuse('attester', {
      section: 'attestation draft-12 §10.8',
      expected: 'an attester that may vouch for this client',
      received: found.problem,
      fix: 'Have the attestation signed by an attester of this server’s configuration, or add its key, its authority or this client there.'
    })
  decision.pass('attester')
  const claims = await checkSignature(attestation, alg, found.keys, rules, decision)
  checkSubject(claims['sub'], presented, decision)
  const jwk = checkConfirmation(claims['cnf'], decision)
  checkFreshness(claims, rules, decision)
  return { jwk, jkt: jwkThumbprint(jwk) }
}

function readHeader(attestation: string, decision: DecisionBuilder): JsonObject {
  const jws = decodeUnverified(attestation)
  if (jws.outcome === 'malformed')
    throw decision.refuse('attestation_header', {
      section,
      received: attestation === '' ? 'no OAuth-Client-Attestation header' : jws.reason,
      fix: 'Send exactly one OAuth-Client-Attestation header, with one signed JWT in compact serialization.'
    })
  const { crit, kid } = jws.header
  if (crit !== undefined || (kid !== undefined && typeof kid !== 'string'))
    throw decision.refuse('attestation_header', {
      section: 'RFC 7515 §4.1',
      received: crit === undefined ? 'a kid that is no string' : 'crit',
      fix: 'Sign the attestation without crit, of which no extension is understood, and with a string as kid.'
    })
  decision.pass('attestation_header')
  return jws.header
}

function checkHeader({ typ, alg }: JsonObject, { algorithms }: AttestationRules, decision: DecisionBuilder): string {
  if (typeOf(typ) !== type)
    throw decision.refuse('attestation_type', {
      section: 'attestation draft-12 §4',
      expected: type,
      received: describeClaim(typ),
      fix: `Have the attester set the typ header to ${type}.`
    })
  decision.pass('attestation_type')
  if (!isAccepted(alg, algorithms))
    throw decision.refuse('attester', {
      section,
      expected: algorithms.join(', '),
      received: describeClaim(alg),
      fix: 'Have the attester sign with an algorithm of client_attestation_signing_alg_values_supported.'
    })
  return alg
}

async function checkSignature(
  attestation: string,
  alg: string,
  keys: readonly CryptoKey[],
  { verified }: AttestationRules,
  decision: DecisionBuilder
): Promise<JsonObject> {
  const known = verified.get(attestation)
  if (known !== undefined && keys.includes(known.key)) {
    decision.pass('attestation_signature')
    return known.claims
  }
  for (const key of keys) {
    const claims = await claimsSignedBy(attestation, key, alg)
    if (claims === undefined) continue
    decision.pass('attestation_signature')
    verified.set(attestation, { key, claims })
    return claims
  }
  throw decision.refuse('attestation_signature', {
    section,
    received: `a signature (${alg}) that no attester for this client made`,
    fix: 'Have the attestation signed with a key the attester is known by here, or configure the key it signs with.'
  })
}

function checkSubject(sub: unknown, presented: PresentedAttestation, decision: DecisionBuilder): void {
  const { client_id, client_id_parameter } = presented
  if (sub !== client_id)
    throw decision.refuse('attestation_subject', {
      section,
      expected: client_id,
      received: describeClaim(sub),
      fix: 'Send an attestation whose sub is the client_id of the client that sends it.'
    })
  if (client_id_parameter !== undefined && client_id_parameter !== client_id)
    throw decision.refuse('attestation_subject', {
      section,
      expected: client_id,
      received: `the parameter client_id ${client_id_parameter}`,
      fix: 'Leave the client_id parameter out, or send the attestation’s sub in it.'
    })
  decision.pass('attestation_subject')
}

function checkConfirmation(cnf: unknown, decision: DecisionBuilder): JWK {
  const jwk = isJsonObject(cnf) ? cnf['jwk'] : undefined
  const revealed = privateMembers.filter(member => isJsonObject(jwk) && member in jwk)
  if (!isPublicKey(jwk) || revealed.length > 0)
    throw decision.refuse('attestation_confirmation', {
      section,
      expected: 'a public key as cnf.jwk',
      received: revealed.length > 0 ? `a key with ${revealed.join(', ')}` : 'no public key',
      fix: 'Have the attester put the public key of the client instance into cnf.jwk, and no private part of it.'
    })
  decision.pass('attestation_confirmation')
  return jwk
}

function checkFreshness({ iat, exp, nbf }: JsonObject, { clock, maxAge }: AttestationRules, decision: DecisionBuilder): void {
  const now = clock() / 1000
  const detail = { section, expected: `iat, exp and, where it is there, nbf around ${Math.floor(now)}` }
  const expiresLater = isNumericDate(exp) && exp + tolerance > now
  const begun = isNumericDate(iat) && iat <= now + tolerance
  if (!begun || !expiresLater || (nbf !== undefined && !(isNumericDate(nbf) && nbf <= now + tolerance))) {
    const received = `iat ${describeTime(iat)}, exp ${describeTime(exp)}${nbf === undefined ? '' : `, nbf ${describeTime(nbf)}`}`
    throw decision.refuse('attestation_freshness', {
      ...detail,
      received,
      fix: 'Get a new attestation from the attester before this one expires; compare the clocks.'
    })
  }
  if (maxAge !== undefined && now - iat > maxAge + tolerance) {
    const received = `an attestation of ${Math.floor(now - iat)} s, and at most ${maxAge} s are accepted`
    const fix = 'Get a new attestation from the attester more often, or raise attestation.maxAge.'
    const error = new UseFreshAttestationError({ reason: `attestation_freshness: ${fix}` })
    throw decision.refuseAs('attestation_freshness', { ...detail, received, fix }, error)
  }
  decision.pass('attestation_freshness')
}

function describeTime(value: unknown): string {
  if (value === undefined) return 'missing'
  return isNumericDate(value) ? String(value) : 'no time'
}
