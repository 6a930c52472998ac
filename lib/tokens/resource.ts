/** Protected resources: who an access token is for (RFC 8707), and which format that resource reads. */
import { InvalidTargetError } from '../errors.ts'
import {
  ConfigurationError,
  integer,
  listOf,
  nested,
  oneOf,
  required,
  textLike,
  type Check,
  type Checks,
  type Read
} from '../options.ts'
import { everySigningAlgorithm, type SigningAlgorithm } from '../signing-keys/generate-keys.ts'
import { aboutPeople, scopeList } from './scope.ts'

/** A resource server that access tokens can be for (RFC 8707). */
export interface ResourceOptions {
  /** The resource indicator: an absolute URI without a fragment. It becomes the token's `aud`. */
  readonly resource: string
  /** The scope values that belong to this resource. */
  readonly scopes?: readonly string[] | undefined
  /**
   * `jwt`: a signed token the resource verifies itself (RFC 9068). `opaque`: a reference it asks us about. Default
   * `jwt`.
   */
  readonly accessTokenFormat?: 'jwt' | 'opaque' | undefined
  /**
   * Algorithm its JWTs are signed with, for a resource that verifies nothing else. Default ES256, as far as there is
   * such a key.
   */
  readonly signingAlgorithm?: SigningAlgorithm | undefined
  /** Seconds a token for this resource lives. Default: the server's `accessTokenTtl`. */
  readonly accessTokenTtl?: number | undefined
  /**
   * The clients this resource asks with what tokens meant for it say (RFC 7662 §2.1), by their client_id. Default none.
   */
  readonly introspectionClients?: readonly string[] | undefined
  /**
   * The scope of a request for this resource that names none. Default: what the client registered, as for any request.
   */
  readonly defaultScope?: readonly string[] | undefined
  /**
   * `registered` (default): a client may ask for the scope values it registered. `any`: clients that nobody configured
   * may ask for every one of this resource's, for clients that register before they know what they will need.
   */
  readonly clientScope?: 'registered' | 'any' | undefined
  /**
   * `exact` (default): a request names the resource by its indicator as a string. `address`: in any spelling of the
   * same address too: another case of scheme or host, the scheme's own port, with or without a slash at the end. What
   * is granted and minted is the indicator as it stands here.
   */
  readonly spelling?: 'exact' | 'address' | undefined
  /** Which grants for this resource have a refresh token. Default: as the server's `refreshTokens` says. */
  readonly refreshTokens?: 'offline_access' | 'registered' | undefined
}

export const resourceChecks = {
  resource: required(textLike('an absolute URI without a fragment', value => URL.canParse(value) && !value.includes('#'))),
  scopes: scopeList([]),
  accessTokenFormat: oneOf(['jwt', 'opaque'], 'jwt'),
  signingAlgorithm: oneOf(everySigningAlgorithm),
  accessTokenTtl: integer({ min: 1, max: 31_536_000 }),
  introspectionClients: listOf('client_ids', (id): id is string => typeof id === 'string' && id !== '', []),
  defaultScope: scopeList(),
  clientScope: oneOf(['registered', 'any'], 'registered'),
  spelling: oneOf(['exact', 'address'], 'exact'),
  refreshTokens: oneOf(['offline_access', 'registered'])
} satisfies Checks<ResourceOptions>

/** A resource with its defaults. */
export type Resource = Read<typeof resourceChecks>

/** One of `resources`. */
export const resourceCheck: Check<Resource> = required(nested(resourceChecks))

/**
 * The algorithm of JWTs for a resource that asks for none, of those there are keys for: ES256 where there is such a
 * key, the smallest and quickest signature every resource can verify.
 */
export function usualAlgorithm(available: readonly string[]): string {
  return available.includes('ES256') ? 'ES256' : (available[0] ?? 'ES256')
}

/** As many resources as one request may name. */
const mostResources = 20

export interface ResourcesSetting {
  /** Whether a scope says which resource is meant. Default false. */
  readonly inferring?: boolean
  /** Algorithms there are keys for. Default: all that can be signed with. */
  readonly algorithms?: readonly string[]
}

const none: ReadonlyMap<string, never> = new Map<string, never>()

/** Tables that nothing is in are one for all tenants. */
function kept<Value>(table: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  return table.size === 0 ? none : table
}

/** The resources of a server, by their indicator. */
export class Resources {
  private readonly byIndicator: ReadonlyMap<string, Resource>
  /** Those that may be spelt in another way, by the one spelling of all that are the same address. */
  private readonly byAddress: ReadonlyMap<string, Resource>
  /** The resources each scope value belongs to. */
  private readonly owners: ReadonlyMap<string, readonly Resource[]>
  private readonly inferring: boolean
  private readonly algorithms: readonly string[]

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(list: readonly Resource[], { inferring = false, algorithms = everySigningAlgorithm }: ResourcesSetting = {}) {
    this.inferring = inferring
    this.algorithms = algorithms
    const byIndicator = new Map<string, Resource>()
    const byAddress = new Map<string, Resource>()
    const owners = new Map<string, readonly Resource[]>()
    list.forEach((resource, index) => {
      const key = `resources[${index}]`
      const { signingAlgorithm, defaultScope = [], scopes } = resource
      if (!defaultScope.every(value => scopes.includes(value)))
        throw new ConfigurationError(`${key}.defaultScope`, "must be a list of the resource's own scope values")
      if (signingAlgorithm !== undefined && !algorithms.includes(signingAlgorithm))
        throw new ConfigurationError(
          `${key}.signingAlgorithm`,
          `must be one of ${algorithms.join(', ')}, for which there are keys`
        )
      if (byIndicator.has(resource.resource)) throw new ConfigurationError(`${key}.resource`, 'is already another resource')
      byIndicator.set(resource.resource, resource)
      if (resource.spelling === 'address') byAddress.set(addressOf(resource.resource), resource)
      for (const scope of new Set(resource.scopes)) owners.set(scope, [...(owners.get(scope) ?? []), resource])
    })
    this.byIndicator = kept(byIndicator)
    this.byAddress = kept(byAddress)
    this.owners = kept(owners)
  }

  /** The resource a request names. @throws InvalidTargetError when there is no such resource (RFC 8707 §2). */
  find(indicator: string): Resource {
    const resource = this.known(indicator)
    if (resource === undefined) throw new InvalidTargetError('this resource is not known here')
    return resource
  }

  /** The same; undefined where there is none. */
  known(indicator: string): Resource | undefined {
    const exact = this.byIndicator.get(indicator)
    if (exact !== undefined || this.byAddress.size === 0 || !URL.canParse(indicator) || indicator.includes('#')) return exact
    return this.byAddress.get(addressOf(indicator))
  }

  /** Those a request names, each once. @throws InvalidTargetError for one there is not, and for too many. */
  findAll(indicators: readonly string[]): readonly string[] {
    const distinct = [...new Set(indicators)]
    if (distinct.length > mostResources) throw new InvalidTargetError('too many resources')
    return distinct.map(indicator => this.find(indicator).resource)
  }

  /**
   * Describes one token for all of these: it lives as long as the shortest-lived of them wants, and its `resource` is
   * all indicators, with spaces between them. Undefined for none.
   *
   * @param defaultTtl seconds a token lives for a resource that says nothing of it.
   * @throws InvalidTargetError where they read tokens of different kinds, so that no token is for all of them (RFC 8707
   * §2).
   */
  together(indicators: readonly string[], defaultTtl: number): Resource | undefined {
    const [first, ...others] = indicators.map(indicator => this.find(indicator))
    if (first === undefined || others.length === 0) return first
    const kind = this.kindOf(first)
    if (others.some(other => this.kindOf(other) !== kind))
      throw new InvalidTargetError('these resources take access tokens of different kinds: ask for one at a time')
    const all = [first, ...others]
    return {
      ...first,
      resource: indicators.join(' '),
      scopes: all.flatMap(({ scopes }) => scopes),
      accessTokenTtl: Math.min(...all.map(({ accessTokenTtl }) => accessTokenTtl ?? defaultTtl)),
      introspectionClients: []
    }
  }

  /** Tokens of one kind can be told apart by nothing that a resource has to be able to read. */
  private kindOf({ accessTokenFormat, signingAlgorithm }: Resource): string {
    return accessTokenFormat === 'opaque' ? 'opaque' : (signingAlgorithm ?? usualAlgorithm(this.algorithms))
  }

  all(): readonly Resource[] {
    return [...this.byIndicator.values()]
  }

  /**
   * Whether this client may be told what a token for the resource says. A resource that is not known (any longer) has
   * no such client.
   */
  isIntrospectedBy(client_id: string, indicator: string): boolean {
    return this.byIndicator.get(indicator)?.introspectionClients.includes(client_id) === true
  }

  /** The values of a granted scope that make sense to this resource: its own, and those that belong to no resource. */
  narrow(scope: readonly string[], resource: Resource): readonly string[] {
    return scope.filter(value => resource.scopes.includes(value) || !this.owners.has(value))
  }

  /**
   * The one resource that all values of a scope belong to, those about people aside; undefined where there is none, or
   * the server infers none.
   */
  inferred(scope: readonly string[]): Resource | undefined {
    if (!this.inferring) return undefined
    const [first, ...others] = this.candidates(scope)
    return others.length === 0 ? first : undefined
  }

  /** The resources that a scope belongs to where they are several, so that none is inferred: for whoever wonders. */
  ambiguous(scope: readonly string[]): readonly string[] | undefined {
    if (!this.inferring || this.inferred(scope) !== undefined) return undefined
    const owners = scope.map(value => this.owners.get(value) ?? [])
    const several = [...new Set(owners.flat().map(({ resource }) => resource))]
    return several.length > 1 ? several : undefined
  }

  /** The resources a request is for: those it names, or the one that is inferred of its scope. */
  meant({ resources, scope }: { readonly resources: readonly string[]; readonly scope: readonly string[] }): readonly string[] {
    const inferred = resources.length === 0 ? this.inferred(scope) : undefined
    return inferred === undefined ? resources : [inferred.resource]
  }

  /** The scope of a request for these that names none; undefined where none of them says. */
  defaultScope(indicators: readonly string[]): readonly string[] | undefined {
    const scopes = indicators.flatMap(indicator => this.known(indicator)?.defaultScope ?? [])
    return scopes.length === 0 ? undefined : [...new Set(scopes)]
  }

  /** The scope values that clients may ask for whatever they registered. */
  openScopes(): readonly string[] {
    return this.all().flatMap(({ clientScope, scopes }) => (clientScope === 'any' ? scopes : []))
  }

  /** Whether grants for one of these have a refresh token without being asked for one. */
  areRefreshed(meant: { readonly resources: readonly string[]; readonly scope: readonly string[] }): boolean {
    return this.meant(meant).some(indicator => this.byIndicator.get(indicator)?.refreshTokens === 'registered')
  }

  private candidates(scope: readonly string[]): readonly Resource[] {
    const [first, ...others] = scope.filter(value => !aboutPeople.includes(value))
    const owners = first === undefined ? [] : (this.owners.get(first) ?? [])
    return owners.filter(({ scopes }) => others.every(value => scopes.includes(value)))
  }
}

/**
 * One spelling for all that are the same address (RFC 3986 §6.2.2, §6.2.3), and for one with and without a slash at its
 * end.
 */
function addressOf(indicator: string): string {
  const { origin, protocol, host, pathname, search } = new URL(indicator)
  return `${origin === 'null' ? `${protocol}//${host}` : origin}${pathname.replace(/\/$/, '')}${search}`
}
