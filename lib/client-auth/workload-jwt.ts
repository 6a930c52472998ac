/** Clients that prove themselves with what their platform signed. */
import { readOptions, text, textLike, type Checks } from '../options.ts'
import { clientAuthentication, type AuthenticatedParties, type ClientAuthentication } from './client-authentication.ts'
import { workloadToken, workloadTokenChecks, type WorkloadTokenSource } from './workload-token.ts'

/** The source of the token, and the server that may have it. */
export interface WorkloadJwtOptions extends WorkloadTokenSource, AuthenticatedParties {}

/** The source of the token of {@link workloadGrant}, and the server that may have it. */
export type WorkloadGrantOptions = Omit<WorkloadJwtOptions, 'client_id'>

const workloadGrantChecks = {
  ...workloadTokenChecks,
  issuer: textLike('an absolute URL', value => URL.canParse(value))
} satisfies Checks<WorkloadGrantOptions>

const workloadJwtChecks = { ...workloadGrantChecks, client_id: text() } satisfies Checks<WorkloadJwtOptions>

/**
 * The method `federated_jwt`: the platform's token is the client assertion (RFC 7523 §2.2). Where the library does not
 * know the `client_id`, and it is not given, the server finds the client by the token.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * const config = await client.discovery(new URL('https://as.example.com'), 'deployer', undefined, federatedJwt({ file: '/var/run/secrets/tokens/as' }))
 */
export function federatedJwt(options: WorkloadJwtOptions): ClientAuthentication {
  return assertedBy('urn:ietf:params:oauth:client-assertion-type:jwt-bearer', options)
}

/**
 * The method `spiffe_jwt`: a JWT-SVID is the client assertion, of a type of its own
 * (draft-ietf-oauth-spiffe-client-auth-02).
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * spiffeJwt({ file: '/run/spire/jwt/svid' })
 */
export function spiffeJwt(options: WorkloadJwtOptions): ClientAuthentication {
  return assertedBy('urn:ietf:params:oauth:client-assertion-type:jwt-spiffe', options)
}

function assertedBy(client_assertion_type: string, options: WorkloadJwtOptions): ClientAuthentication {
  const read = readOptions(options, workloadJwtChecks)
  const token = workloadToken(read)
  return clientAuthentication(read, async ({ issuer, client_id, body }) => {
    const client_assertion = await token(issuer)
    if (client_id !== undefined) body.set('client_id', client_id)
    body.set('client_assertion_type', client_assertion_type)
    body.set('client_assertion', client_assertion)
  })
}

/**
 * The grant without a client (RFC 7523 §2.1): the platform's token is the `assertion` of a
 * `urn:ietf:params:oauth:grant-type:jwt-bearer` request, and nothing else authenticates it. The server finds the client
 * by the token.
 *
 * @throws ConfigurationError naming the option that is wrong.
 *
 * @example
 * // with openid-client
 * const config = await client.discovery(new URL(issuer), 'deployer', undefined, workloadGrant({ file }))
 * await client.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:jwt-bearer', { scope: 'deploy' })
 */
export function workloadGrant(options: WorkloadGrantOptions): ClientAuthentication {
  const read = readOptions(options, workloadGrantChecks)
  const token = workloadToken(read)
  return clientAuthentication(read, async ({ issuer, body }) => {
    body.set('assertion', await token(issuer))
  })
}
