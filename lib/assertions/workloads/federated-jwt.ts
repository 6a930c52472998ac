/**
 * A platform's own token as a client's proof: `federated_jwt`. It is a JWT bearer assertion (RFC 7523 §2.2) whose
 * issuer is not its subject; what it must say is in the client's federated credentials.
 */
import type { Client } from '../../clients/client.ts'
import { credentialSet, isLive, type FederatedOfClient } from '../../clients/credentials.ts'
import { legacyKubernetesIssuer } from '../../clients/federated-credential.ts'
import type { CheckName } from '../../decisions/decision.ts'
import type { DecisionBuilder } from '../../decisions/builder.ts'
import type { Store } from '../../stores/store.ts'
import { describeClaim, type UnverifiedJws } from '../compact-jws.ts'
import { consumeOnce } from '../replay.ts'
import { judgeJti } from '../trusted-jwt-claims.ts'
import { claimMismatch, hasClaims, isSubject } from './claim-rules.ts'
import { checkAudience, checkTimes, readFormat, refuseBy, signedChecks, timeCheckNames, verifySigned } from './workload-jwt.ts'
import type { Platform, Workloads, WorkloadServer } from './workloads.ts'
import { verifyInVain } from '../nobodys-keys.ts'
import type { JsonObject } from '../../json.ts'

/** The checks {@link verifyFederatedJwt} goes through, in order. A strategy announces them. */
export const federatedChecks: readonly CheckName[] = [
  'assertion_format',
  'federated_issuer',
  ...signedChecks,
  'audience',
  ...timeCheckNames,
  'federated_subject',
  'federated_claims',
  'jti',
  'replay'
]

const explicitType = 'client-authentication+jwt'

interface FederatedJwtInput {
  readonly assertion: string
  readonly jws: UnverifiedJws
  readonly workloads: Workloads
  readonly decision: DecisionBuilder
  /** The values `aud` may have where a credential does not say. */
  readonly audiences: readonly string[]
}

/** A token that proved a client, and has not been used up. */
interface ProvenToken {
  readonly credential: FederatedOfClient
  readonly platform: Platform
  readonly claims: JsonObject
}

/**
 * Verifies a platform's token for a client, and uses it up where its tokens are good once: that happens last.
 *
 * Guaranteed of one that passes: signed by an asymmetric algorithm with a key of a platform that this server trusts and
 * that one of the client's live credentials names; for the one audience of that credential; now between `iat`/`nbf` and
 * `exp`, which are no further apart than the platform may have them; with the subject and every claim of that same
 * credential.
 *
 * @returns how the credential is called, `federated:<id>`.
 * @throws {@link InvalidClientError} with the decision, at the first check that fails.
 * @throws {@link TemporarilyUnavailableError} where the platform's keys cannot be had, or the store cannot tell whether
 * the token was used.
 */
export async function verifyFederatedJwt(client: Client, input: FederatedJwtInput): Promise<ProvenToken> {
  const { assertion, jws, workloads, decision } = input
  const read = readFormat(jws, decision)
  const { payload } = read
  const now = workloads.server.clock() / 1000
  const platform = workloads.platform(payload['iss'])
  const ofPlatform = credentialSet(client).federated.filter(one => isLive(one, now) && one.rule.issuer === platform?.rule.issuer)
  if (platform === undefined || ofPlatform.length === 0) {
    const refusal = refuseIssuer(client, payload['iss'], input)
    // as for a client that is not there: neither time nor a source that is down tells the two apart
    await pretendFederatedJwt(input)
    throw refusal
  }
  decision.pass('federated_issuer')
  const { claims } = await verifySigned(assertion, read, {
    rule: headerRule(platform, workloads),
    keys: platform.keys,
    decision
  })
  const forAudience = credentialsForAudience(ofPlatform, claims, input)
  checkTimes(claims, { rule: platform.rule, now, decision, iat: 'required' })
  const credential = matchCredential(forAudience, claims, decision)
  decision.credential = credential.credential
  const refusal = judgeJti(claims, platform.rule.replay)
  if (refusal !== undefined) throw refuseBy(decision, refusal)
  decision.pass('jti')
  return { credential, platform, claims }
}

/**
 * Uses a token up where its platform's are good once; where they are good many times, the decision says until when.
 *
 * @throws {@link InvalidClientError} where it was used before; {@link TemporarilyUnavailableError} where the store
 * cannot tell.
 */
export async function consumeToken(
  { platform, claims }: ProvenToken,
  { server, store, decision }: { readonly server: WorkloadServer; readonly store: Store; readonly decision: DecisionBuilder }
): Promise<void> {
  const { replay, clockTolerance, issuer } = platform.rule
  const exp = Number(claims['exp'])
  if (replay === 'allow') {
    decision.pass('replay', { received: `may be used again until ${Math.ceil(exp + clockTolerance)}` })
    return
  }
  const ttl = Math.ceil(exp + clockTolerance - server.clock() / 1000) + 1
  if (await consumeOnce(store, 'workload_jwt', [server.issuer, issuer, String(claims['jti'])], ttl)) decision.pass('replay')
  else
    throw decision.refuse('replay', {
      section: 'RFC 7523 §3',
      received: 'a token that was used before',
      fix: 'Get a new token from the platform for every request, or let the platform’s tokens be used many times.'
    })
}

/** The work of {@link verifyFederatedJwt} for a client that is not there. Whatever comes of it refuses. */
export async function pretendFederatedJwt({ assertion, jws, workloads, decision }: FederatedJwtInput): Promise<void> {
  const platform = jws.outcome === 'read' ? workloads.platform(jws.payload['iss']) : undefined
  if (platform === undefined || jws.outcome === 'malformed') await verifyInVain(assertion, jws)
  else await verifySigned(assertion, jws, { rule: headerRule(platform, workloads), keys: platform.keys, decision })
}

function headerRule({ rule: { algorithms, types } }: Platform, { dials }: Workloads) {
  return { algorithms, types: [explicitType, ...types], otherTypes: dials.type }
}

function refuseIssuer(client: Client, iss: unknown, { workloads, decision }: FederatedJwtInput): Error {
  const { federated } = credentialSet(client)
  const issuers = [...new Set(federated.map(({ rule }) => rule.issuer))]
  const section = 'RFC 7523 §3'
  const detail = {
    section,
    expected: issuers.join(' or ') || 'an issuer, and the client has no federated credential',
    received: describeClaim(iss)
  }
  return decision.refuse('federated_issuer', { ...detail, fix: issuerFix(issuers, iss, workloads) })
}

function issuerFix(issuers: readonly string[], iss: unknown, workloads: Workloads): string {
  if (iss === legacyKubernetesIssuer)
    return 'This is a legacy Kubernetes token, which never ends and is for nobody: project a token with audience and expirationSeconds.'
  if (iss === workloads.server.issuer)
    return 'This server signed it itself: present the token of the platform the workload runs on.'
  const near = issuers.find(issuer => issuer !== iss && String(iss).replace(/\/$/, '') === issuer.replace(/\/$/, ''))
  if (near !== undefined)
    return 'The two differ by a slash at the end, and are compared as they are: write the issuer as its tokens do.'
  if (typeof iss === 'string' && issuers.includes(iss))
    return workloads.platform(iss) === undefined
      ? 'The client has a credential of this issuer, and this server does not trust it: add it to the workload issuers.'
      : 'The client’s credential of this issuer may be used at another time only: change its dates, or add another.'
  return 'Present a token of a platform that the client has a federated credential for, or add one for this platform.'
}

/** The credentials whose audience the token is for. */
function credentialsForAudience(
  credentials: readonly FederatedOfClient[],
  claims: JsonObject,
  { audiences: usual, workloads, decision }: FederatedJwtInput
): readonly FederatedOfClient[] {
  const audiencesOf = ({ rule: { audience } }: FederatedOfClient): readonly string[] =>
    audience === undefined ? usual : [audience]
  const audiences = credentials.flatMap(audiencesOf)
  const fix = 'Ask the platform for a token whose only audience is this one, or write the audience it has into the credential.'
  const found = checkAudience(claims, { audiences, several: workloads.dials.audience, fix }, decision)
  return credentials.filter(credential => audiencesOf(credential).some(audience => found.includes(audience)))
}

/** The one whose subject and claims the token has. @throws InvalidClientError where it is none. */
function matchCredential(
  credentials: readonly FederatedOfClient[],
  claims: JsonObject,
  decision: DecisionBuilder
): FederatedOfClient {
  const ofSubject = credentials.filter(({ rule }) => isSubject(rule, claims))
  const [first] = ofSubject
  if (first === undefined) {
    throw decision.refuse('federated_subject', {
      section: 'RFC 7523 §3',
      expected: credentials.map(({ rule }) => rule.subject).join(' or '),
      received: describeClaim(claims['sub']),
      fix: 'Run the workload under the subject of the credential, or write the subject it has into the credential.'
    })
  }
  decision.pass('federated_subject')
  const match = ofSubject.find(({ rule }) => hasClaims(rule, claims))
  if (match !== undefined) {
    decision.pass('federated_claims')
    return match
  }
  // of several that nearly match the first is told of, and which it is
  decision.credential = first.credential
  const { claim = '', expected = '', received = '' } = claimMismatch(first.rule, claims) ?? {}
  throw decision.refuse('federated_claims', {
    section: 'RFC 7523 §3',
    expected: `${claim} ${expected}`,
    received: `${claim} ${received}`,
    fix: `${claim} is ${received}, the rule wants ${expected}: ${whyOther(claim, received)}`
  })
}

/** Tells the likeliest cause of a claim of this name that is another one, as the end of a sentence. */
function whyOther(claim: string, received: string): string {
  if (received === 'nothing') return 'the platform does not say it of this workload, or the name of the claim is another.'
  if (/repository_id|project_id/.test(claim)) return 'the repository was renamed or copied, or another one has its name now.'
  if (/owner_id|namespace_id/.test(claim)) return 'the repository belongs to somebody else by now.'
  if (claim.endsWith('uid')) return 'it was deleted and made again under its name.'
  return 'run the workload where the rule wants it, or change the rule.'
}
