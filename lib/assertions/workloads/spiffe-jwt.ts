/**
 * A JWT-SVID as a client's proof (draft-ietf-oauth-spiffe-client-auth §3.1): whose it is says `sub`, and whose key it
 * must be signed with too.
 */
import type { Client } from '../../clients/client.ts'
import { credentialSet, isLive, type SpiffeIdOfClient } from '../../clients/credentials.ts'
import { matchesSpiffeId, parseSpiffeId, type SpiffeId } from '../../clients/spiffe-id.ts'
import type { CheckName } from '../../decisions/decision.ts'
import type { DecisionBuilder } from '../../decisions/builder.ts'
import { describeClaim, type UnverifiedJws } from '../compact-jws.ts'
import { checkAudience, checkTimes, readFormat, signedChecks, timeCheckNames, verifySigned } from './workload-jwt.ts'
import type { SpiffeDomain } from './trust-domain.ts'
import type { Workloads } from './workloads.ts'
import { verifyInVain } from '../nobodys-keys.ts'
import type { JsonObject } from '../../json.ts'

/** The `client_assertion_type` of JWT-SVIDs. */
export const jwtSpiffeAssertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

/** The checks {@link verifySpiffeJwt} goes through, in order. A strategy announces them. */
export const spiffeJwtChecks: readonly CheckName[] = [
  'assertion_type',
  'assertion_format',
  'spiffe_id',
  'trust_domain',
  ...signedChecks,
  'audience',
  ...timeCheckNames
]

const section = 'draft-ietf-oauth-spiffe-client-auth §3.1'

/** JWT-SVID §3: RSA and ECDSA signatures alone. */
export const svidAlgorithms: readonly string[] = ['RS', 'ES', 'PS'].flatMap(kind =>
  ['256', '384', '512'].map(size => kind + size)
)

interface SpiffeJwtInput {
  readonly assertion: string
  readonly assertionType: string
  readonly jws: UnverifiedJws
  readonly workloads: Workloads
  readonly decision: DecisionBuilder
}

/**
 * Verifies a JWT-SVID for a client.
 *
 * Guaranteed of one that passes: its `sub` is a SPIFFE ID of a trusted domain, and the one the client registered or
 * below it; it is signed with a key of that domain's bundle that is there for JWT-SVIDs, whatever `iss` says; it is for
 * this issuer alone; now between `iat`/`nbf` and `exp`. It may be used again until it expires.
 *
 * @returns what the client registered that this was a use of, `spiffe_id:<id>`.
 * @throws {@link InvalidClientError} with the decision, at the first check that fails.
 * @throws {@link TemporarilyUnavailableError} where the domain's bundle cannot be had.
 */
export async function verifySpiffeJwt(client: Client, input: SpiffeJwtInput): Promise<SpiffeIdOfClient> {
  const { assertion, jws, workloads, decision } = input
  checkAssertionType(input)
  const read = readFormat(jws, decision)
  const { payload } = read
  const { server, dials } = workloads
  const now = server.clock() / 1000
  const { svid, domain, credential } = await identify(client, payload, input)
  decision.credential = credential.credential
  await verifySigned(assertion, read, { rule: { ...headerRule, otherTypes: dials.type }, keys: domain.jwtKeys, decision })
  const fix = `Ask the SPIFFE Workload API for a JWT-SVID of ${svid.id} whose only audience is this issuer.`
  checkAudience(payload, { audiences: [server.issuer], several: dials.audience, fix }, decision)
  checkTimes(payload, { rule: domain.rule, now, decision, iat: 'optional' })
  return credential
}

/** JWT-SVID §2: `JWT` or `JOSE`, where there is one. */
const headerRule = { algorithms: svidAlgorithms, types: ['jose'] }

/** It costs people a day: what is sent is right, and what is said of it is not. */
function checkAssertionType({ assertionType, decision }: SpiffeJwtInput): void {
  if (assertionType === jwtSpiffeAssertionType) {
    decision.pass('assertion_type')
    return
  }
  throw decision.refuse('assertion_type', {
    section,
    expected: jwtSpiffeAssertionType,
    received: assertionType,
    fix: `Send client_assertion_type ${jwtSpiffeAssertionType}: what was sent is a JWT-SVID.`
  })
}

async function identify(
  client: Client,
  payload: JsonObject,
  input: SpiffeJwtInput
): Promise<{ readonly svid: SpiffeId; readonly domain: SpiffeDomain; readonly credential: SpiffeIdOfClient }> {
  const { assertion, jws, workloads, decision } = input
  const svid = parseSpiffeId(payload['sub'])
  const credential = svid && registeredId(client, svid, workloads.server.clock() / 1000)
  const domain = svid && workloads.domain(svid.trustDomain)
  if (svid === undefined || credential === undefined) {
    const received = describeClaim(payload['sub'])
    const refusal = refuseSpiffeId(client, { received, isOne: svid !== undefined }, decision)
    // as for a client that is not there: neither time nor a source that is down tells the two apart
    await pretendSpiffeJwt(input)
    throw refusal
  }
  decision.pass('spiffe_id')
  if (domain === undefined) {
    await verifyInVain(assertion, jws)
    throw refuseTrustDomain(svid, decision)
  }
  decision.pass('trust_domain')
  return { svid, domain, credential }
}

/** Finds the live SPIFFE ID of a client that `svid` is, or is below. @param now seconds since the epoch. */
export function registeredId(client: Client, svid: SpiffeId, now: number): SpiffeIdOfClient | undefined {
  return credentialSet(client).spiffeIds.find(one => isLive(one, now) && matchesSpiffeId(one.spiffe_id, svid))
}

/** The check `spiffe_id` failed. @param isOne whether what was received is a SPIFFE ID at all. */
export function refuseSpiffeId(
  client: Client,
  { received, isOne }: { readonly received: string; readonly isOne: boolean },
  decision: DecisionBuilder
): Error {
  const expected = credentialSet(client)
    .spiffeIds.map(({ spiffe_id }) => spiffe_id)
    .join(' or ')
  return decision.refuse('spiffe_id', {
    section,
    expected: expected || 'a SPIFFE ID, and the client has registered none',
    received,
    fix: isOne
      ? 'Run the workload under the SPIFFE ID the client registered, or register the one it has; /* at its end lets in what is below whole segments.'
      : 'Present an SVID: its SPIFFE ID is spiffe://, a trust domain in lower case, and a path without empty segments, . or ...'
  })
}

/** The check `trust_domain` failed. */
export function refuseTrustDomain({ trustDomain }: SpiffeId, decision: DecisionBuilder): Error {
  return decision.refuse('trust_domain', {
    section: 'draft-ietf-oauth-spiffe-client-auth §5',
    received: trustDomain,
    fix: 'Add the trust domain with its bundle to workloads.trustDomains, or present an SVID of one that is there.'
  })
}

/** The work of {@link verifySpiffeJwt} for a client that is not there. Whatever comes of it refuses. */
export async function pretendSpiffeJwt({ assertion, jws, workloads, decision }: SpiffeJwtInput): Promise<void> {
  const svid = jws.outcome === 'read' ? parseSpiffeId(jws.payload['sub']) : undefined
  const domain = svid && workloads.domain(svid.trustDomain)
  if (domain === undefined || jws.outcome === 'malformed') await verifyInVain(assertion, jws)
  else await verifySigned(assertion, jws, { rule: { ...headerRule, otherTypes: 'enforce' }, keys: domain.jwtKeys, decision })
}
