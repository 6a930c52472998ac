/** The answer where a document is not fetched now. */
import { TemporarilyUnavailableError } from '../../errors.ts'

/**
 * 503 `temporarily_unavailable`: so many documents are fetched that this client's is not now. Told by an event, and no
 * fault: strangers can bring it about as often as they like.
 */
export class DocumentPostponedError extends TemporarilyUnavailableError {}
