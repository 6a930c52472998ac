/** The grants of docs/grants.md, as it shows them: each must compile, and the mistakes must not. */
import {
  authorizationCode,
  guardedFetch,
  InvalidGrantError,
  jwtBearer,
  refreshToken,
  requestedResources,
  requestedScope,
  requiredParameter,
  tokenExchange,
  type ExchangeRequest,
  type FindSubject,
  type TokenIssuer,
  type TrustedIssuer
} from 'clientele'

declare const accounts: {
  findByFederatedId(iss: string, sub: string): Promise<{ readonly id: string } | undefined>
  signIn(username: string, password: string): Promise<{ readonly sub: string } | undefined>
}

const trustedIssuers: readonly TrustedIssuer[] = [
  { issuer: 'https://idp.example', jwks_uri: 'https://idp.example/jwks' },
  { issuer: 'https://ci.example', jwks: { keys: [] }, algorithms: ['ES256'], replay: 'allow', maxLifetime: 300 }
]
const subject: FindSubject = async ({ iss, sub }) => (await accounts.findByFederatedId(iss, sub))?.id

export const tokenIssuers: readonly TokenIssuer[] = [
  authorizationCode(),
  refreshToken(),
  jwtBearer({ trustedIssuers, subject }),
  tokenExchange({
    trustedIssuers,
    subject,
    policy: ({ client, subject, resource }) =>
      client.client_id === 'gateway' &&
      subject.type === 'access_token' &&
      subject.resources.includes('https://gateway.example.com') &&
      resource === 'https://ledger.example.com'
        ? { allow: 'delegation' }
        : { allow: false, reason: 'only the gateway, and only to the ledger' }
  })
]

/** RFC 6749 §4.3, for whoever must. */
export const password: TokenIssuer = {
  grant_type: 'password',
  confidential: true,
  async issue(request, server) {
    const account = await accounts.signIn(requiredParameter(request, 'username'), requiredParameter(request, 'password'))
    if (account === undefined) throw new InvalidGrantError('the username or the password is wrong')
    const scope = requestedScope(request, server).filter(value => value !== 'offline_access')
    const grant = { client_id: request.client.client_id, sub: account.sub, scope, resources: [] }
    return server.respond(request, grant, { resource: requestedResources(request.parameters) })
  }
}

export const privately = jwtBearer({ trustedIssuers, subject, fetchJson: guardedFetch({ allowPrivate: ['idp.corp.example'] }) })

export const asynchronous = tokenExchange({
  policy: async ({ sub, actor, scope, audience, subject: { iss, act, claims } }: ExchangeRequest) => {
    await Promise.resolve([sub, actor?.sub, scope.length, audience, iss, act?.act?.sub, claims?.['email']])
    return { allow: 'impersonation' }
  }
})

// @ts-expect-error -- nothing is exchanged without a policy
export const lawless = tokenExchange({})

// @ts-expect-error -- a policy says how, not just that
export const vague = tokenExchange({ policy: () => ({ allow: true }) })

// @ts-expect-error -- another issuer's names are not ours: somebody has to say whose they are
export const nameless = jwtBearer({ trustedIssuers })
