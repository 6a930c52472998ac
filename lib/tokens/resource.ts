/** Protected resources: who an access token is for (RFC 8707), and which format that resource reads. */
import { InvalidTargetError } from '../errors.ts'
import { checkInteger, checkKeys, checkOneOf, ConfigurationError } from '../options.ts'
import { isScopeToken } from './scope.ts'

export interface ResourceOptions {
  /** The resource indicator: an absolute URI without a fragment. It becomes the token's `aud`. */
  readonly resource: string
  /** The scope values that belong to this resource. */
  readonly scopes?: readonly string[] | undefined
  /** `jwt`: a signed token the resource verifies itself (RFC 9068). `opaque`: a reference it asks us about. Default `jwt`. */
  readonly access_token_format?: 'jwt' | 'opaque' | undefined
  /** Seconds a token for this resource lives. Default: the server's `accessTokenTtl`. */
  readonly access_token_ttl?: number | undefined
  /** The clients this resource asks with what tokens meant for it say (RFC 7662 §2.1), by their client_id. Default none. */
  readonly introspection_clients?: readonly string[] | undefined
}

export interface Resource {
  readonly resource: string
  readonly scopes: readonly string[]
  readonly access_token_format: 'jwt' | 'opaque'
  readonly access_token_ttl: number | undefined
  readonly introspection_clients: readonly string[]
}

/** As many resources as one request may name. */
const mostResources = 20

/** The resources of a server, by their indicator. */
export class Resources {
  private readonly byIndicator = new Map<string, Resource>()
  private readonly owned = new Set<string>()

  /** @throws ConfigurationError naming the option that is wrong. */
  constructor(list: readonly ResourceOptions[], key = 'resources') {
    list.forEach((options, index) => {
      const resource = checkResource(options, `${key}[${index}]`)
      if (this.byIndicator.has(resource.resource))
        throw new ConfigurationError(`${key}[${index}].resource`, 'is already another resource')
      this.byIndicator.set(resource.resource, resource)
      for (const scope of resource.scopes) this.owned.add(scope)
    })
  }

  /** The resource a request names. @throws InvalidTargetError when there is no such resource (RFC 8707 §2). */
  find(indicator: string): Resource {
    const resource = this.byIndicator.get(indicator)
    if (resource === undefined) throw new InvalidTargetError('this resource is not known here')
    return resource
  }

  /** Those a request names, each once. @throws InvalidTargetError for one there is not, and for too many. */
  findAll(indicators: readonly string[]): readonly string[] {
    const distinct = [...new Set(indicators)]
    if (distinct.length > mostResources) throw new InvalidTargetError('too many resources')
    return distinct.map(indicator => this.find(indicator).resource)
  }

  all(): readonly Resource[] {
    return [...this.byIndicator.values()]
  }

  /** Whether this client may be told what a token for the resource says. A resource that is not known (any longer) has no such client. */
  isIntrospectedBy(client_id: string, indicator: string): boolean {
    return this.byIndicator.get(indicator)?.introspection_clients.includes(client_id) === true
  }

  /** The values of a granted scope that make sense to this resource: its own, and those that belong to no resource. */
  narrow(scope: readonly string[], resource: Resource): readonly string[] {
    return scope.filter(value => resource.scopes.includes(value) || !this.owned.has(value))
  }
}

function checkResource(options: ResourceOptions, key: string): Resource {
  const given: unknown = options
  if (typeof given !== 'object' || given === null) throw new ConfigurationError(key, 'must be an object')
  checkKeys(options, ['resource', 'scopes', 'access_token_format', 'access_token_ttl', 'introspection_clients'], `${key}.`)
  const indicator: unknown = options.resource
  if (typeof indicator !== 'string' || !URL.canParse(indicator) || indicator.includes('#')) {
    throw new ConfigurationError(`${key}.resource`, 'must be an absolute URI without a fragment')
  }
  const scopes: unknown = options.scopes ?? []
  if (!Array.isArray(scopes) || !scopes.every(value => typeof value === 'string' && isScopeToken(value))) {
    throw new ConfigurationError(`${key}.scopes`, 'must be a list of scope values')
  }
  const introspectionClients: unknown = options.introspection_clients ?? []
  if (!Array.isArray(introspectionClients) || !introspectionClients.every(id => typeof id === 'string' && id !== '')) {
    throw new ConfigurationError(`${key}.introspection_clients`, 'must be a list of client_ids')
  }
  return {
    resource: indicator,
    scopes: scopes as readonly string[],
    access_token_format: checkOneOf(options.access_token_format, `${key}.access_token_format`, ['jwt', 'opaque'], 'jwt'),
    access_token_ttl:
      options.access_token_ttl === undefined
        ? undefined
        : checkInteger(options.access_token_ttl, `${key}.access_token_ttl`, { min: 1, max: 31_536_000, default: 3600 }),
    introspection_clients: introspectionClients as readonly string[]
  }
}
