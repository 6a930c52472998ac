/** A server with the assertion grants, the clients that use them, and the issuer it trusts. */
import express from 'express'
import {
  authorizationCode,
  clientCredentials,
  jwtBearer,
  refreshToken,
  tokenExchange,
  type AuthorizationServerOptions,
  type ClientMetadata,
  type ExchangeRequest,
  type ExchangeVerdict,
  type JwtBearerOptions,
  type TokenExchangeOptions
} from '../../../lib/index.ts'
import { alice, clients, harness, issuer, token, type Form, type Harness } from './authorization-server.ts'
import { makeIssuer, signAs, type JwtParts } from './trusted-issuer.ts'

export const bearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const tokenType = (name: string) => `urn:ietf:params:oauth:token-type:${name}`

export const idp = await makeIssuer()
export const partner = await makeIssuer('https://partner.example')

const machines = ['refresh_token', 'client_credentials', bearerGrant, exchangeGrant]
const everything = ['authorization_code', ...machines]
const scope = 'openid profile offline_access api:read api:write files:read'

/** Beside those of every spec: two that may use the assertion grants, one of them for reading alone, and a public one. */
export const withAssertions: readonly ClientMetadata[] = [
  ...clients.filter(({ client_id }) => client_id !== 'spa'),
  ...['agent', 'gateway'].map(client_id => ({
    client_id,
    client_secret: `secret of ${client_id}`,
    grant_types: everything,
    redirect_uris: ['https://client.example.com/cb'],
    scope
  })),
  { client_id: 'reader', client_secret: 'secret of reader', grant_types: machines, scope: 'api:read' },
  { client_id: 'unscoped', client_secret: 'secret of unscoped', grant_types: machines },
  {
    client_id: 'spa',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['https://client.example.com/cb']
  }
]

export interface AssertionHarness extends Harness {
  /** What the policy was asked. */
  readonly asked: ExchangeRequest[]
  /** What the policy says. */
  readonly verdict: { now: ExchangeVerdict | undefined }
  /** A JWT of `idp` for this server, good now. */
  readonly sign: (parts?: JwtParts) => Promise<string>
}

interface AssertionOptions {
  readonly bearer?: Partial<JwtBearerOptions>
  readonly exchange?: Partial<TokenExchangeOptions>
  readonly server?: Partial<AuthorizationServerOptions>
}

const trustedIssuers = [
  { issuer: idp.issuer, jwks: { keys: [idp.jwk] } },
  { issuer: partner.issuer, jwks: { keys: [partner.jwk] } }
]

/** Of the issuers' people this server knows one. */
export const knownHere = ({ sub }: { readonly sub: string }): string | undefined => (sub === 'u-alice' ? alice.sub : undefined)

export async function assertionHarness(options: AssertionOptions = {}, app = express()): Promise<AssertionHarness> {
  const asked: ExchangeRequest[] = []
  const verdict: AssertionHarness['verdict'] = { now: { allow: 'impersonation' } }
  const policy = (request: ExchangeRequest) => {
    asked.push(request)
    return verdict.now
  }
  const serverOptions: Partial<AuthorizationServerOptions> = {
    clients: withAssertions,
    tokenIssuers: [
      authorizationCode(),
      clientCredentials(),
      refreshToken(),
      jwtBearer({ trustedIssuers, subject: knownHere, ...options.bearer }),
      tokenExchange({ trustedIssuers, subject: knownHere, policy, ...options.exchange })
    ],
    ...options.server
  }
  const made = await harness(serverOptions, app)
  return { ...made, asked, verdict, sign: parts => signAs(idp, issuer, made.clock.now / 1000, parts) }
}

/** A request for tokens with an assertion. */
export const bear = ({ app }: Pick<Harness, 'app'>, assertion: string, more: Form = {}, client_id = 'agent') =>
  token(app, client_id, { grant_type: bearerGrant, assertion, ...more })

/** A request to exchange a token, an access token unless `more` says otherwise. */
export const exchange = ({ app }: Pick<Harness, 'app'>, subject_token: string, more: Form = {}, client_id = 'gateway') =>
  token(app, client_id, {
    grant_type: exchangeGrant,
    subject_token,
    subject_token_type: tokenType('access_token'),
    ...more
  })

/** The reason of the last error the operator was told of. */
export const lastReason = ({ errors }: Pick<Harness, 'errors'>): string | undefined =>
  (errors.at(-1) as { reason?: string } | undefined)?.reason

export const tokensOf = (response: { body: unknown }) =>
  response.body as { access_token: string; scope?: string; id_token?: string; expires_in: number }

/** The one answer to every assertion that is not good. */
export const invalidAssertion = {
  status: 400,
  body: { error: 'invalid_grant', error_description: 'this assertion is not valid' }
}

/** The one answer to every subject token that is not good. */
export const invalidSubject = {
  status: 400,
  body: { error: 'invalid_request', error_description: 'this subject_token is not valid' }
}
