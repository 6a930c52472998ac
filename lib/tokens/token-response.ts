/** From a grant to a token response: one place decides which tokens there are and what each may say. */
import type { Client } from '../clients/client.ts'
import { InvalidTargetError } from '../errors.ts'
import { settleNow, throwRefusal, type LateUse } from '../stores/late-use.ts'
import { changedTooOften, mostRounds } from '../stores/records.ts'
import type { FirstStep } from '../stores/store.ts'
import { mintAccessToken, type AccessToken } from './access-token.ts'
import { checkAccount } from './account.ts'
import { askedOf, stillAllowed } from './allowed.ts'
import type { AccountClaims, Grant } from './grant.ts'
import { ownClaims } from './hooks.ts'
import { mintIdToken } from './id-token.ts'
import { keepGrant } from './person-grants.ts'
import { expirationOf, rotates } from './refresh-token.ts'
import type { Resource } from './resource.ts'
import { subjectFor } from './subject.ts'
import type { ResponseShape, TokenRecipient, TokenResponse, TokenServer } from './token-server.ts'

/**
 * Mints the access token, the ID Token where `openid` was granted to a person, and answers as RFC 6749 §5.1 says.
 * Everything that must be found again is recorded before this resolves. What client and server no longer allow of the
 * grant is left out.
 *
 * @throws InvalidScopeError when `shape.scope` is beyond what is allowed of the grant now; InvalidTargetError when
 * `shape.resource` is unknown or beyond what was granted; InvalidGrantError when its person is nobody here any more.
 */
export async function respond(
  server: TokenServer,
  recipient: TokenRecipient,
  given: Grant,
  shape: ResponseShape = {}
): Promise<TokenResponse> {
  const { client, lateUse } = recipient
  const allowed = stillAllowed(server, client, given)
  const wanted = askedOf(allowed, shape.scope)
  const { resource, audience } = targetFor(server, allowed, wanted, shape.resource)
  const subject = given.sub === undefined ? undefined : subjectFor(server, client, given.sub)
  // the application is asked nothing for whoever presents again what was used, and no signature is made
  const asks = server.accessTokenClaims !== undefined || given.sub !== undefined || shape.refresh_token !== undefined
  if (lateUse !== undefined && (asks || resource?.accessTokenFormat === 'jwt')) await settleNow(lateUse, server.store)
  if (server.account !== undefined && given.sub !== undefined && shape.knownAccount !== true)
    await checkAccount(server, given.sub)
  const scope = resource === undefined ? wanted : server.resources.narrow(wanted, resource)
  const adding = claimsOfHooks(server, recipient, { grant: allowed, resource, scope, wanted, shape })
  const own = adding === undefined ? undefined : await adding
  const grant = allowed.id === undefined && allowed.sub !== undefined ? await named(server, client, allowed, resource) : allowed
  const { access_token, expires_in, refresh_token } = await minted(shape, lateUse, first =>
    mintAccessToken(server, grant, {
      scope,
      resource,
      audience,
      confirmation: recipient.confirmation,
      subject,
      expires_at: shape.expires_at,
      own: own?.accessToken,
      first
    })
  )
  const { auth_req_id } = shape
  const pushed = auth_req_id === undefined ? undefined : { auth_req_id, refresh_token }
  const id_token = hasIdToken(grant, wanted, shape)
    ? await mintIdToken(server, client, { ...grant, scope: wanted }, access_token, { pushed, own: own?.idToken })
    : undefined
  tellIssued(server, recipient, { grant, subject, scope, resource, expires_in, refresh_token, id_token })
  return {
    access_token,
    token_type: recipient.confirmation?.jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in,
    ...(refresh_token !== undefined && { refresh_token }),
    ...(refresh_token !== undefined && server.refreshTokenExpiration === true && expiration(server, recipient, shape)),
    ...(id_token !== undefined && { id_token }),
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    ...(grant.authorization_details !== undefined && { authorization_details: grant.authorization_details })
  }
}

type Minted = NonNullable<Awaited<ReturnType<typeof mintAccessToken>>>

/**
 * Makes the refresh token, and the access token in one step with its record: both anew where somebody was faster with
 * that, for what they left says what there is to be had.
 */
async function minted(
  { refresh_token: given }: ResponseShape,
  lateUse: LateUse | undefined,
  mint: (first: FirstStep | undefined) => Promise<Minted | undefined>
): Promise<Minted & { readonly refresh_token: string | undefined }> {
  if (lateUse?.isSettled === false) {
    const access = await mint(lateUse.step)
    throwRefusal(lateUse.settle(access !== undefined))
    if (access !== undefined)
      return { access_token: access.access_token, expires_in: access.expires_in, refresh_token: undefined }
  }
  for (let round = 0; round < mostRounds; round++) {
    const made = typeof given === 'function' ? await given() : given
    const { refresh_token, record } = typeof made === 'object' ? made : { refresh_token: made, record: undefined }
    const access = await mint(record)
    // written out: V8 takes microseconds to copy an object that gets another member beside
    if (access !== undefined) return { access_token: access.access_token, expires_in: access.expires_in, refresh_token }
  }
  throw changedTooOften('grant')
}

function expiration(server: TokenServer, { client, confirmation }: TokenRecipient, { refreshed_at }: ResponseShape) {
  return expirationOf(server, rotates(server, client, confirmation), refreshed_at?.() ?? server.clock())
}

function hasIdToken({ sub }: Grant, wanted: readonly string[], { id_token }: ResponseShape): boolean {
  return wanted.includes('openid') && sub !== undefined && id_token !== false
}

interface Adding {
  readonly grant: Grant
  readonly resource: Resource | undefined
  readonly scope: readonly string[]
  readonly wanted: readonly string[]
  readonly shape: ResponseShape
}

/** Collects what the application adds to either token, before anything is used up; undefined where it adds nothing. */
function claimsOfHooks(
  { accessTokenClaims, idTokenClaims }: TokenServer,
  { client, grant_type }: TokenRecipient,
  { grant, resource, scope, wanted, shape }: Adding
): undefined | Promise<{ readonly accessToken: AccountClaims | undefined; readonly idToken: AccountClaims | undefined }> {
  const forIdToken = typeof idTokenClaims === 'function' && hasIdToken(grant, wanted, shape) ? idTokenClaims : undefined
  if (accessTokenClaims === undefined && forIdToken === undefined) return undefined
  const { sub, auth_time, acr, amr, sid } = grant
  const account = sub === undefined ? undefined : { sub, auth_time, acr, amr, sid }
  const context = { account, client, grant, grant_type, resource: resource?.resource, scope }
  return Promise.all([
    accessTokenClaims && ownClaims('accessTokenClaims', accessTokenClaims, context),
    forIdToken && ownClaims('idTokenClaims', forIdToken, { ...context, scope: wanted })
  ]).then(([accessToken, idToken]) => ({ accessToken, idToken }))
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
    ambiguous_resources: resource === undefined && grant.resources.length === 0 ? server.resources.ambiguous(scope) : undefined,
    access_token_format: resource?.accessTokenFormat === 'jwt' ? 'jwt' : 'opaque',
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
 * Whatever is about a person has a grant, which they can see and end, and which alone says who they are to this server.
 * One without an id gets one, and is kept as long as the token lives.
 */
async function named(server: TokenServer, client: Client, grant: Grant, resource: Resource | undefined): Promise<Grant> {
  const { client_id, sub = '', scope, resources, auth_time, acr, amr, claims, authorization_details } = grant
  const id = server.random(16).toString('base64url')
  const record = { client_id, sub, scope, resources, auth_time, acr, amr, claims, authorization_details }
  const auth_method = client.token_endpoint_auth_method
  await keepGrant(server, id, { ...record, auth_method }, resource?.accessTokenTtl ?? server.accessTokenTtl)
  return { ...grant, id }
}

interface Target {
  readonly resource: Resource | undefined
  /** The value of `aud`. */
  readonly audience: AccessToken['aud']
}

/**
 * Finds the target of a token: what was asked for or granted, or else the resource its scope belongs to, and then the
 * userinfo endpoint too.
 */
function targetFor(server: TokenServer, grant: Grant, scope: readonly string[], asked: ResponseShape['resource']): Target {
  const named = namedBy(grant, asked)
  if (named.length > 1) return { resource: resourceFor(server, grant, named), audience: named }
  const isNamed = named.length > 0
  const resource = isNamed ? resourceFor(server, grant, named) : server.resources.inferred(scope)
  const opensUserinfo = !isNamed && grant.sub !== undefined && scope.includes('openid') && server.userinfo !== undefined
  const audience = resource !== undefined && opensUserinfo ? [resource.resource, server.userinfo] : resource?.resource
  return { resource, audience }
}

/**
 * Those asked for, or else all that were granted: a token for none of them would be one that any API might take (RFC
 * 8707 §2.2).
 */
function namedBy({ resources }: Pick<Grant, 'resources'>, asked: ResponseShape['resource'] = []): readonly string[] {
  const named = typeof asked === 'string' ? [asked] : asked
  return named.length > 0 ? named : resources
}

/**
 * The resource a token is for by name: what was asked for, or all that was granted.
 *
 * @throws InvalidTargetError for what is unknown, was not granted, or cannot be in one token.
 */
export function resourceFor(
  server: TokenServer,
  grant: Pick<Grant, 'resources'>,
  asked: ResponseShape['resource']
): Resource | undefined {
  const indicators = server.resources.findAll(namedBy(grant, asked))
  // a grant that named resources is good for those alone; one that named none is limited by its scope
  if (grant.resources.length > 0 && !indicators.every(indicator => grant.resources.includes(indicator)))
    throw new InvalidTargetError('this resource was not granted')
  return server.resources.together(indicators, server.accessTokenTtl)
}
