/**
 * JWTs that other issuers signed for this server: authorization grants (RFC 7523 §2.1) and tokens to exchange (RFC
 * 8693). One place for every check both have in common.
 */
import type { Client } from '../clients/client.ts'
import { fn, isOnLoopback, type Checks, type Read } from '../options.ts'
import type { Clock } from '../client-request.ts'
import type { Store } from '../stores/store.ts'
import { decodeUnverified, describeClaim } from './compact-jws.ts'
import { guardedFetch, type FetchJson } from '../outbound/guarded-fetch.ts'
import { remoteKeySets, type RemoteKeySets } from '../client-keys/remote-key-set.ts'
import { consumeOnce } from './replay.ts'
import { trustedIssuersCheck, type TrustedIssuer, type TrustRule } from './trust-rule.ts'
import {
  isRefusal,
  refuseAlgorithm,
  refuseHeader,
  refuseType,
  trustedHeader,
  verifySignature,
  type IssuerKeys,
  type JwtRefusal
} from './trusted-jwt.ts'
import { refuseTrustedClaims } from './trusted-jwt-claims.ts'
import type { JsonObject } from '../json.ts'

export type { TrustedIssuer } from './trust-rule.ts'

export interface TrustedIssuersOptions {
  /** Issuers whose JWTs are accepted. An empty list accepts none. */
  readonly trustedIssuers: readonly TrustedIssuer[]
  /**
   * Fetches a `jwks_uri`. Default: https only, from public addresses (loopback too where this server's own issuer is on
   * it).
   */
  readonly fetchJson?: FetchJson | undefined
}

/** The server that the JWTs are for. */
interface AcceptingServer {
  /** The issuer identifier. */
  readonly issuer: string
  readonly clock: Clock
  readonly store: Store
}

interface TrustedJwtExpectations {
  /** The values of `typ` accepted beside none and `JWT`: in lower case, without `application/`. */
  readonly types: readonly string[]
  /** One of these must be among `aud`. */
  readonly audiences: readonly string[]
}

/** The content of a JWT that passed every check. */
export interface TrustedJwt {
  /** The issuer, as it was trusted. */
  readonly iss: string
  /** A name of the issuer's, not of ours. */
  readonly sub: string
  /** In lower case, without `application/`; undefined where there was none. */
  readonly typ: string | undefined
  /** Seconds since the epoch. */
  readonly exp: number
  /** Names the JWT. */
  readonly jti: string | undefined
  /** Every claim of the JWT. */
  readonly claims: JsonObject
}

/**
 * Finds the account here that a trusted issuer's JWT is about: its `sub` is a name of the issuer's, and may be another
 * person's here. Undefined: nobody.
 *
 * @example
 * const subject: FindSubject = async ({ iss, sub }) => (await directory.findByLogin(iss, sub))?.id
 */
export type FindSubject = (
  jwt: Pick<TrustedJwt, 'iss' | 'sub' | 'claims'>,
  client: Client
) => string | undefined | Promise<string | undefined>

export type TrustedJwtOutcome =
  | { readonly outcome: 'verified'; readonly jwt: TrustedJwt }
  /** `reason` is a clause for the operator. It quotes identifiers, algorithms, audiences and times only. */
  | { readonly outcome: 'refused'; readonly reason: string }

export interface TrustedIssuers {
  /**
   * Verifies a JWT, in this order: `format`, `issuer`, `header`, `type`, `algorithm`, `key`, `signature`, `audience`,
   * `expiry`, `not_before`, `issued_at`, `lifetime`, `subject`, `jti`. Uses nothing up.
   *
   * Guaranteed of one that passes: signed by an asymmetric algorithm with a key of the issuer it names, which is
   * trusted and not this server; for this server; now between `iat`/`nbf` and `exp`. Keys and key URLs in the header
   * are ignored.
   *
   * @throws {@link TemporarilyUnavailableError} where the issuer's keys cannot be had.
   */
  verify(jwt: string, expected: TrustedJwtExpectations): Promise<TrustedJwtOutcome>

  /**
   * Uses a verified JWT up. `true` for exactly one caller; where the issuer's rule is `replay: 'allow'`, for all. The
   * last thing to do before tokens are made: what fails any other check consumes nothing.
   *
   * @throws {@link TemporarilyUnavailableError} where the store cannot tell.
   */
  consume(jwt: TrustedJwt): Promise<boolean>
}

export const trustedIssuersChecks = {
  trustedIssuers: trustedIssuersCheck,
  fetchJson: fn<FetchJson>()
} satisfies Checks<TrustedIssuersOptions>

/**
 * The trusted issuers as seen by a server, by options that were read. One server always gets the same, which holds its
 * cache of remote keys.
 */
export function trustedIssuers({
  trustedIssuers: rules,
  fetchJson
}: Read<typeof trustedIssuersChecks>): (server: AcceptingServer) => TrustedIssuers {
  // a grant is made before the server it is for
  const byServer = new WeakMap<AcceptingServer, TrustedIssuers>()
  return server => {
    const known = byServer.get(server) ?? issuersOf(rules, fetchJson, server)
    byServer.set(server, known)
    return known
  }
}

function issuersOf(rules: ReadonlyMap<string, TrustRule>, given: FetchJson | undefined, server: AcceptingServer): TrustedIssuers {
  const fetchJson = given ?? guardedFetch({ allowLoopback: isOnLoopback(server.issuer) })
  const remote = remoteKeySets({ fetchJson, clock: server.clock })
  return {
    verify: (jwt, expected) => verify(jwt, expected, { rules, remote, server }),
    async consume({ iss, exp, jti }) {
      const rule = rules.get(iss)
      if (rule?.replay === 'allow') return true
      if (rule === undefined || jti === undefined) return false
      const ttl = Math.ceil(exp + rule.clockTolerance - server.clock() / 1000) + 1
      return consumeOnce(server.store, 'trusted_jwt', [server.issuer, iss, jti], ttl)
    }
  }
}

interface Context {
  readonly rules: ReadonlyMap<string, TrustRule>
  readonly remote: RemoteKeySets
  readonly server: AcceptingServer
}

async function verify(jwt: string, expected: TrustedJwtExpectations, context: Context): Promise<TrustedJwtOutcome> {
  const { rules, remote, server } = context
  const jws = decodeUnverified(jwt)
  if (jws.outcome === 'malformed') return refused({ check: 'format', reason: jws.reason })
  const { iss } = jws.payload
  // what this server signed is no other issuer's word, whoever is listed
  const rule = typeof iss === 'string' && iss !== server.issuer ? rules.get(iss) : undefined
  if (rule === undefined) return refused({ check: 'issuer', reason: `${describeClaim(iss)} is not a trusted issuer` })
  const { header } = jws
  const early = refuseHeader(header) ?? refuseType(header, expected.types) ?? refuseAlgorithm(header, rule.algorithms)
  if (early !== undefined) return refused(early)
  const verified = await verifySignature(jwt, jws, issuerKeys(rule, remote))
  if (isRefusal(verified)) return refused(verified)
  const { claims } = verified
  const now = server.clock() / 1000
  const refusal = refuseTrustedClaims(claims, { rule, audiences: expected.audiences, now })
  if (refusal !== undefined) return refused(refusal)
  const { sub, exp, jti } = claims as { sub: string; exp: number; jti: string | undefined }
  const { typ: type } = trustedHeader(header)
  const typ = typeof type === 'string' ? type : undefined
  return { outcome: 'verified', jwt: { iss: rule.issuer, sub, typ, exp, jti, claims } }
}

function refused({ check, reason }: JwtRefusal): TrustedJwtOutcome {
  return { outcome: 'refused', reason: `${check}: ${reason}` }
}

/** The keys of an issuer, as its rule says where they are. */
export function issuerKeys({ issuer, jwks, jwks_uri }: TrustRule, remote: RemoteKeySets): IssuerKeys {
  const known = Promise.resolve({ keys: jwks?.keys ?? [], problem: undefined })
  return { of: issuer, find: satisfied => (jwks_uri === undefined ? known : remote.get(jwks_uri, satisfied)) }
}
