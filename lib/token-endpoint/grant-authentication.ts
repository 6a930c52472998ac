/** A grant that is the client's authentication too, told of as every other authentication is. */
import type { Request, Response } from 'express'
import { watchAuthentication } from '../authentication/watch.ts'
import type { ClientRequest } from '../client-request.ts'
import type { Decision } from '../decisions/decision.ts'
import { addressesOfListener } from '../http/listener.ts'
import { requestNote } from '../request-note.ts'
import type { TokenEndpointParts } from './parts.ts'
import { grantMethod, type JudgeGrant, type WorkloadClient } from './workload-grant.ts'

/** The client that the assertion of a request proved. */
export const byGrant = requestNote<Request, WorkloadClient>('client of the assertion')

interface GrantExchange {
  readonly req: Request
  readonly res: Response
  readonly request: ClientRequest
  readonly parts: Pick<TokenEndpointParts, 'events' | 'attestation' | 'tokenEndpoints'>
  readonly told: ((decision: Decision) => void) | undefined
}

/**
 * Puts the client on the request, and goes on; with the error where there is none. What a server asks of clients beside
 * who they are is asked here too.
 */
export async function authenticateByGrant(
  judge: JudgeGrant,
  { req, res, request, parts, told }: GrantExchange,
  done: (error?: unknown) => void
): Promise<void> {
  const { events, attestation, tokenEndpoints } = parts
  const watched = watchAuthentication(events, req, request.endpoint)
  watched?.select(grantMethod, '')
  request.onDecision = told
  request.watch = watched ?? { every: false, tell: decision => events.tolerated(decision) }
  request.addresses = () => addressesOfListener(req, tokenEndpoints)
  request.further = attestation?.further
  for (const [name, value] of Object.entries(request.further?.answerHeaders(request) ?? {})) res.setHeader(name, value)
  const run = (): Promise<WorkloadClient> => judge((error, client) => watched?.end(error, client))
  const proven = await (watched === undefined ? run() : watched.run(run))
  req.authenticatedClient = proven.client
  byGrant.write(req, proven)
  if (watched === undefined) done()
  else watched.leave(done)
}
