/**
 * Authorization codes for applications whose authorization page is their own: judged as the authorization endpoint
 * judges, and minted.
 */
import { findClient } from '../clients/find-client.ts'
import { mayBegin } from '../clients/documents/postponed.ts'
import { mintAuthorizationCode } from '../codes/authorization-code.ts'
import type { Client, ClientRegistry } from '../clients/client.ts'
import { InvalidRequestError, OAuthError } from '../errors.ts'
import { ConfigurationError } from '../options.ts'
import type { AuthorizationDetail, RequestedClaims } from '../tokens/grant.ts'
import { allowedScope, registeredScope } from '../tokens/allowed.ts'
import { scopeBeyond, unavailableScope } from '../tokens/scope.ts'
import { subjectFor } from '../tokens/subject.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import type { Account } from './account.ts'
import { checkLength, checkSize } from './bounds.ts'
import { answerAddress, checkRedirectUri } from './redirect.ts'
import { checkCodeChallenge, checkDpopKey, mayUseCodes } from './request.ts'

/** A client's request, as a person agreed to it on a page of the application's own. */
export interface CodeRequest {
  /** The client that asks. */
  readonly client_id: string
  /** The address of the answer: one of the client's registered redirect URIs. */
  readonly redirect_uri: string
  /** The person who agreed. */
  readonly account: Account
  /** The scope values the person agreed to. Default: what the client registered. */
  readonly scope?: readonly string[] | undefined
  /** The resources the client named (RFC 8707). Default none. */
  readonly resources?: readonly string[] | undefined
  /** The client's `state`: sent back as it is. */
  readonly state?: string | undefined
  /** The client's `code_challenge` (RFC 7636), S256. Public clients need one. */
  readonly code_challenge?: string | undefined
  /** The client's `nonce`, for its ID Token. */
  readonly nonce?: string | undefined
  /** The thumbprint of the DPoP key the code is to be bound to (RFC 9449 §10). */
  readonly dpop_jkt?: string | undefined
  /** The claims the client asked for one by one. */
  readonly claims?: RequestedClaims | undefined
  /**
   * The exact details the person agreed to (RFC 9396). That their types are known and their members right is for the
   * application to have checked.
   */
  readonly authorization_details?: readonly AuthorizationDetail[] | undefined
}

/** An authorization code, and where to take it. */
export interface IssuedCode {
  /** The code. Good once, for `authorizationCodeTtl` seconds. */
  readonly code: string
  /** The redirect URI with `code`, `state` and `iss` (RFC 9207): answer the person's browser with a 303 to it. */
  readonly redirect_to: string
}

/** The server, its clients and its rule for PKCE, as issuing codes needs them. */
interface CodePolicy {
  readonly server: TokenServer
  readonly clients: ClientRegistry
  /** `public`: public clients must use PKCE. `always`: every client must. */
  readonly requirePkce: 'public' | 'always'
}

/** See {@link TokenRouter.issueCode}. */
export async function issueCode(policy: CodePolicy, request: CodeRequest): Promise<IssuedCode> {
  const { server } = policy
  const { account, redirect_uri, state } = request
  checkAccount(account)
  const client = await knownClient(policy, request.client_id)
  checkRedirectUri(client, redirect_uri)
  if (!mayUseCodes(client)) throw new OAuthError('unauthorized_client', 400, 'this client may not ask for codes')
  checkLength('state', state)
  // that this server can call people what the client expects is found out before anything is kept
  subjectFor(server, client, account.sub)
  const { sub, auth_time, acr, amr, sid } = account
  const record = checkSize({
    client_id: client.client_id,
    redirect_uri,
    scope: scopeFor(server, client, request.scope),
    resources: server.resources.findAll(request.resources ?? []),
    code_challenge: checkCodeChallenge(policy, client, request.code_challenge),
    dpop_jkt: checkDpopKey(request.dpop_jkt),
    nonce: checkLength('nonce', request.nonce),
    claims: request.claims,
    authorization_details: request.authorization_details,
    ...{ sub, auth_time, acr, amr, sid }
  })
  const code = await mintAuthorizationCode(server, record)
  const answer = { code, ...(state !== undefined && { state }), iss: server.issuer }
  return { code, redirect_to: answerAddress(redirect_uri, answer) }
}

/** The application's own fault, and not its client's. @throws ConfigurationError */
function checkAccount(account: unknown): void {
  const { sub, auth_time } = (account ?? {}) as Partial<Account>
  if (typeof sub !== 'string' || sub === '') throw new ConfigurationError('account.sub', 'must be a non-empty string')
  if (typeof auth_time !== 'number' || !Number.isFinite(auth_time))
    throw new ConfigurationError('account.auth_time', 'must be the time of the sign-in, in seconds since the epoch')
}

async function knownClient({ clients }: CodePolicy, client_id: string): Promise<Client> {
  const client = await findClient(clients, client_id)
  if (client === undefined || !mayBegin(client)) throw new InvalidRequestError('this client is not known here')
  return client
}

function scopeFor(server: TokenServer, client: Client, scope: readonly string[] | undefined): readonly string[] {
  if (scope === undefined) return client.scope === undefined ? [] : registeredScope(server, client)
  const allowed = allowedScope(server, client)
  const beyond = scopeBeyond(scope, allowed)
  if (beyond.length > 0) throw unavailableScope(beyond, allowed)
  return [...new Set(scope)]
}
