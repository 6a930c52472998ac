/** Dynamic client registration (RFC 7591): a client describes itself, and is one from then on. */
import type { Request, Response } from 'express'
import { MethodNotAllowedError, ServerError } from '../../errors.ts'
import { pathOf } from '../../http/request-target.ts'
import { notStored, sendJson } from '../../http/responses.ts'
import type { ClientRecord } from '../../clients/registrations.ts'
import { newClientId } from '../../clients/registered-clients.ts'
import { tokenDigest } from '../../tokens/grant.ts'
import { traceIdOf } from '../../http/trace.ts'
import { handlerOf, type Endpoint, type EndpointContext } from '../endpoint.ts'
import { checkInitialAccess } from './access.ts'
import { manageRegistration } from './management.ts'
import type { Registration } from './options.ts'
import { clientInformation, issueSecret, type Registrar } from './record.ts'
import { readSubmission } from './submission.ts'

/**
 * Answers POST with 201 and everything that was registered. Below it, at the `registration_client_uri` of each client,
 * GET, PUT and DELETE with the registration access token (RFC 7592).
 */
export function registrationEndpoint(context: EndpointContext, registration: Registration): Endpoint {
  const registrar = { context, registration }
  const { pathname } = new URL(context.addressOf('registration_endpoint'))
  const handler = handlerOf((req, res) => {
    const path = pathOf(req)
    return path === pathname
      ? register(registrar, req, res)
      : manageRegistration(registrar, path.slice(pathname.length + 1), req, res)
  })
  // whoever manages a registration has a token for it, and may have a certificate
  return { member: 'registration_endpoint', caller: 'access_token', withItems: true, handler }
}

async function register(registrar: Registrar, req: Request, res: Response): Promise<void> {
  if (req.method !== 'POST') throw new MethodNotAllowedError(['POST'])
  const { context, registration } = registrar
  const { random, clock } = context.server
  const initialAccessToken = await checkInitialAccess(registrar, req)
  registration.networkBudget?.check(req, 1)
  const client_id = newClientId(random)
  const submission = await readSubmission(registrar, { req, client_id, action: 'register', initialAccessToken })
  const { metadata, software_statement } = submission
  const secret = issueSecret(registrar, metadata, [])
  const registration_access_token = Buffer.from(random(32)).toString('base64url')
  const record: ClientRecord = {
    metadata,
    credentials: secret === undefined ? [] : [secret.stored],
    registration_access_token: tokenDigest(registration_access_token),
    client_id_issued_at: Math.floor(clock() / 1000),
    ...(software_statement !== undefined && { software_statement }),
    ...(initialAccessToken !== undefined && { vouched: true }),
    ...(registration.unusedTtl > 0 && { unused: true })
  }
  if (!(await registration.registrations.create(record)))
    throw new ServerError({ reason: 'a fresh client_id was taken already: is the source of random numbers one?' })
  registration.networkBudget?.add(req, 1)
  const { token_endpoint_auth_method } = metadata
  context.server.emit?.({ type: 'client.registered', trace_id: traceIdOf(req), client_id, token_endpoint_auth_method })
  const answer = clientInformation(registrar, record, { registration_access_token, client_secret: secret?.value })
  sendJson(res, 201, answer, notStored)
}
