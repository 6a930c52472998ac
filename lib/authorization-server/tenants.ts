/** Any number of issuers side by side, each made when it is first asked for. */
import type { RequestHandler } from 'express'
import { LRUCache } from 'lru-cache'
import { authorizationServer, type AuthorizationServer, type AuthorizationServerOptions } from './authorization-server.ts'
import { pagePaths } from './developing.ts'
import { TemporarilyUnavailableError } from '../errors.ts'
import type { EventListener } from '../events/event-source.ts'
import { harmless } from '../listeners.ts'
import { endpointPathsChecks, metadataPaths, pathsOf, type EndpointPaths } from '../http/endpoint-paths.ts'
import { oauthErrorHandler, type OAuthErrorHandlerOptions } from '../http/error-handler.ts'
import { pathOf } from '../http/request-target.ts'
import {
  ConfigurationError,
  fn,
  integer,
  issuerIdentifier,
  nested,
  readOptions,
  required,
  type Checks,
  type Read
} from '../options.ts'

/**
 * A tenant's server: the options of an authorization server but for its issuer, which its path decides, and its paths,
 * which are those of all tenants.
 */
export interface TenantOptions extends Omit<AuthorizationServerOptions, 'issuer' | 'paths'> {
  /**
   * Called once when the tenant is no longer kept in memory: stop what was started for it, such as following its keys.
   * What it throws or rejects with is ignored.
   */
  readonly dispose?: (() => void) | undefined
}

/** The options of `tenants()`. */
export interface TenantsOptions {
  /** The beginning of every tenant's issuer: the tenant `/acme` is the issuer `https://as.example.com/acme`. */
  readonly issuer: string
  /**
   * Finds a tenant, by its path (`/acme/banking`) and the issuer that makes; undefined or null where there is none.
   * Asked once while the tenant is kept, however many requests come at once.
   */
  readonly resolve: (path: string, issuer: string) => TenantOptions | null | undefined | Promise<TenantOptions | null | undefined>
  /**
   * Paths of endpoints below the issuer of every tenant, by their metadata names without `_endpoint`. Default: below
   * `/oauth2`.
   */
  readonly paths?: EndpointPaths | undefined
  /** The most tenants kept in memory; the one longest not asked for makes room. Default 1000. */
  readonly max?: number | undefined
  /** Seconds after which a tenant is resolved anew. Default 300. */
  readonly maxAge?: number | undefined
  /** Told of every error before it is answered, a failing `resolve` too. */
  readonly onError?: OAuthErrorHandlerOptions['onError']
  /**
   * Told of what happens at every tenant that has no `onEvent` of its own; `issuer` says at which. What it throws or
   * rejects with decides nothing.
   */
  readonly onEvent?: EventListener | undefined
}

/** The router of all tenants, and the server behind each. */
export interface Tenants extends RequestHandler {
  /**
   * The tenant's server, for its pages and its API; undefined where there is no such tenant. Rejects where `resolve`
   * does.
   */
  server(path: string): Promise<AuthorizationServer | undefined>
  /** Has the tenant resolved anew at its next request: its clients, keys or policy changed. */
  forget(path: string): void
}

export const tenantsChecks = {
  issuer: issuerIdentifier(),
  resolve: required(fn<TenantsOptions['resolve']>()),
  paths: nested(endpointPathsChecks),
  max: integer({ min: 1, max: 1_000_000, default: 1000 }),
  maxAge: integer({ min: 1, max: 31_536_000, default: 300 }),
  onError: fn<NonNullable<OAuthErrorHandlerOptions['onError']>>(),
  onEvent: fn<EventListener>()
} satisfies Checks<TenantsOptions>

/** Seconds for which a path that is no tenant's is not asked for again, and how many such paths are remembered. */
const absentFor = 5
const mostAbsent = 1000
const longestPath = 256
const pathSyntax = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/

/**
 * Mounts tenants. Each is an issuer of its own, with keys, clients, codes, tokens and used assertions that no other
 * tenant finds, though they share one store. A request of a tenant costs the same however many there are. Mount it at
 * the application's root.
 *
 * @throws ConfigurationError naming the option that is wrong. A tenant whose own options are wrong is answered with
 * 500, and `onError` hears why.
 *
 * @example
 * const all = tenants({
 *   issuer: 'https://as.example.com',
 *   resolve: async (path, issuer) => {
 *     const tenant = await database.findTenant(path)
 *     if (tenant === undefined) return undefined
 *     const keys = await storedKeys({ store, issuer })
 *     return { clients: tenant.clients, store, keys, interaction, dispose: () => keys.close() }
 *   }
 * })
 * app.use(all)
 */
export function tenants(options: TenantsOptions): Tenants {
  const read = readOptions(options, tenantsChecks)
  const kept = new KeptTenants(read)
  const tenantOf = tenantFinder(new URL(read.issuer).pathname.replace(/\/$/, ''), read.paths)
  const answerError = oauthErrorHandler({ onError: read.onError })
  const answer: RequestHandler = (req, res, next) => {
    const path = tenantOf(pathOf(req))
    if (path === undefined) {
      next()
      return
    }
    const failed = (error: unknown): void => void answerError(error, req, res, next)
    kept.server(path).then(server => {
      if (server === undefined) next()
      else void server(req, res, next)
    }, failed)
  }
  return Object.assign(answer, {
    server: (path: string) => (isTenantPath(path) ? kept.server(path) : Promise.resolve(undefined)),
    forget: (path: string) => kept.forget(path)
  })
}

/** The tenants in memory. Requests that come at once share one making. */
class KeptTenants {
  private readonly options: Read<typeof tenantsChecks>
  private readonly present: LRUCache<string, KeptTenant>
  private readonly absent = new LRUCache<string, true>({ max: mostAbsent, ttl: absentFor * 1000 })
  private forgotten = 0
  private readonly making = new Map<string, Promise<AuthorizationServer | undefined>>()

  constructor(options: Read<typeof tenantsChecks>) {
    this.options = options
    this.present = new LRUCache<string, KeptTenant>({
      max: options.max,
      ttl: options.maxAge * 1000,
      dispose: tenant => tenant.dispose?.()
    })
  }

  server(path: string): Promise<AuthorizationServer | undefined> {
    const known = this.present.get(path)
    if (known !== undefined) return Promise.resolve(known.server)
    if (this.absent.get(path) !== undefined) return Promise.resolve(undefined)
    const underWay = this.making.get(path)
    if (underWay !== undefined) return underWay
    const made = this.make(path).finally(() => {
      if (this.making.get(path) === made) this.making.delete(path)
    })
    this.making.set(path, made)
    return made
  }

  forget(path: string): void {
    this.present.delete(path)
    this.absent.delete(path)
    // what is being made may be of before: whoever waits for it gets it, and it is not kept
    this.forgotten++
    this.making.delete(path)
  }

  /** Neither a failure nor an absence takes the place of a tenant. */
  private async make(path: string): Promise<AuthorizationServer | undefined> {
    const issuer = this.options.issuer + path
    const begun = this.forgotten
    const options = await this.resolve(path, issuer)
    const isCurrent = begun === this.forgotten
    if (options === undefined) {
      if (isCurrent) this.absent.set(path, true)
      return undefined
    }
    const { dispose: given, ...rest } = options
    if ('paths' in rest)
      throw new ConfigurationError('paths', 'must be given to tenants(): where endpoints stand is how tenants are told apart')
    const dispose = harmless('dispose', given)
    const server = authorizationServer({ onEvent: this.options.onEvent, ...rest, issuer, paths: this.options.paths })
    if (isCurrent) this.present.set(path, { server, dispose })
    else dispose?.()
    return server
  }

  private async resolve(path: string, issuer: string): Promise<TenantOptions | undefined> {
    try {
      return (await this.options.resolve(path, issuer)) ?? undefined
    } catch (cause) {
      throw new TemporarilyUnavailableError({ reason: `the tenant ${path} could not be resolved; see the cause`, cause })
    }
  }
}

interface KeptTenant {
  readonly server: AuthorizationServer
  readonly dispose: (() => void) | undefined
}

/**
 * Finds the tenant a request is for, if it is for an endpoint of one: told by where the endpoints stand below an
 * issuer.
 */
function tenantFinder(base: string, given: EndpointPaths | undefined): (path: string) => string | undefined {
  const paths = pathsOf(given)
  const endpoints: ReadonlySet<string> = new Set([...Object.values(paths), ...metadataPaths, ...pagePaths])
  const deepest = Math.max(...[...endpoints].map(segments))
  const items = `${paths.registration_endpoint}/`
  const issuerPathOf = (path: string): string | undefined => {
    let found: string | undefined
    // what is longest is the endpoint; one segment more, and it is what a client registered
    for (let start = path.lastIndexOf('/'), depth = 0; start !== -1 && depth <= deepest; depth++) {
      const rest = path.slice(start)
      if (endpoints.has(rest) || (rest.startsWith(items) && segments(rest) === segments(items))) found = path.slice(0, start)
      start = start === 0 ? -1 : path.lastIndexOf('/', start - 1)
    }
    return found
  }
  return path => {
    const inserted = metadataPaths.find(wellKnown => path.startsWith(wellKnown))
    const issuerPath = inserted === undefined ? issuerPathOf(path) : path.slice(inserted.length)
    if (issuerPath?.startsWith(base) !== true) return undefined
    const tenant = issuerPath.slice(base.length)
    return isTenantPath(tenant) ? tenant : undefined
  }
}

function segments(path: string): number {
  return path.split('/').length - 1
}

function isTenantPath(path: string): boolean {
  return path.length <= longestPath && pathSyntax.test(path)
}
