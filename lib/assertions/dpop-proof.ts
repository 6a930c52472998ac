/** DPoP proofs (RFC 9449): a JWT per request that shows its sender holds the key a token is (to be) bound to. */
import { hash } from 'node:crypto'
import type { JWK } from 'jose'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { isSignedBy } from '../crypto/jws-signature.ts'
import { supportedMlDsa } from '../crypto/ml-dsa.ts'
import { printable } from '../printable.ts'
import { InvalidDpopProofError, UseDpopNonceError } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import type { ClientRequest, Clock } from '../client-request.ts'
import type { Store } from '../stores/store.ts'
import { decodeUnverified, isName } from './compact-jws.ts'
import type { DpopNonces } from './dpop-nonces.ts'
import { importPublicKey, unsuitable } from '../client-keys/public-keys.ts'
import { consumeOnce } from './replay.ts'
import type { JsonObject } from '../json.ts'

/** The rules of a server for DPoP proofs. */
export interface DpopPolicy {
  /** Keeps the proofs that were used apart from those of other servers on the same store. */
  readonly issuer: string
  readonly store: Store
  readonly clock: Clock
  /** The signature algorithms accepted, for metadata too. */
  readonly algorithms: readonly string[]
  /** Issues and knows the nonces proofs must carry; undefined where none is asked for. */
  readonly nonces: DpopNonces | undefined
  /** Tells of proofs that were used before; undefined while nobody listens. */
  readonly emit?: Emit | undefined
}

/** RSASSA-PKCS1-v1_5 is left out: FAPI 2.0 §5.4.1, and nothing that makes proofs needs it. */
export const dpopAlgorithms: readonly string[] = ['ES256', 'PS256', 'EdDSA', 'Ed25519', 'ES384', 'ES512', ...supportedMlDsa]

interface DpopProofInput {
  /** The `DPoP` header as it came; two headers arrive as one that is no JWT. */
  readonly proof: string
  /** The request's method. */
  readonly method: string
  /** The addresses the request may have been sent to, from configuration, never from the Host header. */
  readonly addresses: readonly string[]
  /** The access token beside the proof, at a protected resource. */
  readonly access_token?: string | undefined
  /** The request's body, where the proof must have its digest. Then the proof may be five minutes off either way. */
  readonly body?: Uint8Array | undefined
  readonly policy: DpopPolicy
  /** Judges the key before the proof is used up: what it throws refuses the proof. */
  readonly judge?: ((jkt: string) => void) | undefined
  /** The client that presents it, and the trace of its request: for the event `dpop.replayed`. */
  readonly by?: { readonly client_id?: string | undefined; readonly traceId?: (() => string) | undefined } | undefined
}

/** Seconds a client's clock may be ahead, and a proof may be old. */
const tolerance = 10
const maxAge = 60
/** Both, for a proof that is bound to one body (the draft of MCP's DPoP extension, "DPoP Proof Validity Window"). */
const maxAgeWithDigest = 300

/**
 * Every check of RFC 9449 §4.3, the replay check last: a proof that fails any other uses up nothing.
 *
 * @returns the thumbprint of the key (RFC 7638), for `cnf.jkt`.
 * @throws InvalidDpopProofError with the reason for the operator; UseDpopNonceError with a nonce to use.
 */
export async function verifyDpopProof(input: DpopProofInput): Promise<{ jkt: string }> {
  const { proof, policy } = input
  const jws = decodeUnverified(proof)
  if (jws.outcome === 'malformed') throw refuse(`the proof is ${jws.reason}`)
  const jwk = await checkSignature(proof, jws.header, policy)
  const { jti, iat } = checkClaims(jws.payload, input)
  checkNonce(jws.payload['nonce'], policy)
  const jkt = await calculateJwkThumbprint(jwk)
  input.judge?.(jkt)
  const { oldest } = windowOf(input)
  const ttl = Math.ceil(iat + oldest + tolerance - policy.clock() / 1000) + 1
  if (await consumeOnce(policy.store, 'dpop_proof', [policy.issuer, jkt, jti], ttl)) return { jkt }
  policy.emit?.({ type: 'dpop.replayed', trace_id: input.by?.traceId?.(), client_id: input.by?.client_id, jkt })
  throw refuse('the proof was used before')
}

/**
 * The same for a request that a client authenticated with; one whose proof was verified with that is not asked again.
 *
 * @throws InvalidDpopProofError, UseDpopNonceError, and InvalidDpopProofError for several headers.
 */
export async function verifyRequestProof(
  request: ClientRequest,
  client_id: string,
  policy: DpopPolicy,
  addresses: readonly string[]
): Promise<{ jkt: string } | undefined> {
  if (request.dpop !== undefined) return request.dpop
  const proof = request.headers['dpop']
  if (proof === undefined) return undefined
  if (typeof proof !== 'string') throw refuse('more than one DPoP header was sent')
  return verifyDpopProof({ proof, method: 'POST', addresses, policy, by: { client_id, traceId: request.traceId } })
}

async function checkSignature(proof: string, header: JsonObject, policy: DpopPolicy): Promise<JWK> {
  const { typ, alg, jwk, crit } = header
  if (typ !== 'dpop+jwt') throw refuse(`typ is ${shown(typ)}, not dpop+jwt`)
  if (crit !== undefined) throw refuse('it has a crit header, and no extension is understood')
  if (typeof alg !== 'string' || !policy.algorithms.includes(alg))
    throw refuse(`alg is ${shown(alg)}, not one of ${policy.algorithms.join(', ')}`)
  const problem = unsuitable(jwk, alg)
  if (problem !== undefined) throw refuse(`the key in its header ${problem}`)
  const key = await importPublicKey(jwk as JWK, alg)
  if (key === undefined) throw refuse('the key in its header is malformed')
  if (!(await isSignedBy(proof, key.key, alg))) throw refuse('the signature was not made with the key in its header')
  return jwk as JWK
}

function checkClaims(claims: JsonObject, input: DpopProofInput): { jti: string; iat: number } {
  const { jti, htm, htu, iat, ath } = claims
  if (!isName(jti)) throw refuse('jti is missing or too long')
  if (htm !== input.method) throw refuse(`htm is ${shown(htm)}, not the method of the request, ${input.method}`)
  if (typeof htu !== 'string' || !input.addresses.some(address => sameAddress(htu, address))) {
    throw refuse(`htu is ${shown(htu)}, not the address of the request, ${input.addresses.join(' or ')}`)
  }
  const now = input.policy.clock() / 1000
  if (typeof iat !== 'number' || !Number.isFinite(iat)) throw refuse('iat is missing')
  const { oldest, ahead } = windowOf(input)
  if (iat > now + ahead || iat < now - oldest) throw refuse(`iat is ${iat}, now is ${Math.floor(now)}: check the clock`)
  for (const [name, early] of [
    ['nbf', true],
    ['exp', false]
  ] as const) {
    const time = claims[name]
    if (time === undefined) continue
    if (typeof time !== 'number' || (early ? time > now + tolerance : time <= now - tolerance))
      throw refuse(`${name} does not hold`)
  }
  if (input.access_token !== undefined && ath !== hash('sha256', input.access_token, 'base64url'))
    throw refuse('ath is not the hash of the access token')
  if (input.body !== undefined && claims['content_digest'] !== `sha-256=:${hash('sha256', input.body, 'base64')}:`)
    throw refuse('content_digest is not the digest of the body')
  return { jti, iat }
}

/** Seconds a proof may be old, and its maker's clock ahead. */
function windowOf({ body }: DpopProofInput): { readonly oldest: number; readonly ahead: number } {
  return body === undefined ? { oldest: maxAge, ahead: tolerance } : { oldest: maxAgeWithDigest, ahead: maxAgeWithDigest }
}

/** RFC 9449 §4.3 (9): without query and fragment, scheme and host in any case, the default port or none. */
function sameAddress(htu: string, address: string): boolean {
  if (!URL.canParse(htu)) return false
  const given = new URL(htu)
  const expected = new URL(address)
  return (
    given.origin === expected.origin && given.pathname === expected.pathname && given.username === '' && given.password === ''
  )
}

function checkNonce(nonce: unknown, { nonces }: DpopPolicy): void {
  if (nonces === undefined) return
  if (nonce === undefined) throw new UseDpopNonceError(nonces.current(), { reason: 'the proof has no nonce' })
  if (typeof nonce !== 'string' || !nonces.isValid(nonce))
    throw new UseDpopNonceError(nonces.current(), { reason: 'the nonce is not, or no longer, valid' })
}

/**
 * A value of the proof's, for the operator's eyes. An address may carry what is nobody's to read: it is cut before its
 * query.
 */
function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  return typeof value === 'string' ? printable(value.replace(/[?#].*$/s, '')) || 'empty' : `a ${typeof value}`
}

function refuse(reason: string): InvalidDpopProofError {
  return new InvalidDpopProofError({ reason })
}
