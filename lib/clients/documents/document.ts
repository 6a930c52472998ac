/** Facts about a client whose metadata is a document of its own. */
import { sha256 } from '../../crypto/sha256.ts'
import type { Client } from '../client.ts'

/** Members that people are asked about: when one is another than they agreed to, they are asked again. */
export const consentedMembers = ['client_name', 'redirect_uris', 'token_endpoint_auth_method', 'jwks'] as const

/** A member a person's consent rests on. */
export type ConsentedMember = (typeof consentedMembers)[number]

/** A digest of each of those members. */
export type DocumentMarks = Readonly<Record<ConsentedMember, string>>

/** The document behind a client. */
export interface ClientDocument {
  /** Host of its address: the one name about it that nobody but its owner could choose. */
  readonly host: string
  /**
   * True: every redirect URI leads to the person's own machine, where any program could have begun this (RFC 8252
   * §8.6).
   */
  readonly loopback: boolean
  /** The members a person is shown, as they were fetched. */
  readonly marks: DocumentMarks
  /** True: it could not be had again, and only what was granted before goes on. */
  readonly stale: boolean
}

const documents = new WeakMap<Client, ClientDocument>()

/** The document a client is described by; undefined for every other client. */
export function clientDocument(client: Client): ClientDocument | undefined {
  return documents.get(client)
}

export function keepDocument(client: Client, document: ClientDocument): void {
  documents.set(client, document)
}

export function marksOf(client: Client, methods: readonly string[]): DocumentMarks {
  const { client_name, redirect_uris, jwks, jwks_uri } = client
  return {
    client_name: markOf(client_name ?? ''),
    redirect_uris: markOf([...redirect_uris].sort()),
    token_endpoint_auth_method: markOf([...methods].sort()),
    jwks: markOf([jwks ?? null, jwks_uri ?? null])
  }
}

function markOf(value: unknown): string {
  return sha256(JSON.stringify(value)).toString('base64url').slice(0, 22)
}

/** The members that are others than they were. */
export function changedMembers(before: DocumentMarks, now: DocumentMarks): readonly ConsentedMember[] {
  return consentedMembers.filter(member => before[member] !== now[member])
}
