/** From a grant to a token response: one place decides which tokens there are and what each may say. */
import type { Client } from '../client.ts'
import { InvalidTargetError } from '../errors.ts'
import { mintAccessToken } from './access-token.ts'
import type { Grant } from './grant.ts'
import { mintIdToken } from './id-token.ts'
import { keepGrant } from './person-grants.ts'
import type { Resource } from './resource.ts'
import { subjectFor } from './subject.ts'
import type { ResponseShape, TokenRecipient, TokenResponse, TokenServer } from './token-server.ts'

/**
 * Mints the access token, the ID Token where `openid` was granted to a person, and answers as RFC 6749 §5.1 says.
 * Everything that must be found again is recorded before this resolves.
 *
 * @throws InvalidTargetError when `shape.resource` is unknown or beyond what was granted.
 */
export async function respond(
  server: TokenServer,
  recipient: TokenRecipient,
  given: Grant,
  shape: ResponseShape = {}
): Promise<TokenResponse> {
  const resource = resourceFor(server, given, shape.resource)
  const subject = given.sub === undefined ? undefined : subjectFor(server, recipient.client, given.sub)
  const grant = needsName(given, resource, subject) ? await named(server, recipient.client, given, resource) : given
  const wanted = shape.scope ?? grant.scope
  const scope = resource === undefined ? wanted : server.resources.narrow(wanted, resource)
  const { access_token, expires_in } = await mintAccessToken(server, grant, {
    scope,
    resource,
    confirmation: recipient.confirmation,
    subject,
    expires_at: shape.expires_at
  })
  const { auth_req_id, refresh_token } = shape
  const pushed = auth_req_id === undefined ? undefined : { auth_req_id, refresh_token }
  const id_token =
    wanted.includes('openid') && grant.sub !== undefined && shape.id_token !== false
      ? await mintIdToken(server, recipient.client, grant, access_token, pushed)
      : undefined
  tellIssued(server, recipient, { grant, subject, scope, resource, expires_in, refresh_token, id_token })
  return {
    access_token,
    token_type: recipient.confirmation?.jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in,
    ...(refresh_token !== undefined && { refresh_token }),
    ...(id_token !== undefined && { id_token }),
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    ...(grant.authorization_details !== undefined && { authorization_details: grant.authorization_details })
  }
}

interface Issued {
  readonly grant: Grant
  readonly subject: string | undefined
  readonly scope: readonly string[]
  readonly resource: Resource | undefined
  readonly expires_in: number
  readonly refresh_token: string | undefined
  readonly id_token: string | undefined
}

function tellIssued(server: TokenServer, { client, confirmation, grant_type, traceId }: TokenRecipient, issued: Issued): void {
  const { grant, subject, scope, resource, expires_in, refresh_token, id_token } = issued
  server.emit?.({
    type: 'token.issued',
    trace_id: traceId?.(),
    grant_type,
    client_id: client.client_id,
    sub: subject,
    scope,
    resource: resource?.resource,
    access_token_format: resource?.access_token_format === 'jwt' ? 'jwt' : 'opaque',
    expires_in,
    tokens: [
      'access_token',
      ...(refresh_token === undefined ? [] : (['refresh_token'] as const)),
      ...(id_token === undefined ? [] : (['id_token'] as const))
    ],
    bound_to: [
      ...(confirmation?.jkt === undefined ? [] : (['dpop'] as const)),
      ...(confirmation?.['x5t#S256'] === undefined ? [] : (['certificate'] as const))
    ],
    grant: grant.id
  })
}

/**
 * A JWT that calls a person by a pairwise identifier says nothing to this server of who that is: its grant does. One without an id gets one, and is
 * kept as long as the token lives.
 */
function needsName({ id, sub }: Grant, resource: Resource | undefined, subject: string | undefined): resource is Resource {
  return id === undefined && sub !== undefined && sub !== subject && resource?.access_token_format === 'jwt'
}

async function named(server: TokenServer, client: Client, grant: Grant, resource: Resource): Promise<Grant> {
  const { sub = '' } = grant
  const named = { ...grant, id: server.random(16).toString('base64url') }
  const record = { ...grant, sub, auth_method: client.token_endpoint_auth_method }
  await keepGrant(server, named.id, record, resource.access_token_ttl ?? server.accessTokenTtl)
  return named
}

/** The resource a token is for: the one asked for, or the only one granted. */
export function resourceFor(
  server: TokenServer,
  grant: Pick<Grant, 'resources'>,
  asked: string | undefined
): Resource | undefined {
  if (asked === undefined) {
    const only = grant.resources.length === 1 ? grant.resources[0] : undefined
    return only === undefined ? undefined : server.resources.find(only)
  }
  const resource = server.resources.find(asked)
  // a grant that named resources is good for those alone; one that named none is limited by its scope
  if (grant.resources.length > 0 && !grant.resources.includes(asked))
    throw new InvalidTargetError('this resource was not granted')
  return resource
}
