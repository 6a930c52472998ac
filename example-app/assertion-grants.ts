/**
 * The grants by which other issuers' word and tokens already issued become access tokens: whom this server trusts, and
 * with what.
 */
import {
  jwtBearer,
  tokenExchange,
  type ExchangeRequest,
  type ExchangeVerdict,
  type TokenIssuer,
  type TrustedIssuer
} from 'clientele'
import type { People } from './people/accounts.ts'
import type { IssuerSettings } from './config/schema.ts'

/**
 * Both grants. Without trusted issuers no assertion is good, and this server's own access tokens can be exchanged all
 * the same.
 */
export function assertionGrants(
  settings: Pick<IssuerSettings, 'trusted_issuers' | 'policy'>,
  persons: People
): readonly TokenIssuer[] {
  const trustedIssuers = settings.trusted_issuers as readonly TrustedIssuer[]
  // the issuers this server trusts name people as it does itself
  const subject = ({ sub }: { readonly sub: string }): string | undefined => persons.find(sub)?.sub
  return [
    jwtBearer({ trustedIssuers, subject, workloads: settings.policy.workload_grant }),
    tokenExchange({ trustedIssuers, subject, policy })
  ]
}

/**
 * A client that is registered for the grant may exchange any access token it was handed, and any trusted issuer's JWT.
 * Whom an actor token is about is named in the new token; without one the client takes the caller's place.
 */
function policy({ subject, actor }: ExchangeRequest): ExchangeVerdict {
  if (subject.type !== 'access_token' && subject.type !== 'jwt')
    return { allow: false, reason: 'only access tokens and JWTs of trusted issuers are exchanged here' }
  return { allow: actor === undefined ? 'impersonation' : 'delegation' }
}
