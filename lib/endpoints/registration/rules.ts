/**
 * The rules of what this server lets clients register: derived from what is mounted, so that nobody registers what they
 * could not use.
 */
import { asymmetricAlgorithms } from '../../client-keys/algorithms.ts'
import { isWorkloadMethod } from '../../clients/methods.ts'
import { integer, isOnLoopback, type Checks, type Read } from '../../options.ts'
import type { Profile } from '../../profiles.ts'
import type { ClientAuthenticationStrategy } from '../../strategies/strategy.ts'
import type { TokenIssuer } from '../../token-issuers/token-issuer.ts'
import { subjectTypes } from '../../tokens/subject.ts'
import type { TokenServer } from '../../tokens/token-server.ts'

/** The most that registrations may take up. */
export interface RegistrationLimits {
  /** The largest request body, in bytes. Default 8192. */
  readonly bytes?: number | undefined
  /** The most redirect URIs of one client. Default 50. */
  readonly redirectUris?: number | undefined
  /** The most keys in one client's `jwks`. Default 20. */
  readonly keys?: number | undefined
  /**
   * The most clients one network registers an hour, where anyone may (`access: 'open'`); counted in each process.
   * Default 200.
   */
  readonly perNetwork?: number | undefined
}

export const registrationLimitChecks = {
  bytes: integer({ min: 256, max: 1_048_576, default: 8192 }),
  redirectUris: integer({ min: 1, max: 1000, default: 50 }),
  keys: integer({ min: 1, max: 100, default: 20 }),
  perNetwork: integer({ min: 1, max: 1_000_000, default: 200 })
} satisfies Checks<RegistrationLimits>

export interface RegistrationRules {
  /** The client authentication methods, each with the algorithms its assertions may be signed with. */
  readonly methods: ReadonlyMap<string, readonly string[]>
  readonly grantTypes: readonly string[]
  /** Those of them that public clients must not use. */
  readonly confidentialGrantTypes: readonly string[]
  /** The scope values a client may register; it gets all of them where it names none. */
  readonly scopes: readonly string[]
  /** The algorithms answers can be signed with; the first is for clients that registered nothing. */
  readonly signingAlgorithms: readonly string[]
  readonly requestObjectAlgorithms: readonly string[]
  readonly authorizationDetailTypes: readonly string[]
  readonly subjectTypes: readonly string[]
  readonly deliveryModes: readonly string[]
  /** Private-use redirect URI schemes that are let in beside those of reversed domain names. */
  readonly schemes: readonly string[]
  /** Whether clients may say which tokens of other platforms prove them. */
  readonly workloads: boolean
  /** Whether connections can carry a client certificate. */
  readonly certificateMethods: boolean
  /** Whether addresses to fetch from may be http on a loopback host: where this server is on one itself. */
  readonly loopback: boolean
  readonly profile: Profile
  readonly limits: Read<typeof registrationLimitChecks>
}

/** The parts of the server that the rules are derived from. */
export interface RegistrationBasis {
  readonly server: TokenServer
  readonly strategies: readonly ClientAuthenticationStrategy[]
  readonly tokenIssuers: ReadonlyMap<string, TokenIssuer>
  readonly requestObjectAlgorithms: readonly string[]
  readonly authorizationDetailTypes: readonly string[]
  readonly deliveryModes: readonly string[]
  readonly certificateMethods: boolean
  readonly profile: Profile
}

export function registrationRules(
  basis: RegistrationBasis,
  options: Pick<RegistrationRules, 'grantTypes' | 'scopes' | 'schemes' | 'limits' | 'workloads'>
): RegistrationRules {
  const { server, strategies, tokenIssuers } = basis
  const confidential = [...tokenIssuers.values()].filter(issuer => issuer.confidential === true)
  return {
    methods: new Map(
      strategies.flatMap(({ name, signingAlgorithms = [] }) =>
        options.workloads || !isWorkloadMethod(name) ? [[name, signingAlgorithms]] : []
      )
    ),
    confidentialGrantTypes: confidential.map(({ grant_type }) => grant_type),
    signingAlgorithms: server.idTokenAlgorithms,
    requestObjectAlgorithms: basis.requestObjectAlgorithms.filter(alg => asymmetricAlgorithms.has(alg)),
    authorizationDetailTypes: basis.authorizationDetailTypes,
    subjectTypes: subjectTypes(server),
    deliveryModes: basis.deliveryModes,
    certificateMethods: basis.certificateMethods,
    loopback: isOnLoopback(server.issuer),
    profile: basis.profile,
    ...options
  }
}
