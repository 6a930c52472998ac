/**
 * Managing a registration (RFC 7592): reading, replacing and ending it, with the registration access token of that very
 * client.
 */
import type { Request, Response } from 'express'
import { InvalidClientMetadataError, MethodNotAllowedError } from '../../errors.ts'
import { notStored, sendJson } from '../../http/responses.ts'
import type { ClientRecord } from '../../clients/registrations.ts'
import { traceIdOf } from '../../http/trace.ts'
import { bearerToken, guarded, invalidToken, isRegistrationAccessToken } from './access.ts'
import { endRegistration } from './end-registration.ts'
import { clientInformation, issueSecret, keptSecrets, type IssuedSecret, type Registrar } from './record.ts'
import { readSubmission, type Submission } from './submission.ts'
import type { JsonObject } from '../../json.ts'

/** The client that asked, the token it proved itself by, and its registration. */
interface Managed {
  readonly client_id: string
  readonly registration_access_token: string
  readonly record: ClientRecord
}

/**
 * Answers GET with 200 and what is registered, PUT with 200 and what is registered from then on, DELETE with 204.
 *
 * @throws OAuthError `invalid_token` 401, the same for a client that is not there and a token that is not its own.
 */
export async function manageRegistration(registrar: Registrar, client_id: string, req: Request, res: Response): Promise<void> {
  const answer = answers.get(req.method)
  if (answer === undefined) throw new MethodNotAllowedError([...answers.keys()])
  await answer(registrar, await authorize(registrar, client_id, req), req, res)
}

async function authorize(registrar: Registrar, client_id: string, req: Request): Promise<Managed> {
  const { registration } = registrar
  const registration_access_token = bearerToken(req)
  if (registration_access_token === undefined) throw invalidToken(req, 'no registration access token was sent')
  const record = await guarded(registrar, req, `registration access token of ${client_id}`, async () => {
    const read = await registration.registrations.read(client_id)
    if (!isRegistrationAccessToken(registration_access_token, read?.registration_access_token) || read === undefined)
      throw invalidToken(req, read === undefined ? 'no client with this client_id is registered' : 'another client’s, or none')
    return read
  })
  return { client_id, registration_access_token, record }
}

type Answer = (registrar: Registrar, managed: Managed, req: Request, res: Response) => void | Promise<void>

const answers: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['GET', show],
  ['PUT', replace],
  ['DELETE', end]
])

function show(registrar: Registrar, { registration_access_token, record }: Managed, _req: Request, res: Response): void {
  const shown = { registration_access_token, client_secret: undefined }
  sendJson(res, 200, clientInformation(registrar, record, shown), notStored)
}

/**
 * The whole registration anew (RFC 7592 §2.2): what is not sent is not registered any more. The registration access
 * token stays what it is, so that a client that lost the answer can ask again.
 */
async function replace(registrar: Registrar, managed: Managed, req: Request, res: Response): Promise<void> {
  const { client_id, registration_access_token, record: registered } = managed
  const { software_statement } = registered
  const submission = await readSubmission(registrar, {
    req,
    client_id,
    action: 'update',
    initialAccessToken: undefined,
    software_statement,
    checkDocument: document => checkDocument(registrar, managed, document)
  })
  const { record, client_secret } = await keep(registrar, managed, submission, req)
  const { token_endpoint_auth_method } = record.metadata
  registrar.context.server.emit?.({ type: 'client.changed', trace_id: traceIdOf(req), client_id, token_endpoint_auth_method })
  sendJson(res, 200, clientInformation(registrar, record, { registration_access_token, client_secret }), notStored)
}

/** Of two changes at once both happen, one after the other. */
async function keep(
  registrar: Registrar,
  { client_id }: Managed,
  { metadata, software_statement }: Submission,
  req: Request
): Promise<{ readonly record: ClientRecord; readonly client_secret: string | undefined }> {
  let secret = undefined as IssuedSecret | undefined
  const record = await registrar.registration.registrations.change(client_id, before => {
    const { credentials, registration_access_token, client_id_issued_at, vouched, unused } = before
    secret = issueSecret(registrar, metadata, credentials)
    return {
      metadata,
      credentials: [...keptSecrets(registrar, metadata, credentials), ...(secret === undefined ? [] : [secret.stored])],
      registration_access_token,
      client_id_issued_at,
      software_statement,
      vouched,
      unused
    }
  })
  if (record === undefined) throw invalidToken(req, 'the client was ended meanwhile')
  return { record, client_secret: secret?.value }
}

/** RFC 7592 §2.2: not the client's to set. */
const serversOwn = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at']

/**
 * The members of an update that are about the client itself. The rest is returned; `null` means the same as leaving a
 * member out.
 */
function checkDocument({ registration }: Registrar, { client_id, record }: Managed, document: JsonObject): JsonObject {
  const sent = Object.fromEntries(Object.entries(document).filter(([, value]) => value !== null))
  if (sent['client_id'] !== client_id) throw new InvalidClientMetadataError('client_id must be that of the registration')
  const own = serversOwn.find(member => sent[member] !== undefined)
  if (own !== undefined) throw new InvalidClientMetadataError(`${own} must be left out: it is not the client's to set`)
  const { client_secret } = sent
  const isCurrent = (secret: string): boolean =>
    record.credentials.some(stored => registration.secrets.matches(client_id, stored, secret))
  if (client_secret !== undefined && !(typeof client_secret === 'string' && isCurrent(client_secret)))
    throw new InvalidClientMetadataError('client_secret must be the one the client has, or be left out')
  return sent
}

async function end(registrar: Registrar, { client_id }: Managed, req: Request, res: Response): Promise<void> {
  await endRegistration(registrar, client_id, traceIdOf(req))
  res.writeHead(204, notStored).end()
}
