/** The options of dynamic client registration, and what its endpoint works with once they are checked. */
import type { Request } from 'express'
import type { FetchJson } from '../../outbound/guarded-fetch.ts'
import {
  softwareStatements,
  type SoftwareStatementOptions,
  type SoftwareStatements
} from '../../assertions/software-statement.ts'
import type { ClientMetadata, ClientRegistry } from '../../clients/client.ts'
import type { ReadMetadata } from '../../clients/metadata/metadata.ts'
import { isPrivateUseScheme } from '../../clients/metadata/uri.ts'
import type { GuessProtection } from '../../credentials/guesses/guess-protection.ts'
import { sha256 } from '../../crypto/sha256.ts'
import { secretKeeper } from '../../credentials/secrets/stored-secret.ts'
import type { SecretKeeper } from '../../clients/stored-secret.ts'
import { checkInteger, checkKeys, checkOneOf, ConfigurationError } from '../../options.ts'
import type { Registrations } from '../../clients/registrations.ts'
import { openRegistrations } from '../../clients/registered-clients.ts'
import { checkFunction } from '../../tokens/token-server.ts'
import { deviceCodeGrantType } from '../../codes/device-code.ts'
import { networkLimit, type NetworkLimit } from './network-limit.ts'
import { registrationRules, type RegistrationBasis, type RegistrationLimits, type RegistrationRules } from './rules.ts'

export type { RegistrationLimits } from './rules.ts'

/** A registration that passed every check, for the application's own to judge. */
export interface RegistrationRequest {
  /** `update`: a client changes what it registered. */
  readonly action: 'register' | 'update'
  readonly client_id: string
  /** What would be registered, with the defaults in it. */
  readonly metadata: ReadMetadata
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
  /**
   * The grants clients may register. Default: all of the server's with `access: 'token'`; with `access: 'open'` those in which a person decides
   * (`authorization_code`, device codes, and `refresh_token`), because nobody has looked at who asks.
   */
  readonly grantTypes?: readonly string[] | undefined
  /**
   * Private-use redirect URI schemes that are let in, such as `cursor`, beside those written like a domain name backwards (RFC 8252 §7.1). Never one a
   * browser runs, such as `javascript`. Default none.
   */
  readonly schemes?: readonly string[] | undefined
  /** Seconds after which a client that has never authenticated is gone; 0: never. Default 30 days. */
  readonly unusedTtl?: number | undefined
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
  /** In seconds; 0: for ever. */
  readonly unusedTtl: number
  /** Undefined where an initial access token is the bound. */
  readonly networkLimit: NetworkLimit | undefined
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
  'grantTypes',
  'schemes',
  'unusedTtl',
  'clientSecretTtl',
  'limits',
  'maxAge'
]
const limitKeys = ['bytes', 'redirectUris', 'keys', 'perNetwork']
const year = 31_536_000
const month = 2_592_000
/** A person decides, and it is the person's own access that is given. */
const grantsOfPeople = ['authorization_code', 'refresh_token', deviceCodeGrantType]

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
  const access = checkAccess(options, profile)
  const rules = registrationRules(basis, {
    grantTypes: checkGrantTypes(options.grantTypes, [...basis.tokenIssuers.keys()], access.access),
    scopes: checkScopes(options.scopes, server.scopes),
    schemes: checkSchemes(options.schemes),
    limits: checkLimits(options.limits)
  })
  const clientSecretTtl = checkInteger(options.clientSecretTtl, 'registration.clientSecretTtl', {
    min: 0,
    max: 100 * year,
    default: 0
  })
  const unusedTtl = checkInteger(options.unusedTtl, 'registration.unusedTtl', { min: 0, max: 100 * year, default: month })
  const maxAge = checkInteger(options.maxAge, 'registration.maxAge', { min: 0, max: 3600, default: 5 })
  const secrets = secretKeeper({ mac: (purpose, data) => server.keys.mac(purpose, data), random: server.random })
  const { issuer, clock, store } = server
  return {
    ...access,
    softwareStatements: softwareStatements(options.softwareStatements, { issuer, clock, fetchJson }),
    policy: checkFunction(options.policy, 'registration.policy'),
    clientSecretTtl,
    unusedTtl,
    networkLimit: access.access === 'open' ? networkLimit(rules.limits.perNetwork, clock) : undefined,
    rules,
    registrations: openRegistrations(clients, { issuer, store, secrets, clock, maxAge, unusedTtl }),
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

function checkGrantTypes(given: unknown, ofServer: readonly string[], access: RegistrationOptions['access']): readonly string[] {
  if (given === undefined) return access === 'open' ? ofServer.filter(grant => grantsOfPeople.includes(grant)) : ofServer
  if (!Array.isArray(given) || given.length === 0)
    throw new ConfigurationError('registration.grantTypes', 'must be a list of at least one grant of this server')
  const unknown = given.findIndex(grant => !ofServer.includes(grant as string))
  if (unknown !== -1) throw new ConfigurationError(`registration.grantTypes[${unknown}]`, `must be one of ${ofServer.join(', ')}`)
  return ofServer.filter(grant => given.includes(grant))
}

function checkSchemes(given: unknown): readonly string[] {
  if (given === undefined) return []
  if (!Array.isArray(given)) throw new ConfigurationError('registration.schemes', 'must be a list of schemes such as "cursor"')
  given.forEach((scheme: unknown, index) => {
    if (typeof scheme !== 'string' || !isPrivateUseScheme(scheme))
      throw new ConfigurationError(
        `registration.schemes[${index}]`,
        'must be a private-use scheme in lower case, such as "cursor"; one that browsers run or the network uses never is'
      )
  })
  return given as readonly string[]
}

function checkLimits(limits: RegistrationLimits = {}): RegistrationRules['limits'] {
  const given: unknown = limits
  if (typeof given !== 'object' || given === null) throw new ConfigurationError('registration.limits', 'must be an object')
  checkKeys(given, limitKeys, 'registration.limits.')
  return {
    bytes: checkInteger(limits.bytes, 'registration.limits.bytes', { min: 256, max: 1_048_576, default: 8192 }),
    redirectUris: checkInteger(limits.redirectUris, 'registration.limits.redirectUris', { min: 1, max: 1000, default: 50 }),
    keys: checkInteger(limits.keys, 'registration.limits.keys', { min: 1, max: 100, default: 20 }),
    perNetwork: checkInteger(limits.perNetwork, 'registration.limits.perNetwork', { min: 1, max: 1_000_000, default: 200 })
  }
}
