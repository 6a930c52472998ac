/**
 * The way of a registration, from the bytes a client sends to metadata that may be kept: read, overridden by its
 * software statement, judged, and put to the application.
 */
import type { Request } from 'express'
import { decodeUnverified } from '../../assertions/compact-jws.ts'
import { toClient, type ClientMetadata } from '../../clients/client.ts'
import { defaultMethod, secretMethods } from '../../clients/methods.ts'
import type { ReadMetadata } from '../../clients/metadata/metadata.ts'
import { InvalidClientMetadataError, InvalidSoftwareStatementError, RequestTooLargeError, ServerError } from '../../errors.ts'
import { readJsonDocument } from '../../http/json-document.ts'
import { readMetadata } from './metadata.ts'
import type { RegistrationRequest } from './options.ts'
import type { Registrar } from './record.ts'
import { checkSectorIdentifier } from './sector-identifier.ts'
import type { JsonObject } from '../../json.ts'

export interface Submission {
  readonly metadata: ReadMetadata
  /** The statement it goes by, as it was sent. */
  readonly software_statement: string | undefined
}

interface SubmissionContext extends Pick<RegistrationRequest, 'action' | 'client_id' | 'initialAccessToken' | 'req'> {
  /** The statement the client goes by already: what that says stays, whatever else changes. */
  readonly software_statement?: string | undefined
  /** Checks what the document itself must say, before it is read as metadata; returns what of it is read. */
  readonly checkDocument?: (document: JsonObject) => JsonObject
}

/**
 * @throws InvalidClientMetadataError, InvalidRedirectUriError, InvalidSoftwareStatementError,
 * UnapprovedSoftwareStatementError, what the policy throws, and what {@link readJsonDocument} does.
 */
export async function readSubmission(registrar: Registrar, asked: SubmissionContext): Promise<Submission> {
  const { rules, fetchJson, policy } = registrar.registration
  const sent = await readDocument(asked.req, rules.limits.bytes)
  const document = asked.checkDocument?.(sent) ?? sent
  const { software_statement, claims } = await readStatement(registrar, document, asked.software_statement)
  const members = readMetadata({ ...document, ...claims }, rules)
  await checkSectorIdentifier(members, fetchJson)
  const { client_id } = asked
  const metadata: ReadMetadata = { ...members, client_id }
  if (policy === undefined) return { metadata, software_statement }
  const { action, initialAccessToken, req } = asked
  const decided = await policy({ action, client_id, metadata, initialAccessToken, softwareStatement: claims, req })
  return { metadata: decided === undefined ? metadata : checkDecided(decided, client_id), software_statement }
}

async function readDocument(req: Request, maxBytes: number): Promise<JsonObject> {
  const reading = await readJsonDocument(req, maxBytes).catch((error: unknown) => {
    if (!(error instanceof RequestTooLargeError)) throw error
    // a document is too long as a member of it may be (RFC 7591 §3.2.2)
    throw new InvalidClientMetadataError(error.message, { headers: error.headers })
  })
  if (reading.outcome === 'read') return reading.document
  throw new InvalidClientMetadataError(`the request body ${reading.reason}`)
}

/** RFC 7591 §2.3: what the statement says takes precedence over what the client says beside it. */
async function readStatement(
  { registration: { softwareStatements } }: Registrar,
  { software_statement: sent }: JsonObject,
  current: string | undefined
): Promise<{ readonly software_statement: string | undefined; readonly claims: JsonObject | undefined }> {
  if (sent !== undefined && sent !== current) {
    if (typeof sent !== 'string') throw new InvalidSoftwareStatementError('software_statement must be a string')
    return { software_statement: sent, claims: await softwareStatements.verify(sent) }
  }
  if (current !== undefined) {
    // verified when it was registered: that it has expired since takes nothing back
    const jws = decodeUnverified(current)
    return { software_statement: current, claims: jws.outcome === 'read' ? jws.payload : undefined }
  }
  if (softwareStatements.required) throw new InvalidSoftwareStatementError('software_statement must be sent')
  return { software_statement: undefined, claims: undefined }
}

/**
 * The application knows what it does, but a client that could not be read again would be a fault at every later
 * request.
 */
function checkDecided(decided: ClientMetadata, client_id: string): ReadMetadata {
  try {
    const given = Object.entries({ ...decided, client_id, client_secret: null }).filter(([, value]) => value !== null)
    const metadata = JSON.parse(JSON.stringify(Object.fromEntries(given))) as ReadMetadata
    const method = metadata.token_endpoint_auth_method ?? defaultMethod
    toClient({ ...metadata }, 'policy', secretMethods.includes(method) ? [{ id: '', expires_at: undefined }] : [])
    return metadata
  } catch (cause) {
    throw new ServerError({ reason: 'registration.policy returned metadata that no client can have; see the cause', cause })
  }
}
