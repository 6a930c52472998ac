/** A client's public keys, from its `jwks` or its `jwks_uri`, and which of them can have signed something. */
import type { CryptoKey, JWK } from 'jose'
import type { Client } from '../clients/client.ts'
import { credentialSet, isLive } from '../clients/credentials.ts'
import type { DecisionBuilder } from '../decisions/builder.ts'
import { fn, readOptions, type Checks } from '../options.ts'
import { guardedFetch, type FetchJson } from '../outbound/guarded-fetch.ts'
import { importPublicKey, isPublicKey, suitableKeys, unsuitable } from './public-keys.ts'
import { keptKeysChecks, keySetsBy, type RemoteKeySetOptions, type RemoteKeySets } from './remote-key-set.ts'

/** A public key of a client's that may have made a signature. */
export interface CandidateKey {
  /** The key, ready to verify with. */
  readonly key: CryptoKey
  /** Names the key: `kid:<kid>`, or `jkt:<RFC 7638 thumbprint>` where it has no kid. */
  readonly credential: string
}

/** A finder of clients' public keys, and the cache of what their `jwks_uri` answered. */
export interface ClientKeys {
  /**
   * The client's keys that can have made a signature with this header: at least one, at most four.
   *
   * Chosen by kty, use, key_ops, alg and crv first, and by kid among those, because several keys may share one kid
   * (FAPI 2.0 §5.4.2). Private and symmetric keys, RSA keys under 2048 bits and malformed ones are passed over.
   *
   * @throws {@link InvalidClientError} (the check `key`) where there is none.
   */
  find(
    client: Client,
    header: { readonly alg: string; readonly kid?: string | undefined },
    decision: DecisionBuilder
  ): Promise<readonly CandidateKey[]>

  /**
   * The client's public JWKs for which `wanted` is true. A `jwks_uri` is asked again, within its cooldown, where none
   * is.
   *
   * @throws {@link InvalidClientError} (the check `key`) where the keys could not be fetched and none is kept.
   */
  match(client: Client, wanted: (jwk: JWK) => boolean, decision: DecisionBuilder): Promise<readonly JWK[]>

  /**
   * Drops what is kept of a `jwks_uri`, for when a key has to go from it at once: the next who needs it fetches it, and
   * where it does not answer there is no key. False where nothing was kept.
   */
  forget(jwks_uri: string): boolean
}

/** The options of `clientKeys()`. */
export interface ClientKeysOptions extends Omit<RemoteKeySetOptions, 'fetchJson'> {
  /** Fetches what a `jwks_uri` names. Default: {@link guardedFetch} with its defaults. */
  readonly fetchJson?: FetchJson | undefined
}

export const clientKeysChecks = {
  ...keptKeysChecks,
  fetchJson: fn<FetchJson>()
} satisfies Checks<ClientKeysOptions>

interface JwksOf {
  readonly keys: readonly JWK[]
  readonly problem?: string | undefined
}

const section = 'FAPI 2.0 §5.4.2'

/**
 * Makes a source of client keys; one per server, because it holds the cache of remote key sets. Imported keys are
 * cached by the identity of their JWK.
 *
 * @throws {@link ConfigurationError} for a wrong option.
 */
export function clientKeys(options: ClientKeysOptions = {}): ClientKeys {
  const given = readOptions(options, clientKeysChecks)
  const { clock } = given
  let made: RemoteKeySets | undefined
  // every server has client keys, and few have clients with key sets elsewhere
  const remote = (): RemoteKeySets => (made ??= keySetsBy({ ...given, fetchJson: given.fetchJson ?? guardedFetch() }))
  const read = async (client: Client, satisfied: (keys: readonly JWK[]) => boolean): Promise<JwksOf> => {
    const { keys: added, keySet } = credentialSet(client)
    const now = clock() / 1000
    const own = added.length === 0 ? [] : added.filter(key => isLive(key, now)).map(({ jwk }) => jwk)
    if (client.jwks !== undefined) return { keys: own.length === 0 ? client.jwks.keys : [...own, ...client.jwks.keys] }
    if (keySet === undefined || !isLive(keySet, now)) return { keys: own }
    // where one of its own will do, a key set that does not answer is no reason to refuse
    const { keys, problem } = await remote().get(keySet.jwks_uri, keys => satisfied([...own, ...keys]))
    return { keys: own.length === 0 ? keys : [...own, ...keys], problem }
  }

  return {
    async find(client, { alg, kid }, decision) {
      const choose = (keys: readonly JWK[]): readonly JWK[] => suitableKeys(keys, { alg, kid })
      const jwks = await read(client, keys => choose(keys).length > 0)
      const imported = await Promise.all(choose(jwks.keys).map(jwk => importPublicKey(jwk, alg)))
      const candidates = imported.filter(candidate => candidate !== undefined)
      if (candidates.length === 0) throw refuseKey(client, jwks, { alg, kid }, decision)
      return candidates
    },
    async match(client, wanted, decision) {
      const choose = (keys: readonly JWK[]): readonly JWK[] => keys.filter(jwk => isPublicKey(jwk) && wanted(jwk))
      const jwks = await read(client, keys => choose(keys).length > 0)
      if (jwks.keys.length === 0 && jwks.problem !== undefined) throw refuseSource(jwks.problem, decision)
      return choose(jwks.keys)
    },
    forget: jwks_uri => made?.forget(jwks_uri) === true
  }
}

function refuseSource(problem: string, decision: DecisionBuilder): Error {
  return decision.refuse('key', { section, fix: `Make the client's jwks_uri answer with its key set: ${problem}.` })
}

function refuseKey(
  client: Client,
  { keys, problem }: JwksOf,
  header: { alg: string; kid: string | undefined },
  decision: DecisionBuilder
): Error {
  const { alg, kid } = header
  if (problem !== undefined && (keys.length === 0 || kid !== undefined)) return refuseSource(problem, decision)
  const where = client.jwks_uri === undefined ? 'the jwks it registered' : 'what its jwks_uri answers'
  const named = kid === undefined ? keys : keys.filter(jwk => jwk.kid === kid)
  const [first] = named
  const received = kid === undefined ? `${alg} without kid` : `${alg} with kid ${kid}`
  if (first === undefined) {
    const known = keys.map(jwk => (typeof jwk.kid === 'string' ? jwk.kid : '(no kid)')).join(', ')
    const expected = known === '' ? 'a key, and there is none' : `one of ${known}`
    return decision.refuse('key', {
      section,
      expected,
      received,
      fix: `Sign with a key whose kid is in ${where}, or add the new key there.`
    })
  }
  const reason = unsuitable(first, alg) ?? 'is malformed'
  return decision.refuse('key', { section, received, fix: `Put a public key for ${alg} into ${where}: the one there ${reason}.` })
}
