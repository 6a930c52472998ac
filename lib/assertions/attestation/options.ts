/** The options of a server for the attestations it takes. */
import { clock, flag, integer, issuerIdentifier, objectLike, oneOf, required, textLike, type Checks } from '../../options.ts'
import type { Clock } from '../../client-request.ts'
import type { Store } from '../../stores/store.ts'
import { algorithmsCheck } from '../trust-rule.ts'
import { attestersCheck, type Attester } from './attesters.ts'

/** The requirements for attestations, and for the proofs that come with them. */
export interface AttestationPolicyOptions {
  /** Attesters whose attestations are accepted. */
  readonly attesters: readonly Attester[]
  /** `required`: a proof of possession must answer a challenge of this server's. Default `offered`: it may. */
  readonly challenge?: 'offered' | 'required' | undefined
  /**
   * True: a challenge is good for one proof, which the store keeps count of. Default false: for any number within five
   * minutes.
   */
  readonly challengeOnce?: boolean | undefined
  /**
   * Seconds since its `iat` for which an attestation is taken; beyond them `use_fresh_attestation`. Default: until it
   * expires.
   */
  readonly maxAge?: number | undefined
  /**
   * The signature algorithms accepted of attestations and proofs. Default: every asymmetric one this library verifies.
   */
  readonly algorithms?: readonly string[] | undefined
}

/** The option `attestation` of a server. */
export interface AttestationOptions extends AttestationPolicyOptions {
  /**
   * Whether clients of other methods show an attestation too, as a further sign of what they are (attestation draft
   * §7.6): `optional` verifies those that are sent, `required` asks it of every request that authenticates a client.
   * Default `off`: an attestation beside another method is a second mechanism.
   */
  readonly signal?: 'off' | 'optional' | 'required' | undefined
}

/** The options of `clientAttestation()`. */
export interface ClientAttestationOptions extends AttestationPolicyOptions {
  /** The issuer identifier: what `aud` of a proof must be. */
  readonly issuer: string
  /** Where used `jti` values and challenges are kept. */
  readonly store: Store
  /**
   * The secret that challenges and nonces are made with: 32 characters at least. Processes of one secret know each
   * other's. Default: drawn anew by each `clientAttestation()`, which knows its own alone.
   */
  readonly secret?: string | undefined
  /** Reads the time, milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: Clock | undefined
}

export const attestationPolicyChecks = {
  attesters: attestersCheck,
  challenge: oneOf(['offered', 'required'], 'offered'),
  challengeOnce: flag(false),
  maxAge: integer({ min: 1, max: 31_536_000 }),
  algorithms: algorithmsCheck
} satisfies Checks<AttestationPolicyOptions>

export const attestationOptionChecks = {
  ...attestationPolicyChecks,
  signal: oneOf(['off', 'optional', 'required'], 'off')
} satisfies Checks<AttestationOptions>

export const clientAttestationChecks = {
  ...attestationPolicyChecks,
  issuer: issuerIdentifier(),
  store: required(objectLike<Store>('a Store: what was used is kept there', store => typeof store['add'] === 'function')),
  secret: textLike('a string of 32 characters at least', value => value.length >= 32),
  clock: clock()
} satisfies Checks<ClientAttestationOptions>
