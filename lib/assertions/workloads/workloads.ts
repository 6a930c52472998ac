/** The platforms and trust domains that one server takes at their word on workloads, each with its keys. */
import { isOnLoopback } from '../../options.ts'
import { guardedFetch } from '../../outbound/guarded-fetch.ts'
import type { IssuerKeys } from '../trusted-jwt.ts'
import { platformKeys } from './issuer-keys.ts'
import type { ClientOfToken, ReadWorkloads, WorkloadRule } from './options.ts'
import { spiffeDomain, type SpiffeDomain } from './trust-domain.ts'

/** A platform, with its keys. */
export interface Platform {
  readonly rule: WorkloadRule
  readonly keys: IssuerKeys
}

/** The server that the tokens are for. */
export interface WorkloadServer {
  /** The issuer identifier. */
  readonly issuer: string
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** The platforms and trust domains a server trusts. */
export interface Workloads {
  readonly server: WorkloadServer
  readonly dials: ReadWorkloads['dials']
  /**
   * The platform that says this of itself in `iss`; undefined where it is not trusted, and for the server's own issuer.
   */
  platform(iss: unknown): Platform | undefined
  /** Finds the client of a token that matches no configured one; undefined: nobody does. */
  readonly clientOf: ClientOfToken | undefined
  /** The algorithms that any of the platforms may sign with. */
  readonly platformAlgorithms: readonly string[]
  /** The trust domain of this name; undefined where it is not trusted. */
  domain(trustDomain: string): SpiffeDomain | undefined
}

/** Bundles have certificates in them: more than a key set ever has. */
const largestDocument = 8_388_608

const opened = new WeakMap<ReadWorkloads, Map<string, Workloads>>()

/** The workloads of a server. One server's strategies and grants share one, which holds its cache of keys. */
export function openWorkloads(options: ReadWorkloads, { issuer, clock }: WorkloadServer): Workloads {
  const byIssuer = opened.get(options) ?? new Map<string, Workloads>()
  opened.set(options, byIssuer)
  const known = byIssuer.get(issuer)
  if (known?.server.clock === clock) return known
  const made = workloadsOf(options, { issuer, clock })
  byIssuer.set(issuer, made)
  return made
}

function workloadsOf(
  { issuers, trustDomains, clientOf, dials, fetchJson: given }: ReadWorkloads,
  server: WorkloadServer
): Workloads {
  const allowLoopback = isOnLoopback(server.issuer)
  const fetchJson = given ?? guardedFetch({ allowLoopback, maxBytes: largestDocument })
  const { clock } = server
  const platforms = new Map(
    [...issuers].map(([issuer, rule]) => [issuer, { rule, keys: platformKeys(rule, { fetchJson, clock }) }])
  )
  const domains = new Map([...trustDomains].map(([name, rule]) => [name, spiffeDomain(rule, { fetchJson, clock })]))
  return {
    server,
    clientOf,
    dials,
    // what this server signed is no platform's word, whoever is listed
    platform: iss => (typeof iss === 'string' && iss !== server.issuer ? platforms.get(iss) : undefined),
    platformAlgorithms: [...new Set([...issuers.values()].flatMap(({ algorithms }) => algorithms))],
    domain: trustDomain => domains.get(trustDomain)
  }
}
