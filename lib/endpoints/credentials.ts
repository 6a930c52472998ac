/**
 * A client about its own credentials: listing, rotating and ending them. No specification has this endpoint, so no
 * metadata names it.
 */
import type { Request, Response } from 'express'
import type { JWK } from 'jose'
import type { Client } from '../clients/client.ts'
import { credentialSet, type CredentialOfClient } from '../clients/credentials.ts'
import { methodsThat } from '../clients/methods.ts'
import type { CredentialFunctions } from '../credentials/functions.ts'
import { listedName } from '../credentials/credential-sets.ts'
import { CredentialError } from '../credentials/credential-error.ts'
import { InvalidRequestError } from '../errors.ts'
import { readClientRequest } from '../http/client-request.ts'
import { readParameters } from '../http/parameters.ts'
import { notStored, sendJson } from '../http/responses.ts'
import { ConfigurationError } from '../options.ts'
import type { Parameters } from '../client-request.ts'
import { clientHandlerOf, type Endpoint, type EndpointContext } from './endpoint.ts'

/**
 * Answers POST with `action`: `list`, `rotate_secret`, `add_key`, `add_certificate`, `expire` or `revoke`. Clients
 * authenticate as at the token endpoint; public ones are refused. A client changes what it has of the kinds it may use;
 * another method, or the name its certificates bear, is its operator's to give. It cannot revoke what it needs to come
 * back. A request that is sent again does no harm: a second secret is one more beside the first, the same key is the
 * same credential, and what is revoked stays so.
 */
export function credentialsEndpoint(context: EndpointContext): Endpoint {
  const { strategies, authenticate } = context.authentication('credentials')
  const handle = clientHandlerOf(authenticate, (client, req, res) => answer(context, client, req, res))
  const handler: typeof handle = (req, res, next) => {
    // a request is read once: whatever is wrong with it, the authentication finds it so
    readParameters(req, { withLines }).catch(() => undefined)
    handle(req, res, next)
  }
  return { member: 'credentials_endpoint', caller: 'client', strategies, unlisted: true, handler }
}

/** Written on lines: PEM, and JSON for people. */
const withLines: ReadonlySet<string> = new Set(['certificate', 'jwk'])

/** @param addedBy the credential by which the client asks, as it is listed. */
type Action = (credentials: CredentialFunctions, client: Client, parameters: Parameters, addedBy: string) => Promise<object>

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['list', async (credentials, { client_id }) => ({ credentials: await credentials.listCredentials(client_id) })],
  [
    'rotate_secret',
    (credentials, { client_id }, parameters, addedBy) =>
      credentials.rotateSecret(client_id, {
        ...optionsOf(parameters),
        addedBy,
        previousExpiresAt: timeOf(parameters, 'previous_expires_at')
      })
  ],
  [
    'add_key',
    (credentials, client, parameters, addedBy) => {
      needMethodOf(client, 'key')
      return credentials.addKey(client.client_id, readJwk(required(parameters, 'jwk')), { ...optionsOf(parameters), addedBy })
    }
  ],
  [
    'add_certificate',
    (credentials, client, parameters, addedBy) => {
      needMethodOf(client, 'certificate')
      const certificate = required(parameters, 'certificate')
      return credentials.addCertificate(client.client_id, certificate, { ...optionsOf(parameters), addedBy })
    }
  ],
  [
    'expire',
    async (credentials, { client_id }, parameters) => {
      const [id, expires_at] = [required(parameters, 'id'), timeOf(parameters, 'expires_at')]
      if (expires_at === undefined) throw new InvalidRequestError('expires_at is missing')
      await credentials.expireCredential(client_id, id, expires_at)
      return { id }
    }
  ],
  [
    'revoke',
    async (credentials, { client_id }, parameters) => {
      const id = required(parameters, 'id')
      const stolen = oneOf(parameters, 'stolen', ['true', 'false']) === 'true'
      return { id, ...(await credentials.revokeCredential(client_id, id, { stolen })) }
    }
  ]
])

async function answer({ credentials }: EndpointContext, client: Client, req: Request, res: Response): Promise<void> {
  const { parameters, used, authentication } = await readClientRequest(req)
  const action = actions.get(required(parameters, 'action'))
  if (action === undefined) throw new InvalidRequestError(`action must be one of ${[...actions.keys()].join(', ')}`)
  // a method of the application's own may name no credential: then what was used is the method
  const addedBy = (used && listedName(client, used)) ?? `method:${authentication?.method ?? ''}`
  try {
    sendJson(res, 200, await action(credentials, client, parameters, addedBy), notStored)
  } catch (error) {
    // what was wrong with its own request may be said to the client it belongs to
    if (error instanceof CredentialError) throw new InvalidRequestError(error.message)
    if (error instanceof ConfigurationError) throw new InvalidRequestError(asSent(error))
    throw error
  }
}

/** Says it of the parameter, where the option it became has another name. */
function asSent({ key, message }: ConfigurationError): string {
  return key === 'previousExpiresAt' ? `previous_expires_at${message.slice(key.length)}` : message
}

function required(parameters: Parameters, name: string): string {
  const value = parameters[name]
  if (value === undefined) throw new InvalidRequestError(`${name} is missing`)
  return value
}

function oneOf(parameters: Parameters, name: string, allowed: readonly string[]): string | undefined {
  const value = parameters[name]
  if (value !== undefined && !allowed.includes(value)) throw new InvalidRequestError(`${name} must be ${allowed.join(' or ')}`)
  return value
}

function optionsOf(parameters: Parameters) {
  return {
    label: parameters['label'],
    not_before: timeOf(parameters, 'not_before'),
    expires_at: timeOf(parameters, 'expires_at')
  }
}

/** Seconds since the epoch. */
function timeOf(parameters: Parameters, name: string): number | undefined {
  const value = parameters[name]
  if (value === undefined) return undefined
  if (!/^\d{1,15}$/.test(value)) throw new InvalidRequestError(`${name} must be seconds since the epoch`)
  return Number(value)
}

function readJwk(value: string): JWK {
  try {
    return JSON.parse(value) as JWK
  } catch {
    throw new InvalidRequestError('jwk must be a public key as a JWK')
  }
}

/** A client must not come to a kind of credential by itself that nobody meant it to have. */
function needMethodOf(client: Client, type: Exclude<CredentialOfClient['type'], 'method'>): void {
  const methods = methodsThat(({ accepts }) => accepts.includes(type))
  if (!credentialSet(client).methods.some(({ method }) => methods.includes(method)))
    throw new InvalidRequestError(`this action is for clients of the method ${methods.join(' or ')}`)
}
