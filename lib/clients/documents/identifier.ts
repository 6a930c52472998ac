/** client_ids that are the address of their client's metadata document (Client ID Metadata Document §3). */
import { hasDotSegments } from '../metadata/stranger-redirect-uri.ts'
import { isWebAddress } from '../metadata/uri.ts'

/** Whether a client_id is meant as the address of a document: no other kind of client_id begins like this. */
export function namesDocument(client_id: string): boolean {
  return client_id.startsWith('https://')
}

/**
 * Finds the fault in such a client_id, as the end of a sentence; undefined: none. It is judged as the text it is: an
 * address that a URL parser would repair is another string, and so another client.
 */
export function documentAddressProblem(client_id: string): string | undefined {
  if (!isWebAddress(client_id, false)) return 'must be an absolute https URL without user info'
  if (client_id.includes('#')) return 'must have no fragment'
  if (hasDotSegments(client_id)) return 'must have no dot segments'
  return new URL(client_id).pathname === '/' ? 'must have a path' : undefined
}
