/** The end of an authorization request: of any number of answers to one, the client gets exactly one. */
import { OAuthError } from '../../errors.ts'
import type { EndpointContext } from '../endpoint.ts'
import {
  answerOf,
  findPending,
  replacePending,
  withAnswer,
  type FoundAuthorization,
  type GivenAnswer,
  type PendingAuthorization
} from './pending.ts'
import { usePushedRequest } from '../../authorization-requests/pushed-request.ts'

/** A request under way. */
export interface UnderWay {
  /** Which state of which waiting request this is; absent where the request has just come. */
  readonly waiting?: Waiting | undefined
  readonly pending: Pick<PendingAuthorization, 'pushed'>
}

interface Waiting extends FoundAuthorization {
  readonly id: string
}

/** The client has its answer already: the person is told, and the client hears nothing more. */
export class AlreadyAnsweredError extends OAuthError {
  override readonly name = 'AlreadyAnsweredError'
  constructor(error: 'invalid_request' | 'invalid_request_uri' = 'invalid_request') {
    super(error, 400, 'this sign-in is finished already')
  }
}

/**
 * Settles which answer is the one; call it before any goes out. It is the given one, or, where the same person sent the
 * same form twice, the one that was given first.
 *
 * @throws AlreadyAnsweredError where another answer was given.
 */
export async function settle(
  { server }: EndpointContext,
  { waiting, pending }: UnderWay,
  given: GivenAnswer
): Promise<GivenAnswer> {
  if (pending.pushed !== undefined && !(await usePushedRequest(server, pending.pushed, waiting?.id)))
    throw new AlreadyAnsweredError('invalid_request_uri')
  if (waiting === undefined) return given
  let state: FoundAuthorization | undefined = waiting
  while (!(await replacePending(server, waiting.id, withAnswer(server, state.pending, given), state.version))) {
    state = await findPending(server, waiting.id)
    if (state === undefined) throw new AlreadyAnsweredError()
    const earlier = answerOf(server, state.pending)
    if (earlier !== undefined && isAlike(earlier, given)) return earlier
    if (earlier !== undefined) throw new AlreadyAnsweredError()
  }
  return given
}

/** Both refusals, or both codes about one person. */
function isAlike(one: GivenAnswer, other: GivenAnswer): boolean {
  return one.sub === other.sub
}
