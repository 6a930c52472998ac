/**
 * The JWT bearer grant (RFC 7523 §2.1): another issuer's word that a person here lets this client act for them.
 * Identity chaining across domains (draft-ietf-oauth-identity-chaining) and ID-JAG
 * (draft-ietf-oauth-identity-assertion-authz-grant) are uses of it.
 */
import { isPublicMethod } from '../clients/methods.ts'
import {
  trustedIssuers,
  trustedIssuersChecks,
  type FindSubject,
  type TrustedIssuersOptions,
  type TrustedJwt
} from '../assertions/trusted-issuers.ts'
import { InvalidGrantError, InvalidTargetError, UnauthorizedClientError } from '../errors.ts'
import { flag, fn, readOptions, required, text, type Checks } from '../options.ts'
import { requestedResources } from '../client-request.ts'
import { hasAccount } from '../tokens/account.ts'
import { isProvedBy } from '../tokens/confirmation.ts'
import { startGrant } from '../codes/begin-grant.ts'
import { readForeignToken } from '../tokens/presented-token.ts'
import { resourceFor } from '../tokens/token-response.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import { issueToClient } from './client-credentials.ts'
import { requestedScopeWithin, requiredParameter, tellReplay, type TokenIssuer, type TokenRequest } from './token-issuer.ts'
import { asList } from '../json.ts'

/** The options of `jwtBearer()`. */
export interface JwtBearerOptions extends TrustedIssuersOptions {
  /** The account an assertion is about. */
  readonly subject: FindSubject
  /**
   * The tenant this server is, as identity providers name it in `aud_tenant` of an ID-JAG. One that names another is
   * refused; so is one that names any where there is nothing here. Default: none.
   */
  readonly audTenant?: string | undefined
  /**
   * True also takes a platform's token, of the server's `workloads`, without any client authentication (the workload
   * identity extension of MCP): the one client whose `federated_credentials` it matches is the client and the subject.
   * Default false.
   */
  readonly workloads?: boolean | undefined
}

/** Those of a `jwtBearer()` that trusts no issuer of its own. */
export interface WorkloadBearerOptions {
  /** Takes platforms' tokens, and nothing else; see {@link JwtBearerOptions.workloads}. */
  readonly workloads: true
}

export const jwtBearerChecks = {
  ...trustedIssuersChecks,
  subject: required(fn<FindSubject>()),
  audTenant: text(),
  workloads: flag(false)
} satisfies Checks<JwtBearerOptions>

const idJag = 'oauth-id-jag+jwt'
const idJagProfile = 'urn:ietf:params:oauth:grant-profile:id-jag'

/**
 * Issues an access token, and never a refresh token, for an assertion of a trusted issuer. For confidential clients; an
 * ID-JAG for public ones too whose metadata is a document of their own.
 *
 * Guaranteed of an assertion that is accepted: every check of `TrustedIssuers.verify`; `aud` names this issuer or its
 * token endpoint; a `client_id` in it is the authenticated client; the request proves the key or certificate its `cnf`
 * names; and it was never used before, unless its issuer's rule says `replay: 'allow'`. Scope and resource are within
 * what the assertion names. Its use is the last check: what fails another uses nothing up.
 *
 * An assertion of type `oauth-id-jag+jwt` moreover has `client_id`, `jti` and `iat`, and this issuer as its only `aud`;
 * its `aud_tenant`, where it has one, is `audTenant`.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * jwtBearer({
 *   trustedIssuers: [{ issuer: 'https://idp.example', jwks_uri: 'https://idp.example/jwks' }],
 *   subject: async ({ iss, sub }) => (await accounts.findByFederatedId(iss, sub))?.id
 * })
 */
export function jwtBearer(options: JwtBearerOptions | WorkloadBearerOptions): TokenIssuer {
  const given = options.workloads === true ? { ...trustingNobody, ...options } : options
  const { subject: findSubject, audTenant, workloads, ...trust } = readOptions(given, jwtBearerChecks)
  const trusted = trustedIssuers(trust)
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    confidential: true,
    publicDocuments: true,
    workloads,
    ...(trust.trustedIssuers.size > 0 && { metadata: { authorization_grant_profiles_supported: [idJagProfile] } }),
    async issue(request, server) {
      if (request.useAssertion !== undefined) return issueToClient(request, server, request.useAssertion)
      const issuers = trusted(server)
      const assertion = requiredParameter(request, 'assertion')
      const audiences = [server.issuer, ...request.tokenEndpoints]
      const verified = await issuers.verify(assertion, { types: ['authorization-grant+jwt', idJag], audiences })
      if (verified.outcome === 'refused') throw refused(verified.reason)
      const { jwt } = verified
      checkClient(jwt, request, server)
      checkTenant(jwt, audTenant)
      const token = readForeignToken(jwt)
      if ('refused' in token) throw refused(token.refused)
      if (!isProvedBy(token.cnf, request.confirmation)) throw refused('cnf: the request does not prove what it is bound to')
      const sub: unknown = await findSubject(jwt, request.client)
      if (typeof sub !== 'string' || sub === '') throw refused('subject: nobody here')
      if (!(await hasAccount(server, sub))) throw refused('account: nobody here any more')
      // there is no refresh token to ask for
      const scope = requestedScopeWithin(request, server, token.scope).filter(value => value !== 'offline_access')
      const resources = grantedResources(request, server, jwt)
      if (!(await issuers.consume(jwt))) {
        tellReplay(request, server, jwt.iss)
        throw refused('replay: its jti was used before')
      }
      const { client_id } = request.client
      const authentication = jwt.typ === idJag ? authenticationOf(jwt) : {}
      const record = { client_id, sub, scope, resources, ...authentication, auth_method: request.authentication.method }
      const id = await startGrant(server, record)
      const grant = { ...record, id, act: token.act, may_act: token.may_act }
      const response = await server.respond(request, grant, { resource: resources, knownAccount: true })
      // ID-JAG, Access Token Request: what was granted of its resource claim is told
      if (jwt.claims['resource'] === undefined) return response
      return { ...response, resource: resources.length === 1 ? resources[0] : resources }
    }
  }
}

const trustingNobody: Pick<JwtBearerOptions, 'trustedIssuers' | 'subject'> = { trustedIssuers: [], subject: () => undefined }

/** One answer for every assertion that is not good, whatever is wrong with it. */
function refused(reason: string): InvalidGrantError {
  return new InvalidGrantError('this assertion is not valid', { reason })
}

function checkClient({ typ, claims }: TrustedJwt, { client, authentication }: TokenRequest, server: TokenServer): void {
  // whoever signed it names the client, and no more is needed of one that cannot prove itself; other assertions are
  // good for whoever holds them
  if (typ !== idJag && isPublicMethod(authentication.method))
    throw new UnauthorizedClientError('this grant_type is for confidential clients', {
      reason: 'a public client with a document may use an ID-JAG and no other assertion'
    })
  const { client_id, aud, iat, jti, authorization_details } = claims
  if ((typ === idJag || client_id !== undefined) && client_id !== client.client_id)
    throw refused('client: client_id is not the client that was authenticated')
  // what it allows is in terms no check here knows: to leave them out might allow more (RFC 9396 §5)
  if (authorization_details !== undefined) throw refused('authorization_details: not understood in this grant')
  if (typ !== idJag) return
  const audiences = asList(aud)
  if (audiences.length !== 1 || audiences[0] !== server.issuer) throw refused('audience: an ID-JAG names the issuer alone')
  if (iat === undefined) throw refused('issued_at: an ID-JAG has iat')
  if (jti === undefined) throw refused('jti: an ID-JAG has one')
}

/** Refuses another tenant's ID-JAG: where several share an issuer, `aud` does not say whose people it is about. */
function checkTenant({ claims: { aud_tenant } }: TrustedJwt, audTenant: string | undefined): void {
  if (aud_tenant !== undefined && aud_tenant !== audTenant) throw refused('aud_tenant: not the tenant this server is')
}

/** The resources the token is for: those asked for, or the only one of this server's that the assertion names. */
function grantedResources(
  request: TokenRequest,
  server: TokenServer,
  { typ, claims: { resource: claim } }: TrustedJwt
): readonly string[] {
  const asked = requestedResources(request.parameters)
  const named = claim === undefined ? [] : namedHere(server, claim)
  if (named.length === 0 && claim !== undefined) {
    if (typ === idJag) throw refused('resource: for none of this server')
    throw new InvalidTargetError('the assertion is for no resource known here')
  }
  if (asked.length === 0 && named.length > 1) throw new InvalidTargetError('the assertion is for several resources: name one')
  resourceFor(server, { resources: named }, asked)
  return asked.length === 0 ? named : server.resources.findAll(asked)
}

function namedHere(server: TokenServer, claim: unknown): readonly string[] {
  const named = asList(claim)
  const known = named.map(one => (typeof one === 'string' ? server.resources.known(one)?.resource : undefined))
  return [...new Set(known.filter(one => one !== undefined))]
}

/** The person's sign-in there, as an ID-JAG tells it. */
function authenticationOf({ claims: { auth_time, acr, amr } }: TrustedJwt): {
  readonly auth_time?: number
  readonly acr?: string
  readonly amr?: readonly string[]
} {
  return {
    ...(typeof auth_time === 'number' && { auth_time }),
    ...(typeof acr === 'string' && { acr }),
    ...(Array.isArray(amr) && amr.every(value => typeof value === 'string') && { amr })
  }
}
