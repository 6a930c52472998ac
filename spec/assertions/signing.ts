/** Real clients with real keys, and what they send: shared by the specs of this folder. */
import { randomUUID } from 'node:crypto'
import { exportJWK, CompactSign, type CryptoKey, type JWK } from 'jose'
import { clientKeys } from '../../lib/client-keys/client-keys.ts'
import {
  assertionOptionChecks,
  assertionPolicy,
  verifyClientAssertion,
  type AssertionOptions,
  type ClientAssertionInput
} from '../../lib/assertions/client-assertion.ts'
import { toClient, type Client, type ClientMetadata } from '../../lib/clients/client.ts'
import { DecisionBuilder } from '../../lib/decisions/builder.ts'
import type { Check } from '../../lib/decisions/decision.ts'
import { InvalidClientError } from '../../lib/errors.ts'
import { readOptions } from '../../lib/options.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { keyPair } from '../support/keys/made-keys.ts'

export const issuer = 'https://as.example.com'
export const tokenEndpoint = 'https://as.example.com/oauth2/token'
/** What the clock of these specs reads: seconds since the epoch. */
export const now = 1_800_000_000
export const secret = 'a secret of sixty-four bytes, which is enough for every HMAC hash'

export interface SigningKey {
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export async function makeKey(alg: string, members: JWK = {}): Promise<SigningKey> {
  const { privateKey, publicKey } = await keyPair(alg)
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), ...members } }
}

/** Finds the key pair that was made for an algorithm. */
export async function makeKeys(algorithms: Iterable<string>): Promise<(alg: string) => SigningKey> {
  const keys = new Map<string, SigningKey>()
  for (const alg of algorithms) keys.set(alg, await makeKey(alg))
  return alg => {
    const key = keys.get(alg)
    if (key === undefined) throw new Error(`no key for ${alg}`)
    return key
  }
}

export function keyClient(keys: readonly JWK[], metadata: Partial<ClientMetadata> = {}): Client {
  return toClient({ client_id: 'billing', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys }, ...metadata })
}

export function secretClient(metadata: Partial<ClientMetadata> = {}): Client {
  return toClient({ client_id: 'billing', token_endpoint_auth_method: 'client_secret_jwt', client_secret: secret, ...metadata })
}

/** The claims of a good assertion; `undefined` leaves one out. */
export function claims(overrides: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { iss: 'billing', sub: 'billing', aud: issuer, jti: randomUUID(), iat: now, exp: now + 60, ...overrides }
}

/** Signs claims, or a payload as it is. */
export function sign(
  key: CryptoKey | Uint8Array,
  header: { readonly alg: string; readonly [parameter: string]: unknown },
  payload: unknown = claims()
): Promise<string> {
  const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
  return new CompactSign(bytes).setProtectedHeader(header).sign(key)
}

/** Puts a JWS together by hand, for headers that no library signs. */
export function assemble(header: unknown, payload: unknown = claims(), signature = 'AAAA'): string {
  const part = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(payload)}.${signature}`
}

export function policyOf(options: Partial<AssertionOptions> = {}) {
  const clock = () => now * 1000
  const given = { issuer, legacyAudiences: [tokenEndpoint], store: memoryStore({ clock }), clock, ...options }
  return assertionPolicy(readOptions(given, assertionOptionChecks))
}

export type Verification = Partial<ClientAssertionInput> & Pick<ClientAssertionInput, 'assertion' | 'client'>

export function verify(input: Verification): Promise<{ credential: string }> {
  return verifyClientAssertion({
    client_id_parameter: undefined,
    kind: input.client.token_endpoint_auth_method === 'client_secret_jwt' ? 'symmetric' : 'asymmetric',
    policy: policyOf(),
    decision: new DecisionBuilder('token'),
    clientKeys: clientKeys(),
    ...input
  })
}

/** The check that refused, of something that must be refused as `invalid_client`. */
export async function refusal(attempt: () => unknown): Promise<Check> {
  let error: unknown
  try {
    await attempt()
  } catch (thrown) {
    error = thrown
  }
  if (!(error instanceof InvalidClientError))
    throw new Error(`expected InvalidClientError, not ${String(error)}`, { cause: error })
  const check = error.decision?.checks.find(({ outcome }) => outcome === 'fail')
  if (check === undefined) throw new Error('expected a failed check in the decision')
  if (!/^[A-Z].*\.$/.test(check.fix ?? '') || check.section === undefined)
    throw new Error(`expected a section and a fix: ${JSON.stringify(check)}`)
  return check
}
