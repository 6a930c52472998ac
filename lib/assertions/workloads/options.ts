/**
 * The authorities on workloads that a server trusts: platforms that sign tokens for them, and SPIFFE trust domains.
 * Checked once, at construction.
 */
import type { JWK } from 'jose'
import { legacyKubernetesIssuer } from '../../clients/federated-credential.ts'
import { isTrustDomain } from '../../clients/spiffe-id.ts'
import {
  ConfigurationError,
  eachOf,
  fn,
  integer,
  listOf,
  nested,
  oneOf,
  readBy,
  readOptions,
  required,
  text,
  textLike,
  type Check,
  type Checks,
  type Read
} from '../../options.ts'
import type { FetchJson } from '../../outbound/guarded-fetch.ts'
import { typeOf } from '../compact-jws.ts'
import { algorithmsCheck, fetchableCheck, isFetchable, jwksCheck } from '../trust-rule.ts'
import { bundleCheck } from './bundle.ts'
import { isJsonObject } from '../../json.ts'

/**
 * A platform whose tokens prove clients, such as a Kubernetes cluster or GitHub Actions. At most one of `jwks` and
 * `jwks_uri`; with neither, its own discovery document says where its keys are.
 */
export interface WorkloadIssuer {
  /**
   * Exactly what its tokens say in `iss`. An https URL (http on a loopback host) where its discovery document is
   * needed.
   */
  readonly issuer: string
  /** Its public keys: for a platform this server cannot reach, such as a cluster with a private address. */
  readonly jwks?: { /** The keys, each a JWK (RFC 7517 §5). */ readonly keys: readonly JWK[] } | undefined
  /** Where its public keys are: https, or http on a loopback host. */
  readonly jwks_uri?: string | undefined
  /**
   * The signature algorithms accepted of it. Default: every asymmetric one this library verifies. Symmetric ones and
   * `none` never are.
   */
  readonly algorithms?: readonly string[] | undefined
  /** The values of `typ` accepted beside none, `JWT` and `client-authentication+jwt`. Default none. */
  readonly types?: readonly string[] | undefined
  /**
   * `allow` (default): a token proves its client until it expires. `once`: each needs a `jti`, and is used up by its
   * first success.
   */
  readonly replay?: 'once' | 'allow' | undefined
  /** Seconds a token may live, from `iat` to `exp`. Default 86400, at most a year. */
  readonly maxLifetime?: number | undefined
  /** Seconds its clock may be ahead, and a token be past its `exp`. Default 10, at most 60. */
  readonly clockTolerance?: number | undefined
}

/** A SPIFFE trust domain whose workloads are clients. Exactly one of `bundle` and `bundleEndpoint`. */
export interface TrustDomain {
  /** Its name, such as `prod.example`: without `spiffe://`. */
  readonly trustDomain: string
  /** Its keys, as a SPIFFE bundle: a JWK set whose keys have a `use` of `jwt-svid` or `x509-svid`. */
  readonly bundle?:
    | {
        /** The keys, each a JWK (SPIFFE Trust Domain and Bundle §4.2). */
        readonly keys: readonly JWK[]
        /** Counts versions of the bundle. */
        readonly spiffe_sequence?: number | undefined
        /** Seconds after which whoever fetched it should ask again. */
        readonly spiffe_refresh_hint?: number | undefined
      }
    | undefined
  /**
   * Where its bundle is (profile `https_web`): https, or http on a loopback host. Asked as often as the bundle says, 30
   * to 3600 seconds apart (default 300), and when a key is missing.
   */
  readonly bundleEndpoint?: string | undefined
  /** Seconds a JWT-SVID may live. Default 86400, at most a year. */
  readonly maxLifetime?: number | undefined
  /** Seconds its clock may be ahead, and a JWT-SVID be past its `exp`. Default 10, at most 60. */
  readonly clockTolerance?: number | undefined
  /** Seconds the last good bundle serves while its endpoint fails. Default 86400, at most a week; 0: not at all. */
  readonly staleLimit?: number | undefined
}

/**
 * Rules about workloads' tokens that can be tried out before they are enforced: whoever breaks one is let in, and
 * reported.
 */
export interface WorkloadDials {
  /** `aud` has one value. Default `enforce`. `report` lets a list through that has the right one in it. */
  readonly audience?: 'report' | 'enforce' | undefined
  /** `typ` is one that is accepted. Default `enforce`. `report` lets any through but those of other kinds of JWT. */
  readonly type?: 'report' | 'enforce' | undefined
}

/**
 * Finds the client of a platform's token or JWT-SVID by its claims, which nobody has verified yet.
 *
 * @example
 * const clientOf: ClientOfToken = async ({ iss, sub }) => (await database.workload(String(iss), String(sub)))?.client_id
 */
export type ClientOfToken = (
  claims: Readonly<Record<string, unknown>>
) => string | null | undefined | Promise<string | null | undefined>

/** Trusted platforms and trust domains: they make the methods `federated_jwt`, `spiffe_jwt` and `spiffe_x509`. */
export interface WorkloadsOptions {
  /** Platforms whose tokens prove clients by their `federated_credentials`. Default none. */
  readonly issuers?: readonly WorkloadIssuer[] | undefined
  /** SPIFFE trust domains whose workloads prove clients by their `spiffe_id`. Default none. */
  readonly trustDomains?: readonly TrustDomain[] | undefined
  /**
   * Finds the client of a token that comes without `client_id` where no client configured as a list matches it: its
   * `client_id`, or undefined where it is nobody's. For clients that a function looks up, which cannot be searched.
   * Nothing of the token is verified by then but that its issuer, or its trust domain, is trusted: the answer is a
   * claim like a `client_id` that was sent, and the client's own credentials decide. Where it throws or rejects, the
   * request is answered with 503. Default: such a token is nobody's.
   */
  readonly clientOf?: ClientOfToken | undefined
  /** Rules that are enforced or only reported, one by one. */
  readonly dials?: WorkloadDials | undefined
  /**
   * Fetches discovery documents, key sets and bundles. Default: https only, from public addresses (loopback too where
   * this server's own issuer is on it).
   */
  readonly fetchJson?: FetchJson | undefined
}

const year = 31_536_000
const week = 604_800
const times = {
  maxLifetime: integer({ min: 1, max: year, default: 86_400 }),
  clockTolerance: integer({ min: 0, max: 60, default: 10 })
}

export const workloadIssuerChecks = {
  issuer: required(text()),
  jwks: jwksCheck,
  jwks_uri: fetchableCheck,
  algorithms: algorithmsCheck,
  types: listOf('values of typ, such as "jwt"', (typ): typ is string => typeof typ === 'string' && typ !== '', []),
  replay: oneOf(['once', 'allow'], 'allow'),
  ...times
} satisfies Checks<WorkloadIssuer>

export const trustDomainChecks = {
  trustDomain: required(textLike('the name of a trust domain, such as prod.example: a-z, 0-9, ".", "-" and "_"', isTrustDomain)),
  bundle: bundleCheck,
  bundleEndpoint: fetchableCheck,
  ...times,
  staleLimit: integer({ min: 0, max: week, default: 86_400 })
} satisfies Checks<TrustDomain>

export const workloadDialChecks = {
  audience: oneOf(['report', 'enforce'], 'enforce'),
  type: oneOf(['report', 'enforce'], 'enforce')
} satisfies Checks<WorkloadDials>

/** A {@link WorkloadIssuer} with its defaults. */
export type WorkloadRule = Read<typeof workloadIssuerChecks>
/** A {@link TrustDomain} with its defaults. */
export type TrustDomainRule = Read<typeof trustDomainChecks>

const listOfIssuers = eachOf('workload issuers', required(nested(workloadIssuerChecks)), [])
const listOfDomains = eachOf('trust domains', required(nested(trustDomainChecks)), [])

const issuersCheck: Check<ReadonlyMap<string, WorkloadRule>> = readBy(listOfIssuers.takes, (value, key) => {
  const rules = new Map<string, WorkloadRule>()
  listOfIssuers.read(value, key).forEach((rule, index) => {
    const path = `${key}[${index}]`
    if (rule.issuer === legacyKubernetesIssuer)
      throw new ConfigurationError(`${path}.issuer`, 'must not be that of legacy Kubernetes tokens, which never end')
    if (rule.jwks !== undefined && rule.jwks_uri !== undefined)
      throw new ConfigurationError(`${path}.jwks_uri`, 'must not be given together with jwks')
    if (rule.jwks === undefined && rule.jwks_uri === undefined && !isFetchable(rule.issuer))
      throw new ConfigurationError(
        `${path}.issuer`,
        'must be an https URL (http only on a loopback host), or jwks be given: else nobody has its keys'
      )
    if (rules.has(rule.issuer)) throw new ConfigurationError(`${path}.issuer`, 'must not be that of another workload issuer')
    rules.set(rule.issuer, { ...rule, types: rule.types.map(typ => String(typeOf(typ))) })
  })
  return rules
})

const domainsCheck: Check<ReadonlyMap<string, TrustDomainRule>> = readBy(listOfDomains.takes, (value, key) => {
  const rules = new Map<string, TrustDomainRule>()
  listOfDomains.read(value, key).forEach((rule, index) => {
    const path = `${key}[${index}]`
    if ((rule.bundle === undefined) === (rule.bundleEndpoint === undefined))
      throw new ConfigurationError(`${path}.bundle`, 'or bundleEndpoint must be given, and not both')
    if (rules.has(rule.trustDomain))
      throw new ConfigurationError(`${path}.trustDomain`, 'must not be that of another trust domain')
    rules.set(rule.trustDomain, rule)
  })
  return rules
})

export const workloadsTable = {
  issuers: issuersCheck,
  trustDomains: domainsCheck,
  clientOf: fn<ClientOfToken>(),
  dials: nested(workloadDialChecks, {}),
  fetchJson: fn<FetchJson>()
} satisfies Checks<WorkloadsOptions>

/** The options with their defaults, once they have been read. */
export interface ReadWorkloads extends Read<typeof workloadsTable> {
  /** The options themselves, for whoever reads them too. */
  readonly given: WorkloadsOptions
}

const known = new WeakMap<object, ReadWorkloads>()

/** Read once: whoever is given the same options gets the same, and with it the same cache of keys. */
function readWorkloads(value: unknown, key: string): ReadWorkloads | undefined {
  if (value === undefined) return undefined
  if (!isJsonObject(value)) throw new ConfigurationError(key, 'must be an object')
  const before = known.get(value)
  if (before !== undefined) return before
  const read = { ...readOptions(value, workloadsTable, `${key}.`), given: value }
  known.set(value, read)
  return read
}

export const workloadsCheck: Check<ReadWorkloads | undefined> = readBy('an object', readWorkloads)
