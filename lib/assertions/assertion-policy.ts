/** The requirements of a server for client assertions: checked once, at construction. */
import type { AssertionAudience } from '../clients/client.ts'
import {
  clock,
  flag,
  integer,
  issuerIdentifier,
  listOf,
  nested,
  objectLike,
  oneOf,
  required,
  type Checks,
  type Read
} from '../options.ts'
import type { Clock } from '../client-request.ts'
import type { Store } from '../stores/store.ts'
import { assertionAlgorithms, someOf } from '../client-keys/algorithms.ts'
import { dialChecks, type AssertionDials, type CheckedDials } from './assertion-dials.ts'

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
  /** The modes of the rules for `typ`, the algorithm and the clock. */
  readonly dials: CheckedDials
  readonly clock: Clock
  /** Where used jti values are kept. */
  readonly store: Store
}

/** The options of a server for the client assertions it takes. */
export interface AssertionOptions {
  /** The issuer identifier: what `aud` of an assertion must be (rfc7523bis). */
  readonly issuer: string
  /** Where used `jti` values are kept, so that an assertion works once. */
  readonly store: Store
  /**
   * Which other `aud` is accepted while clients move; a client's own `assertion_audience` overrides it. Default
   * `issuer`.
   */
  readonly assertionAudience?: AssertionAudience | undefined
  /** The URLs accepted as `aud` under `report` and `legacy`: the token endpoint's. */
  readonly legacyAudiences?: readonly string[] | undefined
  /** True refuses `aud` as a list, even of one (FAPI 2.0 §5.3.2.1). */
  readonly audienceAsStringOnly?: boolean | undefined
  /** The signature algorithms accepted. Default: RS, PS, ES 256 to 512, EdDSA, Ed25519; HS256 to HS512 for secrets. */
  readonly algorithms?: readonly string[] | undefined
  /** Seconds a client's clock may be off. Default 10, at most 60. */
  readonly clockTolerance?: number | undefined
  /** Which further rules are enforced, and which only reported. */
  readonly assertionDials?: AssertionDials | undefined
  /** Seconds an assertion may live. Default 3600. */
  readonly maxLifetime?: number | undefined
  /** Reads the time, milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: Clock | undefined
}

export const assertionAudienceCheck = oneOf(['issuer', 'report', 'legacy'], 'issuer')

/** The algorithms client assertions may be signed with: those that can be verified, or some of them. */
export const assertionAlgorithmsCheck = someOf(assertionAlgorithms)

/** All that is asked of it: whoever has no other use for a store may hand over one that does no more. */
export const storeToAddCheck = required(
  objectLike<Store>('a Store: used jti values are kept there', store => typeof store['add'] === 'function')
)

export const assertionOptionChecks = {
  issuer: issuerIdentifier(),
  store: storeToAddCheck,
  assertionAudience: assertionAudienceCheck,
  legacyAudiences: listOf('URLs', (url): url is string => typeof url === 'string' && url !== '', []),
  audienceAsStringOnly: flag(false),
  algorithms: assertionAlgorithmsCheck,
  clockTolerance: integer({ min: 0, max: 60, default: 10 }),
  assertionDials: nested(dialChecks, {}),
  maxLifetime: integer({ min: 1, max: 86_400, default: 3600 }),
  clock: clock()
} satisfies Checks<AssertionOptions>

/** The policy of options that were read. */
export function assertionPolicy(options: Read<typeof assertionOptionChecks>): AssertionPolicy {
  const { issuer, store, audienceAsStringOnly, clockTolerance, maxLifetime } = options
  return Object.freeze({
    ...{ issuer, store, audienceAsStringOnly, clockTolerance, maxLifetime },
    audienceDial: options.assertionAudience,
    legacyAudiences: [...options.legacyAudiences],
    algorithms: options.algorithms === undefined ? assertionAlgorithms : [...options.algorithms],
    dials: options.assertionDials,
    clock: options.clock
  })
}
