/**
 * The life of keys: a key is published before it signs, and goes on verifying after it has. Nobody who follows
 * `jwks_uri` ever meets a signature of a key that is not there, unless that key had to sign at once.
 */
import type { JWK } from 'jose'
import { generateMacKey, generateSigningKey, type PrivateKeySet, type SigningAlgorithm } from './generate-keys.ts'

/** A key and what it is for, since when (seconds since the epoch). */
interface KeptKey {
  readonly state: 'next' | 'current' | 'retired'
  readonly since: number
  readonly jwk: JWK
}

/** All keys of an issuer, as they are kept. */
export interface KeptKeys {
  readonly signing: readonly KeptKey[]
  /** The key of MACs, which stays: refresh tokens are made with it. */
  readonly mac: JWK
}

export interface RotationPolicy {
  readonly algorithms: readonly SigningAlgorithm[]
  /** Seconds a key signs; 0: until it is told to go. */
  readonly rotateEvery: number
  /** Seconds a key is published before it signs. */
  readonly publishAhead: number
  /** Seconds a key verifies after it has signed. */
  readonly keepRetired: number
}

/** The first keys of an issuer: one of each algorithm, signing at once. */
export async function firstKeys({ algorithms }: RotationPolicy, now: number): Promise<KeptKeys> {
  const jwks = await Promise.all(algorithms.map(generateSigningKey))
  return { signing: jwks.map(jwk => ({ state: 'current', since: now, jwk })), mac: generateMacKey() }
}

/** The keys as they should be now; the same object where nothing is due. Generates what is missing. */
export async function dueKeys(keys: KeptKeys, policy: RotationPolicy, now: number): Promise<KeptKeys> {
  const kept = keys.signing.filter(({ state, since }) => state !== 'retired' || now < since + policy.keepRetired)
  const algorithms = new Set([...policy.algorithms, ...kept.map(({ jwk }) => jwk.alg as SigningAlgorithm)])
  const lists = await Promise.all(
    [...algorithms].map(alg =>
      dueOfAlgorithm(
        kept.filter(({ jwk }) => jwk.alg === alg),
        alg,
        policy,
        now
      )
    )
  )
  const signing = lists.flat()
  const unchanged = signing.length === keys.signing.length && signing.every(key => keys.signing.includes(key))
  return unchanged ? keys : { ...keys, signing }
}

async function dueOfAlgorithm(
  kept: readonly KeptKey[],
  alg: SigningAlgorithm,
  policy: RotationPolicy,
  now: number
): Promise<readonly KeptKey[]> {
  const current = kept.find(({ state }) => state === 'current')
  const next = kept.find(({ state }) => state === 'next')
  const retired = kept.filter(({ state }) => state === 'retired')
  if (!policy.algorithms.includes(alg)) return kept.map(key => retire(key, now))
  if (current === undefined) return [await keyOf(alg, 'current', now), ...(next === undefined ? [] : [next]), ...retired]
  if (next !== undefined) {
    if (now < next.since + policy.publishAhead) return kept
    return [{ ...next, state: 'current', since: now }, retire(current, now), ...retired]
  }
  const due = policy.rotateEvery > 0 && now >= current.since + policy.rotateEvery - policy.publishAhead
  return due ? [current, await keyOf(alg, 'next', now), ...retired] : kept
}

/**
 * Every algorithm's next key is published now, and takes over once it has been there long enough; `immediately`: it
 * signs at once.
 */
export async function rotatedKeys(
  keys: KeptKeys,
  { algorithms }: RotationPolicy,
  now: number,
  immediately: boolean
): Promise<KeptKeys> {
  const next = await Promise.all(
    algorithms.map(
      async alg => keys.signing.find(({ state, jwk }) => state === 'next' && jwk.alg === alg) ?? keyOf(alg, 'next', now)
    )
  )
  const others = keys.signing.filter(key => !next.includes(key))
  if (!immediately) return { ...keys, signing: [...others, ...next] }
  const promoted = next.map((key): KeptKey => ({ ...key, state: 'current', since: now }))
  return { ...keys, signing: [...promoted, ...others.map(key => retire(key, now))] }
}

/** The keys as a set: whoever signs first, then whoever will, then whoever did. */
export function keySetOf({ signing, mac }: KeptKeys): PrivateKeySet {
  const order = ['current', 'next', 'retired']
  const sorted = signing.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
  return { keys: [...sorted.map(({ jwk }) => jwk), mac] }
}

function retire(key: KeptKey, now: number): KeptKey {
  return key.state === 'retired' ? key : { ...key, state: 'retired', since: now }
}

async function keyOf(alg: SigningAlgorithm, state: KeptKey['state'], since: number): Promise<KeptKey> {
  return { state, since, jwk: await generateSigningKey(alg) }
}
