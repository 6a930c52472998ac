/** The options of dynamic client registration, and what its endpoint works with once they are checked. */
import type { Request } from 'express'
import type { FetchJson } from '../../assertions/guarded-fetch.ts'
import {
  softwareStatements,
  type SoftwareStatementOptions,
  type SoftwareStatements
} from '../../assertions/software-statement.ts'
import type { ClientMetadata, ClientRegistry } from '../../client.ts'
import type { GuessProtection } from '../../credentials/guess-protection.ts'
import { sha256 } from '../../credentials/sha256.ts'
import { secretKeeper, type SecretKeeper } from '../../credentials/stored-secret.ts'
import { checkInteger, checkKeys, checkOneOf, ConfigurationError } from '../../options.ts'
import { openRegistrations, type Registrations } from '../../registered-clients.ts'
import { checkFunction } from '../../tokens/token-server.ts'
import { registrationRules, type RegistrationBasis, type RegistrationLimits, type RegistrationRules } from './rules.ts'

export type { RegistrationLimits } from './rules.ts'

/** A registration that passed every check, for the application's own to judge. */
export interface RegistrationRequest {
  /** `update`: a client changes what it registered. */
  readonly action: 'register' | 'update'
  readonly client_id: string
  /** What would be registered, with the defaults in it. */
  readonly metadata: ClientMetadata
  /** The token it was sent with, where registering needs one. */
  readonly initialAccessToken: string | undefined
  /** The claims of the software statement, which was verified. */
  readonly softwareStatement: Readonly<Record<string, unknown>> | undefined
  readonly req: Request
}

/**
 * The application's own rules. Returns nothing to accept what is there, or other metadata to register that instead; members this library does not
 * know are kept then. Throw an error of this library, such as InvalidClientMetadataError, to refuse.
 */
export type RegistrationPolicy = (
  registration: RegistrationRequest
) => ClientMetadata | undefined | Promise<ClientMetadata | undefined>

export interface RegistrationOptions {
  /**
   * `token`: whoever has an initial access token may register. `open`: anyone. `closed`: no one, and no endpoint is mounted; clients that registered before
   * go on working.
   */
  readonly access: 'open' | 'token' | 'closed'
  /** Initial access tokens that are accepted, any number of times. Make them long and random. */
  readonly initialAccessTokens?: readonly string[] | undefined
  /** Says whether an initial access token is one of the application's own, such as one that is good once. */
  readonly checkInitialAccessToken?: ((token: string) => boolean | Promise<boolean>) | undefined
  /** Whose software statements are accepted (RFC 7591 §2.3). Default: nobody's. */
  readonly softwareStatements?: SoftwareStatementOptions | undefined
  readonly policy?: RegistrationPolicy | undefined
  /** The scope values clients may register, and get where they name none. Default: all of the server's. */
  readonly scopes?: readonly string[] | undefined
  /** Seconds a generated secret lives; 0 (default): for ever. */
  readonly clientSecretTtl?: number | undefined
  readonly limits?: RegistrationLimits | undefined
  /** Seconds until this process sees what another one changed about a client it knows. Default 5; 0: at once, at a store operation per request. */
  readonly maxAge?: number | undefined
}

/** What the endpoint works with. */
export interface Registration {
  readonly access: RegistrationOptions['access']
  /** SHA-256 digests. */
  readonly initialAccessTokens: readonly Uint8Array[]
  readonly checkInitialAccessToken: RegistrationOptions['checkInitialAccessToken']
  readonly softwareStatements: SoftwareStatements
  readonly policy: RegistrationPolicy | undefined
  readonly clientSecretTtl: number
  readonly rules: RegistrationRules
  readonly registrations: Registrations
  readonly secrets: SecretKeeper
  readonly fetchJson: FetchJson
  /** Bounds guessing at initial and registration access tokens. */
  readonly guesses: GuessProtection | undefined
}

const known = [
  'access',
  'initialAccessTokens',
  'checkInitialAccessToken',
  'softwareStatements',
  'policy',
  'scopes',
  'clientSecretTtl',
  'limits',
  'maxAge'
]
const limitKeys = ['bytes', 'redirectUris', 'keys']
const year = 31_536_000

/**
 * Checks the options and lets the registry find what registers.
 *
 * @throws ConfigurationError naming the option that is wrong.
 */
export function registration(
  options: RegistrationOptions,
  basis: RegistrationBasis & { readonly clients: ClientRegistry } & Pick<Registration, 'fetchJson' | 'guesses'>
): Registration {
  const { server, clients, fetchJson, guesses, profile } = basis
  const given: unknown = options
  if (typeof given !== 'object' || given === null) throw new ConfigurationError('registration', 'must be an object')
  checkKeys(given, known, 'registration.')
  const rules = registrationRules(basis, {
    scopes: checkScopes(options.scopes, server.scopes),
    limits: checkLimits(options.limits)
  })
  const clientSecretTtl = checkInteger(options.clientSecretTtl, 'registration.clientSecretTtl', {
    min: 0,
    max: 100 * year,
    default: 0
  })
  const maxAge = checkInteger(options.maxAge, 'registration.maxAge', { min: 0, max: 3600, default: 5 })
  const secrets = secretKeeper({ mac: (purpose, data) => server.keys.mac(purpose, data), random: server.random })
  const { issuer, clock, store } = server
  return {
    ...checkAccess(options, profile),
    softwareStatements: softwareStatements(options.softwareStatements, { issuer, clock, fetchJson }),
    policy: checkFunction(options.policy, 'registration.policy'),
    clientSecretTtl,
    rules,
    registrations: openRegistrations(clients, { issuer, store, secrets, clock, maxAge }),
    secrets,
    fetchJson,
    guesses
  }
}

function checkAccess(
  options: RegistrationOptions,
  profile: RegistrationBasis['profile']
): Pick<Registration, 'access' | 'initialAccessTokens' | 'checkInitialAccessToken'> {
  // given as null where it is missing, so that there is no default to fall back to
  const given: unknown = options.access
  const access = checkOneOf(given ?? null, 'registration.access', ['open', 'token', 'closed'], 'closed')
  if (access === 'open' && profile === 'fapi2-security')
    throw new ConfigurationError('registration.access', 'must be "token" or "closed" under the profile fapi2-security')
  const tokens: unknown = options.initialAccessTokens ?? []
  const checkInitialAccessToken = checkFunction(options.checkInitialAccessToken, 'registration.checkInitialAccessToken')
  if (!Array.isArray(tokens) || !tokens.every(token => typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)))
    throw new ConfigurationError('registration.initialAccessTokens', 'must be a list of tokens: printable ASCII without spaces')
  const hasTokens = tokens.length > 0 || checkInitialAccessToken !== undefined
  if (access === 'token' && !hasTokens)
    throw new ConfigurationError(
      'registration.initialAccessTokens',
      'or checkInitialAccessToken must be given where access is "token"'
    )
  if (access === 'open' && hasTokens)
    throw new ConfigurationError(
      'registration.access',
      'must be "token" where initial access tokens are given: "open" asks for none'
    )
  return {
    access,
    initialAccessTokens: (tokens as readonly string[]).map(token => sha256(token)),
    checkInitialAccessToken
  }
}

function checkScopes(scopes: unknown, ofServer: readonly string[]): readonly string[] {
  if (scopes === undefined) return ofServer
  if (!Array.isArray(scopes) || !scopes.every(scope => ofServer.includes(scope as string)))
    throw new ConfigurationError('registration.scopes', 'must be a list of scope values of this server')
  return scopes as readonly string[]
}

function checkLimits(limits: RegistrationLimits = {}): RegistrationRules['limits'] {
  const given: unknown = limits
  if (typeof given !== 'object' || given === null) throw new ConfigurationError('registration.limits', 'must be an object')
  checkKeys(given, limitKeys, 'registration.limits.')
  return {
    bytes: checkInteger(limits.bytes, 'registration.limits.bytes', { min: 256, max: 1_048_576, default: 65_536 }),
    redirectUris: checkInteger(limits.redirectUris, 'registration.limits.redirectUris', { min: 1, max: 1000, default: 50 }),
    keys: checkInteger(limits.keys, 'registration.limits.keys', { min: 1, max: 100, default: 20 })
  }
}
