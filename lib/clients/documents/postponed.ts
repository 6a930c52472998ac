/** The answer where a document is not fetched now, and clients for which nothing may begin meanwhile. */
import { TemporarilyUnavailableError } from '../../errors.ts'
import type { Client } from '../client.ts'
import { clientDocument } from './document.ts'
import type { FetchPostponedError } from './places.ts'

/**
 * 503 `temporarily_unavailable`: so many documents are fetched that this client's is not now. Told by an event, and no
 * fault: strangers can bring it about as often as they like.
 */
export class DocumentPostponedError extends TemporarilyUnavailableError {}

/** The reason for which a document was not fetched, and the seconds after which to come again. */
type Postponement = Pick<FetchPostponedError, 'message' | 'retryAfter'>

const postponements = new WeakMap<Client, Postponement>()

/** Notes that a client is the one that was known because its document was not asked for again. */
export function postpone(client: Client, postponement: Postponement): void {
  postponements.set(client, postponement)
}

/** The error to throw: one for each request, which is told what was decided about it. */
export function postponedError({ message, retryAfter }: Postponement): DocumentPostponedError {
  return new DocumentPostponedError({ reason: message, retryAfter })
}

/**
 * Whether something may begin for a client. Where its document could not be had again, only what was granted before
 * goes on.
 *
 * @throws DocumentPostponedError where its document was not even asked for: whoever comes again may be told otherwise.
 */
export function mayBegin(client: Client): boolean {
  if (clientDocument(client)?.stale !== true) return true
  const postponement = postponements.get(client)
  if (postponement === undefined) return false
  throw postponedError(postponement)
}
