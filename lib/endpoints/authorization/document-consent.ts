/**
 * Consent to a client whose metadata is a document: it may say something else tomorrow, and then people are asked
 * again, whatever the application remembers (Client ID Metadata Document §6). Kept in the store, so that every process
 * and every restart knows.
 */
import type { Client } from '../../clients/client.ts'
import { consentKeptFor, noteConsented } from '../../clients/documents/consented.ts'
import {
  changedMembers,
  clientDocument,
  consentedMembers,
  type ConsentedMember,
  type DocumentMarks
} from '../../clients/documents/document.ts'
import { sha256 } from '../../crypto/sha256.ts'
import type { Key } from '../../stores/store.ts'
import type { TokenServer } from '../../tokens/token-server.ts'
import type { PromptedDocument } from './interaction.ts'

/** Whether the person agreed to the document as it is; true for a client that has none. */
export async function agreedToDocument(server: TokenServer, client: Client, sub: string): Promise<boolean> {
  const document = clientDocument(client)
  if (document === undefined) return true
  const before = await findMarks(server, client, sub)
  return before !== undefined && changedMembers(before, document.marks).length === 0
}

/** Remembers that the person agreed to the document as it is. */
export async function rememberDocument(server: TokenServer, client: Client, sub: string): Promise<void> {
  const document = clientDocument(client)
  if (document === undefined) return
  await server.store.set(keyOf(client, sub), { ...document.marks }, consentKeptFor)
  await noteConsented(server.store, client.client_id)
}

/** Whether a page showed the document as it is now; true for a client that has none. */
export function isAsShown(client: Client, shown: DocumentMarks | undefined): boolean {
  const document = clientDocument(client)
  return document === undefined || (shown !== undefined && changedMembers(shown, document.marks).length === 0)
}

/** @param sub who is asked, where somebody is there. */
export async function promptedDocument(
  server: TokenServer,
  client: Client,
  redirect_uri: string,
  sub: string | undefined
): Promise<PromptedDocument | undefined> {
  const document = clientDocument(client)
  if (document === undefined) return undefined
  const { host, loopback, marks } = document
  const before = sub === undefined ? undefined : await findMarks(server, client, sub)
  const changed: readonly ConsentedMember[] = before === undefined ? [] : changedMembers(before, marks)
  return { host, redirect_host: redirectHostOf(redirect_uri), loopback, changed }
}

/** Where an answer goes, as people compare it: a host, or the scheme of an app's own. */
export function redirectHostOf(uri: string): string {
  const { host, protocol } = new URL(uri)
  return host === '' ? protocol : host
}

async function findMarks(server: TokenServer, client: Client, sub: string): Promise<DocumentMarks | undefined> {
  const value: unknown = (await server.store.get(keyOf(client, sub)))?.value
  if (typeof value !== 'object' || value === null) return undefined
  return consentedMembers.every(member => member in value) ? (value as DocumentMarks) : undefined
}

function keyOf({ client_id }: Client, sub: string): Key {
  return { kind: 'document_consent', id: sha256(JSON.stringify([client_id, sub])).toString('base64url') }
}
