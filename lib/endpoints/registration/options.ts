/** The options of dynamic client registration, and what its endpoint works with once they are checked. */
import type { Request } from 'express'
import type { FetchJson } from '../../outbound/guarded-fetch.ts'
import {
  softwareStatementChecks,
  softwareStatements,
  type SoftwareStatementOptions,
  type SoftwareStatements
} from '../../assertions/software-statement.ts'
import type { ClientMetadata, ClientRegistry } from '../../clients/client.ts'
import type { ReadMetadata } from '../../clients/metadata/metadata.ts'
import { isPrivateUseScheme } from '../../clients/metadata/uri.ts'
import { maxAgeCheck } from '../../credentials/credential-sets.ts'
import type { GuessProtection } from '../../credentials/guesses/guess-protection.ts'
import { sha256 } from '../../crypto/sha256.ts'
import { secretKeeper } from '../../credentials/secrets/stored-secret.ts'
import type { SecretKeeper } from '../../clients/stored-secret.ts'
import {
  ConfigurationError,
  eachOf,
  flag,
  fn,
  integer,
  listOf,
  nested,
  oneOf,
  required,
  textLike,
  type Checks,
  type Read
} from '../../options.ts'
import { policyOf, type Profile } from '../../profiles.ts'
import type { Registrations } from '../../clients/registrations.ts'
import { openRegistrations } from '../../clients/registered-clients.ts'
import { grantsOfPeople } from '../../clients/grant-types.ts'
import { networkBudget, type NetworkBudget } from '../../http/network-budget.ts'
import {
  registrationLimitChecks,
  registrationRules,
  type RegistrationBasis,
  type RegistrationLimits,
  type RegistrationRules
} from './rules.ts'

export type { RegistrationLimits } from './rules.ts'

/** A registration that passed every check, for the application's own to judge. */
export interface RegistrationRequest {
  /** `update`: a client changes what it registered. */
  readonly action: 'register' | 'update'
  /** The client whose registration changes; absent where it is a new one. */
  readonly client_id: string
  /** The metadata that would be registered, with the defaults in it. */
  readonly metadata: ReadMetadata
  /** The token it was sent with, where registering needs one. */
  readonly initialAccessToken: string | undefined
  /** The claims of the software statement, which was verified. */
  readonly softwareStatement: Readonly<Record<string, unknown>> | undefined
  /** The request, as Express has it. */
  readonly req: Request
}

/**
 * The application's own rules. Returns nothing to accept what is there, or other metadata to register that instead;
 * members this library does not know are kept then. Throw an error of this library, such as InvalidClientMetadataError,
 * to refuse.
 */
export type RegistrationPolicy = (
  registration: RegistrationRequest
) => ClientMetadata | undefined | Promise<ClientMetadata | undefined>

/** The options of client registration (RFC 7591, RFC 7592). */
export interface RegistrationOptions {
  /**
   * `token`: whoever has an initial access token may register. `open`: anyone. `closed`: no one, and no endpoint is
   * mounted; clients that registered before go on working.
   */
  readonly access: 'open' | 'token' | 'closed'
  /** Initial access tokens that are accepted, any number of times. Make them long and random. */
  readonly initialAccessTokens?: readonly string[] | undefined
  /** Says whether an initial access token is one of the application's own, such as one that is good once. */
  readonly checkInitialAccessToken?: ((token: string) => boolean | Promise<boolean>) | undefined
  /** The software statements that are accepted, by their issuers (RFC 7591 §2.3). Default: nobody's. */
  readonly softwareStatements?: SoftwareStatementOptions | undefined
  /** Judges, and may change, each registration before it is taken. */
  readonly policy?: RegistrationPolicy | undefined
  /** The scope values clients may register, and get where they name none. Default: all of the server's. */
  readonly scopes?: readonly string[] | undefined
  /**
   * The grants clients may register. Default: all of the server's with `access: 'token'`; with `access: 'open'` those
   * in which a person decides (`authorization_code`, device codes, and `refresh_token`), because nobody has looked at
   * who asks.
   */
  readonly grantTypes?: readonly string[] | undefined
  /**
   * Private-use redirect URI schemes that are let in, such as `cursor`, beside those written like a domain name
   * backwards (RFC 8252 §7.1). Never one a browser runs, such as `javascript`. Default none.
   */
  readonly schemes?: readonly string[] | undefined
  /**
   * True lets clients register `federated_credentials`, `spiffe_id` and the methods that take them, each for `policy`
   * to judge, which must be given: whoever registers says who may be this client from then on. Default false: they are
   * left out.
   */
  readonly workloads?: boolean | undefined
  /** Seconds after which a client that has never authenticated is gone; 0: never. Default 30 days. */
  readonly unusedTtl?: number | undefined
  /** Seconds a generated secret lives; 0 (default): for ever. */
  readonly clientSecretTtl?: number | undefined
  /** The most that registrations may take up. */
  readonly limits?: RegistrationLimits | undefined
  /**
   * Seconds until this process sees what another one changed about a client it knows. Default 5; 0: at once, at a store
   * operation per request.
   */
  readonly maxAge?: number | undefined
}

const year = 31_536_000
const month = 2_592_000

export const registrationChecks = {
  access: required(oneOf(['open', 'token', 'closed'])),
  initialAccessTokens: listOf(
    'tokens: printable ASCII without spaces',
    (token): token is string => typeof token === 'string' && /^[\x21-\x7e]+$/.test(token),
    []
  ),
  checkInitialAccessToken: fn<NonNullable<RegistrationOptions['checkInitialAccessToken']>>(),
  softwareStatements: nested(softwareStatementChecks),
  policy: fn<RegistrationPolicy>(),
  scopes: listOf('scope values of this server', isText),
  grantTypes: listOf('grants of this server', isText),
  schemes: eachOf(
    'schemes such as "cursor"',
    required(
      textLike(
        'a private-use scheme in lower case, such as "cursor"; one that browsers run or the network uses never is',
        isPrivateUseScheme
      )
    ),
    []
  ),
  workloads: flag(false),
  unusedTtl: integer({ min: 0, max: 100 * year, default: month }),
  clientSecretTtl: integer({ min: 0, max: 100 * year, default: 0 }),
  limits: nested(registrationLimitChecks, {}),
  maxAge: maxAgeCheck
} satisfies Checks<RegistrationOptions>

type ReadRegistration = Read<typeof registrationChecks>

/** The checked options, and the parts of the server that the endpoint works with. */
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
  /** The bound on clients a network registers an hour; undefined unless anyone may register (`access: 'open'`). */
  readonly networkBudget: NetworkBudget | undefined
  readonly rules: RegistrationRules
  readonly registrations: Registrations
  readonly secrets: SecretKeeper
  readonly fetchJson: FetchJson
  /** Bounds guessing at initial and registration access tokens. */
  readonly guesses: GuessProtection | undefined
}

/**
 * Builds what the endpoint works with from options that were read; from then on the registry finds what registers.
 *
 * @throws ConfigurationError naming the option that does not go with the others, or with the server.
 */
export function registration(
  options: ReadRegistration,
  basis: RegistrationBasis & { readonly clients: ClientRegistry } & Pick<Registration, 'fetchJson' | 'guesses'>
): Registration {
  const { server, clients, fetchJson, guesses, profile } = basis
  const { policy, clientSecretTtl, unusedTtl, maxAge, schemes, limits, workloads } = options
  if (workloads && policy === undefined)
    throw new ConfigurationError(
      'registration.policy',
      'must be given with workloads: somebody has to judge whose tokens prove a client'
    )
  const access = checkAccess(options, profile)
  const rules = registrationRules(basis, {
    grantTypes: checkGrantTypes(options.grantTypes, [...basis.tokenIssuers.keys()], access.access),
    scopes: checkScopes(options.scopes, server.scopes),
    ...{ schemes, limits, workloads }
  })
  const secrets = secretKeeper({ mac: (purpose, data) => server.keys.mac(purpose, data), random: server.random })
  const { issuer, clock, store } = server
  return {
    ...access,
    softwareStatements: softwareStatements(options.softwareStatements, { issuer, clock, fetchJson }),
    policy,
    clientSecretTtl,
    unusedTtl,
    networkBudget: access.access === 'open' ? registrationBudget(rules.limits.perNetwork, clock) : undefined,
    rules,
    registrations: openRegistrations(clients, { issuer, store, secrets, clock, maxAge, unusedTtl }),
    secrets,
    fetchJson,
    guesses
  }
}

function checkAccess(
  { access, initialAccessTokens: tokens, checkInitialAccessToken }: ReadRegistration,
  profile: Profile
): Pick<Registration, 'access' | 'initialAccessTokens' | 'checkInitialAccessToken'> {
  if (access === 'open' && !policyOf(profile).openRegistration)
    throw new ConfigurationError('registration.access', `must be "token" or "closed" under the profile ${profile}`)
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
  return { access, initialAccessTokens: tokens.map(token => sha256(token)), checkInitialAccessToken }
}

function checkScopes(scopes: readonly string[] | undefined, ofServer: readonly string[]): readonly string[] {
  if (scopes?.every(scope => ofServer.includes(scope)) === false)
    throw new ConfigurationError('registration.scopes', 'must be a list of scope values of this server')
  return scopes ?? ofServer
}

function checkGrantTypes(
  given: readonly string[] | undefined,
  ofServer: readonly string[],
  access: RegistrationOptions['access']
): readonly string[] {
  if (given === undefined) return access === 'open' ? ofServer.filter(grant => grantsOfPeople.includes(grant)) : ofServer
  if (given.length === 0)
    throw new ConfigurationError('registration.grantTypes', 'must be a list of at least one grant of this server')
  const unknown = given.findIndex(grant => !ofServer.includes(grant))
  if (unknown !== -1) throw new ConfigurationError(`registration.grantTypes[${unknown}]`, `must be one of ${ofServer.join(', ')}`)
  return ofServer.filter(grant => given.includes(grant))
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** Whoever may register without asking must not be able to fill the store. */
function registrationBudget(most: number, clock: () => number): NetworkBudget {
  const reasonOf = (): string => `the network has registered ${most} clients within an hour`
  return networkBudget({ most, window: 3600, clock, reasonOf })
}
