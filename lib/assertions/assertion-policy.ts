/** What a server asks of client assertions: checked once, at construction. */
import type { AssertionAudience } from '../clients/client.ts'
import { checkInteger, checkIssuer, checkKeys, checkOneOf, ConfigurationError } from '../options.ts'
import type { Clock } from '../client-request.ts'
import type { Store } from '../stores/store.ts'
import { assertionAlgorithms } from '../client-keys/algorithms.ts'
import { checkAssertionDials, type AssertionDials, type CheckedDials } from './assertion-dials.ts'

export interface AssertionPolicy {
  /** The issuer identifier: what `aud` must be. */
  readonly issuer: string
  /** Which other `aud` is accepted; a client's own `assertion_audience` overrides it. Default `issuer`. */
  readonly audienceDial: AssertionAudience
  /** The token endpoint's URLs: accepted as `aud` under `report` and `legacy`. Default none. */
  readonly legacyAudiences: readonly string[]
  /** Refuses `aud` as a list (FAPI 2.0 §5.3.2.1). Default false. */
  readonly audienceAsStringOnly: boolean
  /** The signature algorithms accepted. Default all that can be verified. */
  readonly algorithms: readonly string[]
  /** Seconds a client's clock may be ahead, and an assertion be past its `exp`. Default 10, at most 60. */
  readonly clockTolerance: number
  /** Seconds an assertion may live. Default 3600. */
  readonly maxLifetime: number
  /** What happens where `typ`, the algorithm or the clock is not as it should be. */
  readonly dials: CheckedDials
  readonly clock: Clock
  /** Where used jti values are kept. */
  readonly store: Store
}

/** {@link AssertionPolicy} before its defaults: only `issuer` and `store` must be given. */
export type AssertionPolicyOptions = Pick<AssertionPolicy, 'issuer' | 'store'> & {
  readonly [Option in keyof Omit<AssertionPolicy, 'issuer' | 'store' | 'dials'>]?: AssertionPolicy[Option] | undefined
} & { readonly dials?: AssertionDials | undefined }

const known = [
  'issuer',
  'audienceDial',
  'legacyAudiences',
  'audienceAsStringOnly',
  'algorithms',
  'clockTolerance',
  'maxLifetime',
  'dials',
  'clock',
  'store'
]

/**
 * Checks options and fills in the defaults.
 *
 * @throws {@link ConfigurationError} naming the option that is wrong.
 */
export function assertionPolicy(options: AssertionPolicyOptions): AssertionPolicy {
  checkKeys(options, known)
  const store: unknown = options.store
  if (typeof store !== 'object' || store === null || !('add' in store) || typeof store.add !== 'function') {
    throw new ConfigurationError('store', 'must be a Store: used jti values are kept there')
  }
  if (options.clock !== undefined && typeof options.clock !== 'function') {
    throw new ConfigurationError('clock', 'must be a function that returns milliseconds, such as Date.now')
  }
  const legacyAudiences = options.legacyAudiences ?? []
  if (!Array.isArray(legacyAudiences) || !legacyAudiences.every(audience => typeof audience === 'string' && audience !== '')) {
    throw new ConfigurationError('legacyAudiences', 'must be a list of URLs')
  }
  return Object.freeze({
    issuer: checkIssuer(options.issuer),
    audienceDial: checkOneOf(options.audienceDial, 'audienceDial', ['issuer', 'report', 'legacy'], 'issuer'),
    legacyAudiences: [...(options.legacyAudiences ?? [])],
    audienceAsStringOnly: options.audienceAsStringOnly === true,
    algorithms: checkAssertionAlgorithms(options.algorithms, 'algorithms'),
    clockTolerance: checkInteger(options.clockTolerance, 'clockTolerance', { min: 0, max: 60, default: 10 }),
    maxLifetime: checkInteger(options.maxLifetime, 'maxLifetime', { min: 1, max: 86_400, default: 3600 }),
    dials: checkAssertionDials(options.dials),
    clock: options.clock ?? Date.now,
    store: options.store
  })
}

/** The algorithms client assertions may be signed with: a list of those that can be verified, or all of them where none is given. */
export function checkAssertionAlgorithms(given: unknown, key: string): readonly string[] {
  const algorithms = given ?? assertionAlgorithms
  if (Array.isArray(algorithms) && algorithms.length > 0 && algorithms.every(alg => assertionAlgorithms.includes(alg as string)))
    return [...(algorithms as readonly string[])]
  throw new ConfigurationError(key, `must be a list of ${assertionAlgorithms.join(', ')}`)
}
