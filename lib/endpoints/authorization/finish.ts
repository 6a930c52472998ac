/** The end of an authorization request: of any number of answers to one, the client gets exactly one. */
import { OAuthError } from '../../errors.ts'
import type { EndpointContext } from '../endpoint.ts'
import { finishPending, type FoundAuthorization, type PendingAuthorization } from './interaction.ts'
import { usePushedRequest } from './pushed-request.ts'

/** A request under way. */
export interface UnderWay {
  /** Which state of which waiting request this is; absent where the request has just come. */
  readonly waiting?: { readonly id: string; readonly version: FoundAuthorization['version'] } | undefined
  readonly pending: Pick<PendingAuthorization, 'pushed'>
}

/** The client has its answer already: the person is told, and the client hears nothing more. */
export class AlreadyAnsweredError extends OAuthError {
  override readonly name = 'AlreadyAnsweredError'
  constructor(error: 'invalid_request' | 'invalid_request_uri' = 'invalid_request') {
    super(error, 400, 'this sign-in is finished already')
  }
}

/** Settles that this answer is the one. Call it before the answer goes out. @throws AlreadyAnsweredError where another one was. */
export async function finish(context: EndpointContext, { waiting, pending }: UnderWay): Promise<void> {
  if (waiting !== undefined && !(await finishPending(context.server, waiting.id))) throw new AlreadyAnsweredError()
  if (pending.pushed !== undefined && !(await usePushedRequest(context.server, pending.pushed)))
    throw new AlreadyAnsweredError('invalid_request_uri')
}
