/**
 * Clients that nobody configured and that did not register: their client_id is the address of what they say of
 * themselves.
 */
import { sha256 } from '../../crypto/sha256.ts'
import { OAuthError } from '../../errors.ts'
import { GuardedFetchError, type FetchJson } from '../../outbound/guarded-fetch.ts'
import { growingCache, type GrowingCache } from '../../stores/growing-cache.ts'
import { keepCredentials, credentialSet } from '../credentials.ts'
import { withOrigin } from '../client-origin.ts'
import type { Client, ClientRegistry, WhyUnknown } from '../client.ts'
import { clientOfDocument, DocumentError, type DocumentRules } from './check.ts'
import { changedMembers, clientDocument, keepDocument, type ConsentedMember } from './document.ts'
import { documentFetches } from './fetches.ts'
import { documentAddressProblem, namesDocument } from './identifier.ts'
import type { DocumentPolicy } from './options.ts'
import { FetchPostponedError, FetchRefusedError, type Acquaintance } from './places.ts'
import { postpone, postponedError } from './postponed.ts'

/** Events of client documents. */
export type DocumentHappening =
  | { readonly type: 'client_document.fetched'; readonly client_id: string; readonly expires_in: number }
  | { readonly type: 'client_document.changed'; readonly client_id: string; readonly members: readonly ConsentedMember[] }
  | {
      readonly type: 'client_document.refused'
      readonly client_id: string
      readonly check: WhyUnknown['check']
      readonly reason: string
    }

interface DocumentClientsContext {
  readonly policy: DocumentPolicy
  /** Asked when a document is there: by then the server is made. */
  readonly rules: () => DocumentRules
  readonly fetchJson: FetchJson
  /** Whether somebody agreed to the client, in whichever process that was. */
  readonly wasConsented: (client_id: string) => Promise<boolean>
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  readonly tell: (happening: DocumentHappening) => void
}

/** A registry that finds clients by their documents too. */
export interface DocumentClients extends ClientRegistry {
  /** Whether this could be the client_id of a client with a document. Fetches nothing. */
  admits(client_id: string): boolean
}

/** Seconds. */
const shortestAge = 300
const longestAge = 86_400
const staleFor = 3600
const mostKept = 10_000
/** In characters of JSON, all documents together. */
const mostKeptText = 33_554_432
const mostReasons = 1000

interface Kept {
  /** Of the document: it is not kept itself, only what was read of it. */
  readonly digest: string
  /** Of the document, in characters of JSON. */
  readonly size: number
  readonly client: Client
  /** Milliseconds since the epoch. */
  readonly freshUntil: number
  readonly staleUntil: number
}

async function acquaintanceOf(
  address: string,
  { wasConsented }: DocumentClientsContext,
  wasRead: boolean
): Promise<Acquaintance> {
  try {
    if (await wasConsented(address)) return 'agreed'
  } catch (error) {
    // what is known here goes on while the store does not answer
    if (!wasRead) throw error
  }
  return wasRead ? 'read' : 'new'
}

/**
 * The clients of a registry, and those whose documents are let in. A client the registry knows is that one, and nothing
 * is fetched. For an hour after a document could not be had again its client is found as one that {@link mayBegin}
 * turns away.
 *
 * Finding rejects with a `DocumentPostponedError` where there are too many fetches for one more.
 */
export function documentClients(clients: ClientRegistry, context: DocumentClientsContext): DocumentClients {
  const { policy, clock } = context
  const kept = growingCache<Kept>(mostKept, { most: mostKeptText, sizeOf: ({ size }) => size })
  const reasons = growingCache<WhyUnknown>(mostReasons)
  const keep = keeping(context, kept, reasons)
  const fetchDocument = documentFetches({
    fetchJson: context.fetchJson,
    acquaintanceOf: address => acquaintanceOf(address, context, kept.has(address)),
    limits: policy.limits,
    timeout: policy.timeout,
    clock,
    read: (address, { json, maxAge = 0, mediaType }) => {
      if (mediaType !== undefined && !isJson(mediaType))
        throw new DocumentError('the document', 'must be sent as application/json')
      return keep(address, json, Math.min(Math.max(maxAge, shortestAge), longestAge))
    }
  })
  const refuse = (client_id: string, check: WhyUnknown['check'], reason: string): void => {
    reasons.set(client_id, { check, reason })
    context.tell({ type: 'client_document.refused', client_id, check, reason })
  }
  const isFresh = (known?: Kept): boolean => known !== undefined && clock() < known.freshUntil
  const find = async (client_id: string): Promise<Client | undefined> => {
    const configured = await clients.find(client_id)
    if (configured !== undefined) return configured
    const known = kept.get(client_id)
    if (known !== undefined && isFresh(known)) return known.client
    const problem = addressProblem(client_id, policy)
    if (problem !== undefined) {
      refuse(client_id, 'client_document_url', problem)
      return undefined
    }
    try {
      return (await fetchDocument(client_id)).client
    } catch (error) {
      // of the store, where that does not answer
      if (error instanceof OAuthError) throw error
      const isPostponed = error instanceof FetchPostponedError
      refuse(client_id, isPostponed ? 'client_document_limit' : 'client_document', reasonOf(error))
      if (known !== undefined && clock() < known.staleUntil) return staleTwin(known.client, isPostponed ? error : undefined)
      if (isPostponed) throw postponedError(error)
      return undefined
    }
  }
  return {
    ...clients,
    used: usesOf(clients),
    find: client_id => (namesDocument(client_id) ? find(client_id) : clients.find(client_id)),
    whyUnknown: client_id => reasons.get(client_id),
    // asked with every token that is looked at: the address of a document that is kept is good
    admits: client_id =>
      namesDocument(client_id) && (isFresh(kept.get(client_id)) || addressProblem(client_id, policy) === undefined)
  }
}

/** Keeps what was read of a document, and tells what there is to tell of it. */
function keeping(context: DocumentClientsContext, kept: GrowingCache<Kept>, reasons: GrowingCache<WhyUnknown>) {
  const { clock } = context
  return (address: string, json: unknown, expires_in: number): Kept => {
    const before = kept.get(address)
    const { digest, size } = weigh(json)
    const client = before?.digest === digest ? before.client : clientOfDocument(address, json, context.rules())
    const freshUntil = clock() + 1000 * expires_in
    const entry = { digest, size, client, freshUntil, staleUntil: freshUntil + 1000 * staleFor }
    // weighed anew, which a value of the same key is not
    kept.delete(address)
    kept.set(address, entry)
    reasons.delete(address)
    context.tell({ type: 'client_document.fetched', client_id: address, expires_in })
    if (before !== undefined) tellChanges(context, before.client, client)
    return entry
  }
}

/**
 * Has nothing kept of what strangers prove themselves with: whoever publishes documents could have as much kept as they
 * like.
 */
function usesOf(clients: ClientRegistry): NonNullable<ClientRegistry['used']> {
  return (client, method, credentials) => {
    if (clientDocument(client) === undefined) clients.used?.(client, method, credentials)
  }
}

function weigh(json: unknown): Pick<Kept, 'digest' | 'size'> {
  const text = JSON.stringify(json)
  return { digest: sha256(text).toString('base64url'), size: text.length }
}

function addressProblem(client_id: string, { hosts }: DocumentPolicy): string | undefined {
  const problem = documentAddressProblem(client_id)
  if (problem !== undefined) return `client_id ${problem}`
  return hosts(new URL(client_id)) ? undefined : 'the host of client_id is not one whose documents are let in'
}

/** RFC 8259 §11, RFC 6839 §3.1. */
function isJson(mediaType: string): boolean {
  return mediaType === 'application/json' || /^application\/[^+]+\+json$/.test(mediaType)
}

/** Words what was wrong as a clause an operator can read. */
function reasonOf(error: unknown): string {
  const isTold = told.some(kind => error instanceof kind)
  // what an application's own fetch throws may quote anything
  return isTold ? (error as Error).message : 'the fetch failed'
}

const told = [DocumentError, GuardedFetchError, FetchRefusedError, FetchPostponedError]

function tellChanges({ tell }: DocumentClientsContext, before: Client, now: Client): void {
  const [marks, others] = [clientDocument(before)?.marks, clientDocument(now)?.marks]
  const members = marks === undefined || others === undefined ? [] : changedMembers(marks, others)
  if (members.length > 0) tell({ type: 'client_document.changed', client_id: now.client_id, members })
}

const twins = { failed: new WeakMap<Client, Client>(), postponed: new WeakMap<Client, Client>() }

/** The same client, once its document could not be had again, or was not asked for. */
function staleTwin(client: Client, postponed: FetchPostponedError | undefined): Client {
  const made = postponed === undefined ? twins.failed : twins.postponed
  const document = clientDocument(client)
  if (document === undefined) return client
  let twin = made.get(client)
  if (twin === undefined) {
    twin = withOrigin(Object.freeze({ ...client }), 'document')
    keepCredentials(twin, credentialSet(client).all)
    keepDocument(twin, { ...document, stale: true })
    made.set(client, twin)
  }
  if (postponed !== undefined) postpone(twin, postponed)
  return twin
}
