/** The keys of a platform: given, at an address that is given, or where its own discovery document says. */
import type { JWK } from 'jose'
import { boundedAge, readKeySet } from '../../client-keys/remote-key-set.ts'
import { GuardedFetchError, type FetchJson } from '../../outbound/guarded-fetch.ts'
import { keptDocument } from '../../outbound/kept-document.ts'
import type { IssuerKeys } from '../trusted-jwt.ts'
import type { WorkloadRule } from './options.ts'
import { isJsonObject, type JsonObject } from '../../json.ts'

/** Seconds a key set is kept where its answer does not say. */
const keysFreshness = 300
/** Seconds a key set, or a discovery document, is used beyond its freshness while it cannot be fetched again. */
const staleLimit = 3600
const discoveryFreshness = 3600

/** @param clock milliseconds since the epoch. */
export function platformKeys(
  { issuer, jwks, jwks_uri }: Pick<WorkloadRule, 'issuer' | 'jwks' | 'jwks_uri'>,
  { fetchJson, clock }: { readonly fetchJson: FetchJson; readonly clock: () => number }
): IssuerKeys {
  if (jwks !== undefined) {
    const given = Promise.resolve({ keys: jwks.keys, problem: undefined })
    return { of: issuer, find: () => given }
  }
  const address = jwks_uri === undefined ? discoveredAddress(issuer, fetchJson, clock) : () => Promise.resolve(jwks_uri)
  /** The address that the keys could not be had from last time: a platform may have moved them. */
  let failed: string | undefined
  const document = keptDocument<readonly JWK[]>({
    clock,
    staleLimit,
    load: async () => {
      const url = await address(failed)
      failed = url
      const { keys, maxAge } = readKeySet(await fetchJson(url))
      failed = undefined
      return { value: keys, freshFor: maxAge === undefined ? keysFreshness : boundedAge(maxAge) }
    }
  })
  return {
    of: issuer,
    async find(satisfied) {
      const { value = [], problem } = await document.get(satisfied)
      return { keys: value, problem }
    }
  }
}

/**
 * OpenID Connect Discovery §4: the document names the issuer it was asked for, or it is somebody else's. The document
 * is asked for again where the keys are no longer at the address in it.
 */
function discoveredAddress(
  issuer: string,
  fetchJson: FetchJson,
  clock: () => number
): (failed: string | undefined) => Promise<string> {
  const document = keptDocument<string>({
    clock,
    staleLimit,
    load: async () => {
      const { json } = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
      return { value: jwksAddress(json, issuer), freshFor: discoveryFreshness }
    }
  })
  return async failed => {
    const { value, problem = 'the fetch failed' } = await document.get(found => found !== failed)
    if (value === undefined) throw new GuardedFetchError('unacceptable', `by its discovery document: ${problem}`)
    return value
  }
}

function jwksAddress(json: unknown, issuer: string): string {
  const { issuer: named, jwks_uri } = isJsonObject(json) ? json : ({} as JsonObject)
  if (named !== issuer) throw new GuardedFetchError('unacceptable', 'the issuer in it is another')
  if (typeof jwks_uri !== 'string') throw new GuardedFetchError('unacceptable', 'there is no jwks_uri in it')
  return jwks_uri
}
