/**
 * JWT client authentication (RFC 7523 §2.2 and §3, as rfc7523bis replaces it; OpenID Connect Core §9): one place for
 * every rule about a client assertion, whether a secret or a private key signed it.
 */
import type { Client } from '../clients/client.ts'
import { nobody } from '../clients/nobody.ts'
import type { CheckName } from '../decisions/decision.ts'
import type { InvalidClientError } from '../errors.ts'
import type { DecisionBuilder } from '../decisions/builder.ts'
import { asymmetricAlgorithms, isAccepted, sameAlgorithm, symmetricAlgorithms } from '../client-keys/algorithms.ts'
import { isSignedBy } from '../crypto/jws-signature.ts'
import { whyUnsupported } from '../crypto/ml-dsa.ts'
import { checkClaims } from './assertion-claims.ts'
import type { AssertionPolicy } from './assertion-policy.ts'
import type { CandidateKey, ClientKeys } from '../client-keys/client-keys.ts'
import { decodeUnverified, describeClaim, typeOf, type ReadJws, type UnverifiedJws } from './compact-jws.ts'
import { nobodysKeys, verifyInVain } from './nobodys-keys.ts'
import { lateUse, throwRefusal, type LateUse } from '../stores/late-use.ts'
import { consumeOnce, useOf } from './replay.ts'
import type { Store } from '../stores/store.ts'
import { importSecret, liveSecrets, type SecretKey } from '../client-keys/secret-keys.ts'
import type { JsonObject } from '../json.ts'

export { assertionOptionChecks, assertionPolicy, type AssertionOptions, type AssertionPolicy } from './assertion-policy.ts'

/** The `client_assertion_type` of RFC 7523 §2.2. */
export const jwtBearerAssertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The checks {@link verifyClientAssertion} goes through, in order. A strategy announces them. */
export const assertionChecks: readonly CheckName[] = [
  'assertion_format',
  'header',
  'algorithm',
  'key',
  'signature',
  'type',
  'issuer_and_subject',
  'audience',
  'expiry',
  'not_before',
  'issued_at',
  'lifetime',
  'jti',
  'replay'
]

type AssertionIdentification =
  | { readonly outcome: 'malformed'; readonly reason: string }
  | { readonly outcome: 'present'; readonly client_id: string; readonly alg: string }

/**
 * Says whose assertion this claims to be: its `sub`, or its `iss` where it has no `sub`. Nothing is verified, and never
 * throws. `reason` is a clause for the operator that quotes nothing of the assertion.
 */
export function identifyUnverified(jws: UnverifiedJws): AssertionIdentification {
  if (jws.outcome === 'malformed') return jws
  const { alg } = jws.header
  if (typeof alg !== 'string') return { outcome: 'malformed', reason: 'its header has no alg' }
  // without sub the check of iss and sub will refuse it; until then the record should name the client it most likely is
  const client_id = jws.payload['sub'] ?? jws.payload['iss']
  if (typeof client_id !== 'string' || client_id === '') return { outcome: 'malformed', reason: 'its sub is not a client_id' }
  return { outcome: 'present', client_id, alg }
}

export interface ClientAssertionInput {
  readonly assertion: string
  /** The assertion, decoded. Default: it is decoded here. */
  readonly jws?: UnverifiedJws | undefined
  readonly client: Client
  /** The request's `client_id` parameter, which is optional beside an assertion and must agree with it. */
  readonly client_id_parameter: string | undefined
  /**
   * The key that the client's registered method signs with: its secret (`client_secret_jwt`) or its private key
   * (`private_key_jwt`).
   */
  readonly kind: 'symmetric' | 'asymmetric'
  readonly policy: AssertionPolicy
  readonly decision: DecisionBuilder
  readonly clientKeys: Pick<ClientKeys, 'find'>
  /** The store that keeps its jti. Default: that of the policy. */
  readonly store?: Store | undefined
  /** Takes the use of the jti, to be settled later. Left out: the jti is used up here. */
  readonly later?: ((use: LateUse) => void) | undefined
  /** The client's secrets that have not expired. Default: those it was registered with. */
  readonly secrets?: readonly SecretKey[] | undefined
}

/**
 * Verifies a client assertion and uses up its jti, which happens last: what fails any other check consumes nothing. Of
 * any number of concurrent calls with one assertion, exactly one resolves; where the use is left for later, each does,
 * and for exactly one of them that turns out to be the first.
 *
 * Guaranteed of an assertion that passes: signed with a key or secret of this client by an algorithm of the client's
 * kind; `iss` = `sub` = its client_id; `aud` is this issuer (or what the dial lets through); now between `iat`/`nbf`
 * and `exp`; never presented before. Keys and key URLs in the header (`jwk`, `jku`, `x5c`, `x5u`, `x5t`) are ignored. A
 * missing `typ` is accepted, as rfc7523bis advises; that of another kind of JWT never is (RFC 8725 §3.11).
 *
 * @returns which credential it was: `kid:<kid>`, `jkt:<thumbprint>` or `secret:<id>`.
 * @throws {@link InvalidClientError} with the decision, at the first check that fails.
 * @throws {@link TemporarilyUnavailableError} where the store cannot tell whether the jti was used.
 */
export async function verifyClientAssertion(input: ClientAssertionInput): Promise<{ credential: string }> {
  const { assertion, client, policy, decision } = input
  const jws = input.jws ?? decodeUnverified(assertion)
  const { header, payload, alg, candidates } = await prepare(jws, input)
  decision.pass('key')
  const credential = await checkSignature(assertion, alg, candidates, decision)
  decision.credential = credential
  checkType(header['typ'], policy, decision)
  const { jti, expiresIn } = checkClaims(payload, input)
  const ttl = Math.ceil(expiresIn + policy.clockTolerance) + 1
  const use = ['client_assertion', [policy.issuer, client.client_id, jti], ttl] as const
  if (input.later !== undefined) input.later(lateUse(useOf(...use), isFirst => judgeUse(isFirst, decision)))
  else throwRefusal(judgeUse(await consumeOnce(input.store ?? policy.store, ...use), decision))
  return { credential }
}

function judgeUse(isFirst: boolean, decision: DecisionBuilder): InvalidClientError | undefined {
  if (isFirst) {
    decision.pass('replay')
    return undefined
  }
  return decision.refuse('replay', {
    section: 'OpenID Connect Core §9',
    received: 'a jti that was used before',
    fix: 'Sign a new assertion with a new jti for every request.'
  })
}

/**
 * The work of {@link verifyClientAssertion} for a client that is not there: with keys and a secret that nobody has, so
 * always in vain.
 *
 * @throws {@link InvalidClientError} always.
 */
export function pretendVerification(input: Omit<ClientAssertionInput, 'client' | 'secrets'>): Promise<{ credential: string }> {
  const { assertion, jws, client_id_parameter, kind, policy, decision } = input
  // written out as for a client that is there: a copy takes V8 some microseconds, which would tell them apart
  const clientKeys = nobodysKeys(input.clientKeys)
  return verifyClientAssertion({ assertion, jws, client_id_parameter, kind, policy, client: nobody, decision, clientKeys })
}

/**
 * Makes the checks before the signature. A refusal there costs a verification all the same, where `alg` is a known one:
 * time tells nothing of what a client registered.
 */
async function prepare(jws: UnverifiedJws, input: ClientAssertionInput) {
  try {
    const { header, payload } = readParts(jws, input.decision)
    const alg = checkAlgorithm(header['alg'], input)
    return { header, payload, alg, candidates: await findKeys(header, alg, input) }
  } catch (error) {
    await verifyInVain(input.assertion, jws)
    throw error
  }
}

function readParts(jws: UnverifiedJws, decision: DecisionBuilder): ReadJws {
  if (jws.outcome === 'malformed') {
    throw decision.refuse('assertion_format', {
      section: 'RFC 7523 §3',
      received: jws.reason,
      fix: 'Send one signed JWT in compact serialization as client_assertion.'
    })
  }
  decision.pass('assertion_format')
  const { crit, kid } = jws.header
  if (crit !== undefined) {
    throw decision.refuse('header', {
      section: 'RFC 7515 §4.1.11',
      received: 'crit',
      fix: 'Sign without a crit header; no extension is understood.'
    })
  }
  if (kid !== undefined && typeof kid !== 'string') {
    throw decision.refuse('header', {
      section: 'RFC 7515 §4.1.4',
      expected: 'a string as kid',
      received: typeof kid,
      fix: 'Send the kid header as a string.'
    })
  }
  decision.pass('header')
  return jws
}

function checkAlgorithm(alg: unknown, { client, kind, policy, decision }: ClientAssertionInput): string {
  const ofKind = kind === 'symmetric' ? symmetricAlgorithms : asymmetricAlgorithms
  const registered = client.token_endpoint_auth_signing_alg
  const allowed = policy.algorithms.filter(
    candidate => ofKind.has(candidate) && (registered === undefined || sameAlgorithm(registered, candidate))
  )
  if (isAccepted(alg, allowed)) {
    decision.pass('algorithm')
    return alg
  }
  const detail = {
    section: 'RFC 8725 §3.1',
    expected: allowed.join(', '),
    received: typeof alg === 'string' ? alg : typeof alg,
    fix: algorithmFix(alg, allowed, registered)
  }
  // none, and what is of the other kind, is not among these
  if (policy.dials.alg === 'enforce' || typeof alg !== 'string' || !ofKind.has(alg)) throw decision.refuse('algorithm', detail)
  decision.report('algorithm', detail)
  return alg
}

function algorithmFix(alg: unknown, allowed: readonly string[], registered: string | undefined): string {
  const why = whyUnsupported(alg)
  if (why !== undefined)
    return `Run this server on a Node that can verify it: ${String(alg)} ${why}. Or sign with ${allowed.join(' or ')}.`
  if (allowed.length === 0) return 'Register a token_endpoint_auth_signing_alg that this server accepts for the client’s method.'
  const orRegister = registered === undefined ? '' : ', or register another token_endpoint_auth_signing_alg'
  return `Sign with ${allowed.join(' or ')}${orRegister}.`
}

function findKeys(header: JsonObject, alg: string, input: ClientAssertionInput): Promise<readonly CandidateKey[]> {
  if (input.kind === 'symmetric') return findSecrets(alg, input)
  const kid = header['kid']
  return input.clientKeys.find(input.client, { alg, kid: typeof kid === 'string' ? kid : undefined }, input.decision)
}

async function findSecrets(alg: string, input: ClientAssertionInput): Promise<readonly CandidateKey[]> {
  const { client, policy, decision, secrets = liveSecrets(client, policy.clock) } = input
  const shortest = symmetricAlgorithms.get(alg)?.shortestKey ?? Infinity
  const usable = secrets.filter(({ key }) => key.length >= shortest)
  if (usable.length > 0) {
    return Promise.all(usable.map(async secret => ({ key: await importSecret(secret, alg), credential: `secret:${secret.id}` })))
  }
  throw decision.refuse('key', {
    section: 'RFC 7518 §3.2',
    expected: `a secret of at least ${shortest} bytes for ${alg}`,
    received: secrets.length === 0 ? 'no secret that has not expired' : 'a shorter one',
    fix: `Give the client a new client_secret of at least ${shortest} bytes.`
  })
}

async function checkSignature(
  assertion: string,
  alg: string,
  candidates: readonly CandidateKey[],
  decision: DecisionBuilder
): Promise<string> {
  for (const { key, credential } of candidates) {
    if (!(await isSignedBy(assertion, key, alg))) continue
    decision.pass('signature')
    return credential
  }
  throw decision.refuse('signature', {
    section: 'RFC 7523 §3',
    expected: candidates.map(({ credential }) => credential).join(', '),
    received: `a signature (${alg}) that none of these keys made`,
    fix: 'Sign with the key or secret registered for this client, or register the one it signs with.'
  })
}

const explicitType = 'client-authentication+jwt'

function checkType(typ: unknown, { dials }: AssertionPolicy, decision: DecisionBuilder): void {
  const type = typeOf(typ)
  const saysNothing = type === undefined || type === 'jwt'
  if (type === explicitType || (saysNothing && dials.typ === 'off')) {
    decision.pass('type')
    return
  }
  const detail = {
    section: 'rfc7523bis §3.2',
    expected: explicitType,
    received: typ === undefined ? 'no typ' : describeClaim(typ),
    fix: `Send the typ header ${explicitType}; a JWT made for something else is not a client assertion.`
  }
  if (!saysNothing || dials.typ === 'enforce') throw decision.refuse('type', detail)
  decision.report('type', detail)
}
