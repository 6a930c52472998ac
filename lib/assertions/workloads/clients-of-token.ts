/**
 * The clients a token could be for, where the request names none: of those that are configured as a list, by an index
 * over their rules; otherwise whom the application says. What is found is the claim of whoever sent the token, until
 * that is verified.
 */
import type { ClientRegistry } from '../../clients/client.ts'
import { credentialSet, isLive, type FederatedOfClient, type SpiffeIdOfClient } from '../../clients/credentials.ts'
import { matchesSpiffeId, parseSpiffeId } from '../../clients/spiffe-id.ts'
import { TemporarilyUnavailableError } from '../../errors.ts'
import { hasClaims, isSubject } from './claim-rules.ts'
import { claimFeatures, RuleIndex, subjectFeature, type Indexed } from './rule-index.ts'
import { audiencesIn } from './workload-jwt.ts'
import type { Workloads } from './workloads.ts'
import type { JsonObject } from '../../json.ts'

/** As many clients as are told of. One is too many already. */
const most = 10

interface Held<T> {
  readonly client_id: string
  readonly credential: T
}

/** By registry, and by the method the clients may use. */
type Indexes<T> = WeakMap<ClientRegistry, Map<string, T>>

const federatedIndexes: Indexes<ReadonlyMap<string, RuleIndex<Held<FederatedOfClient>>>> = new WeakMap()
const spiffeIndexes: Indexes<RuleIndex<Held<SpiffeIdOfClient>>> = new WeakMap()

function indexOf<T>(indexes: Indexes<T>, clients: ClientRegistry, method: string, make: () => T): T {
  const ofClients = indexes.get(clients) ?? new Map<string, T>()
  indexes.set(clients, ofClients)
  const known = ofClients.get(method) ?? make()
  ofClients.set(method, known)
  return known
}

/**
 * The client_ids of those that may use the method and have a credential that a platform's token matches in issuer,
 * audience, subject and claims; ten at most.
 */
export function clientsOfToken(
  { clients, method }: { readonly clients: ClientRegistry; readonly method: string },
  token: JsonObject,
  { workloads, audiences }: { readonly workloads: Workloads; readonly audiences: readonly string[] }
): readonly string[] {
  const { iss } = token
  const byIssuer = indexOf(federatedIndexes, clients, method, () => federatedIndex(clients, method))
  if (typeof iss !== 'string' || workloads.platform(iss) === undefined) return []
  const several = workloads.dials.audience
  return found(byIssuer.get(iss), token, workloads, ({ credential: { rule } }) => {
    const wanted = rule.audience === undefined ? audiences : [rule.audience]
    return isSubject(rule, token) && audiencesIn(token, { audiences: wanted, several }).length > 0 && hasClaims(rule, token)
  })
}

/** The same for JWT-SVIDs, by the SPIFFE ID in `sub`. */
export function clientsOfSvid(
  { clients, method }: { readonly clients: ClientRegistry; readonly method: string },
  token: JsonObject,
  workloads: Workloads
): readonly string[] {
  const svid = parseSpiffeId(token['sub'])
  if (svid === undefined) return []
  const index = indexOf(spiffeIndexes, clients, method, () => spiffeIndex(clients, method))
  return found(index, token, workloads, ({ credential: { spiffe_id } }) => matchesSpiffeId(spiffe_id, svid))
}

/**
 * The `client_id` of the client that the server's own `clientOf` finds for a token which matches no configured one;
 * empty where it is nobody's, or of no source that is trusted.
 *
 * @throws TemporarilyUnavailableError where it throws or rejects.
 */
export async function lookedUpClient(token: JsonObject, workloads: Workloads): Promise<string> {
  const { clientOf } = workloads
  if (clientOf === undefined || !isOfTrusted(token, workloads)) return ''
  try {
    const client_id: unknown = await clientOf(token)
    return typeof client_id === 'string' ? client_id : ''
  } catch (cause) {
    throw new TemporarilyUnavailableError({ reason: 'workloads.clientOf failed; see the cause', cause })
  }
}

function isOfTrusted({ iss, sub }: JsonObject, workloads: Workloads): boolean {
  if (workloads.platform(iss) !== undefined) return true
  const svid = parseSpiffeId(sub)
  return svid !== undefined && workloads.domain(svid.trustDomain) !== undefined
}

function found<T extends FederatedOfClient | SpiffeIdOfClient>(
  index: RuleIndex<Held<T>> | undefined,
  token: JsonObject,
  { server }: Workloads,
  isMatch: (held: Held<T>) => boolean
): readonly string[] {
  const now = server.clock() / 1000
  const ids = new Set<string>()
  for (const held of index?.candidates(token) ?? []) {
    if (!ids.has(held.client_id) && isLive(held.credential, now) && isMatch(held)) ids.add(held.client_id)
    if (ids.size === most) break
  }
  return [...ids]
}

/** Lists the credentials, live or not, of the listed clients that may use the method. */
function heldBy<T>(
  clients: ClientRegistry,
  method: string,
  credentialsOf: (set: ReturnType<typeof credentialSet>) => readonly T[]
): readonly Held<T>[] {
  return (clients.listed?.() ?? []).flatMap(client => {
    const set = credentialSet(client)
    if (!set.methods.some(allowed => allowed.method === method)) return []
    return credentialsOf(set).map(credential => ({ client_id: client.client_id, credential }))
  })
}

function federatedIndex(clients: ClientRegistry, method: string): ReadonlyMap<string, RuleIndex<Held<FederatedOfClient>>> {
  const byIssuer = new Map<string, Indexed<Held<FederatedOfClient>>[]>()
  for (const held of heldBy(clients, method, ({ federated }) => federated)) {
    const { issuer, subject, claims } = held.credential.rule
    const features = [...(subject === undefined ? [] : [subjectFeature(subject)]), ...claimFeatures(claims ?? {})]
    const entries = byIssuer.get(issuer)
    if (entries === undefined) byIssuer.set(issuer, [{ rule: held, features }])
    else entries.push({ rule: held, features })
  }
  return new Map([...byIssuer].map(([issuer, entries]) => [issuer, new RuleIndex(entries)]))
}

function spiffeIndex(clients: ClientRegistry, method: string): RuleIndex<Held<SpiffeIdOfClient>> {
  const held = heldBy(clients, method, ({ spiffeIds }) => spiffeIds)
  return new RuleIndex(held.map(rule => ({ rule, features: [subjectFeature(rule.credential.spiffe_id)] })))
}
