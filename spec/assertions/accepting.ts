/** A server that trusts an issuer, and what that issuer signs for it. */
import {
  trustedIssuers,
  trustedIssuersChecks,
  type TrustedIssuer,
  type TrustedIssuersOptions,
  type TrustedJwtOutcome
} from '../../lib/assertions/trusted-issuers.ts'
import { readOptions } from '../../lib/options.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { makeIssuer, signAs, type JwtParts } from '../support/servers/trusted-issuer.ts'

export const issuer = 'https://as.example.com'
/** Seconds since the epoch. */
export const now = 1_800_000_000.5
export const accepted = { types: ['authorization-grant+jwt'], audiences: [issuer, `${issuer}/oauth2/token`] }

export const idp = await makeIssuer()
/** The same issuer's other key. */
export const rsa = await makeIssuer(idp.issuer, 'PS256')
export const other = await makeIssuer('https://other.example')

export function acceptor(list: readonly TrustedIssuer[], options: Partial<TrustedIssuersOptions> = {}, own = issuer) {
  const clock = { now: now * 1000 }
  const server = { issuer: own, clock: () => clock.now, store: memoryStore({ clock: () => clock.now }) }
  const trusted = trustedIssuers(readOptions({ trustedIssuers: list, ...options }, trustedIssuersChecks))
  return { clock, server, trusted, issuers: trusted(server) }
}

export const byJwks = (rule: Partial<TrustedIssuer> = {}): TrustedIssuer => ({
  issuer: idp.issuer,
  jwks: { keys: [idp.jwk, rsa.jwk] },
  ...rule
})

export const verify = (jwt: string, rule: Partial<TrustedIssuer> = {}) => acceptor([byJwks(rule)]).issuers.verify(jwt, accepted)
export const sign = (parts: JwtParts = {}, by = idp) => signAs(by, issuer, now, parts)
export const reasonOf = (outcome: TrustedJwtOutcome) => (outcome.outcome === 'refused' ? outcome.reason : 'verified')
