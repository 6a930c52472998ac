/** What was presented, judged again: by the same rules where these can be told from what was kept. */
import { webcrypto } from 'node:crypto'
import { CompactSign, generateKeyPair, type CryptoKey } from 'jose'
import { assertionChecks, verifyClientAssertion } from '../assertions/client-assertion.ts'
import { decodeUnverified } from '../assertions/compact-jws.ts'
import type { AssertionFacts, CertificateFacts, JudgedAuthentication } from '../authentication/judged.ts'
import { matchSubject } from '../certificates/subject.ts'
import { distinguishedNameProblem, parseDistinguishedName } from '../certificates/x509/distinguished-name.ts'
import type { ClientKeys } from '../client-keys/client-keys.ts'
import { symmetricAlgorithms } from '../client-keys/algorithms.ts'
import type { Client } from '../clients/client.ts'
import { credentialSet, isLive, jwkThumbprint, thumbprintOf, type CredentialOfClient } from '../clients/credentials.ts'
import { methodFacts } from '../clients/methods.ts'
import type { DecisionBuilder } from '../decisions/builder.ts'
import type { Proof } from '../strategies/attempt.ts'
import type { ReplayCandidate } from './candidate.ts'

/** The proof of a kept authentication; undefined where what was kept does not say enough to judge it again. */
export function proofOf(kept: JudgedAuthentication, method: string, candidate: ReplayCandidate): Proof | undefined {
  const { accepts = [], readableSecret, certificate, vouched, workload, public: isPublic } = methodFacts.get(method) ?? {}
  if (isPublic === true) return { checks: [], prove: () => ({}) }
  if (vouched === true || workload === true || accepts.length === 0) return asItWas(kept)
  const { presented } = kept
  if (certificate === true) return certificateProof(presented?.certificate, kept, candidate)
  if (accepts.includes('key')) return assertionProof(presented?.assertion, 'asymmetric', kept, candidate)
  return readableSecret === true
    ? assertionProof(presented?.assertion, 'symmetric', kept, candidate)
    : secretProof(kept, candidate)
}

/** The word of others, and of methods nobody here knows: it stays what it was. */
function asItWas({ checks, outcome }: JudgedAuthentication): Proof | undefined {
  if (outcome === 'refused') return undefined
  const own = checks.filter(({ check }) => check !== 'client' && check !== 'registered_method')
  return {
    checks: own.map(({ check }) => check),
    prove(_, decision) {
      for (const { check } of own) decision.pass(check)
      return {}
    }
  }
}

/** The secret a client presented: the one of that name, if the candidate has it still. */
function secretProof({ checks, credential }: JudgedAuthentication, { basicEncoding, clock }: ReplayCandidate): Proof | undefined {
  const wasRight = checks.some(({ check, outcome }) => check === 'secret' && outcome === 'pass')
  const isEncoded = !checks.some(({ check, outcome }) => check === 'encoding' && (outcome === 'report' || outcome === 'fail'))
  // which secret it was is known of a right one alone
  if (!wasRight && isEncoded) return undefined
  return {
    checks: ['encoding', 'secret', 'secret_expiry'],
    prove(client, decision) {
      if (!isEncoded && basicEncoding === 'enforce') throw decision.refuse('encoding', notEncoded)
      if (isEncoded) decision.pass('encoding')
      else decision.report('encoding', notEncoded)
      const secret = credential === undefined ? undefined : named(client, credential, 'secret')
      if (credential !== undefined && secret === undefined) throw decision.refuse('secret', gone(credential))
      decision.pass('secret')
      if (secret !== undefined && !isLive(secret, clock.now / 1000))
        throw decision.refuse('secret_expiry', { section: 'RFC 7591 §3.2.1', received: credential ?? '', fix: expired })
      decision.pass('secret_expiry')
      return credential === undefined ? {} : { credential }
    }
  }
}

const notEncoded = {
  section: 'RFC 6749 §2.3.1',
  expected: 'client_id and secret, each form-encoded',
  received: 'as they are',
  fix: 'Let the client encode its client_id and secret in the Authorization header.'
}
const expired = 'The secret had not begun, or had ended, by the dates the candidate has for it.'

function gone(credential: string) {
  return {
    section: 'RFC 6749 §2.3.1',
    received: credential,
    fix: 'The client has no such credential in the candidate: keep it until nobody uses it.'
  }
}

/** A credential of the client by the name that decisions have for it. */
function named(client: Client, credential: string, type: CredentialOfClient['type']): CredentialOfClient | undefined {
  return credentialSet(client).all.find(one => one.type === type && one.credential === credential)
}

/** A key that stands for the one that signed, for each algorithm: nobody has that one here. */
const standIns = new Map<string, Promise<{ privateKey: CryptoKey | Uint8Array; publicKey: CryptoKey | Uint8Array } | undefined>>()

function standInFor(alg: string) {
  const known =
    standIns.get(alg) ?? (symmetricAlgorithms.has(alg) ? secretStandIn() : generateKeyPair(alg).catch(() => undefined))
  standIns.set(alg, known)
  return known
}

function secretStandIn() {
  const key = webcrypto.getRandomValues(new Uint8Array(64))
  return Promise.resolve({ privateKey: key, publicKey: key })
}

/** The claims, signed anew with a key that stands for the client's, and judged as any assertion is. */
function assertionProof(
  facts: AssertionFacts | undefined,
  kind: 'symmetric' | 'asymmetric',
  { checks, credential, presented }: JudgedAuthentication,
  { policy }: ReplayCandidate
): Proof | undefined {
  const wasSigned = checks.some(({ check, outcome }) => check === 'signature' && outcome === 'pass')
  if (facts === undefined || !wasSigned || credential === undefined || typeof facts.alg !== 'string') return undefined
  const { alg } = facts
  return {
    checks: assertionChecks,
    async prove(client, decision) {
      const standIn = await standInFor(alg)
      if (standIn === undefined) throw decision.refuse('algorithm', { received: alg })
      const assertion = await signedAnew(facts, alg, standIn.privateKey)
      const holds = holdsKey(client, credential, kind, policy.clock() / 1000)
      return verifyClientAssertion({
        ...{ assertion, jws: decodeUnverified(assertion), client, kind, policy, decision },
        client_id_parameter: presented?.client_id,
        clientKeys: { find: (_, __, made) => standInKey(holds, standIn.publicKey as CryptoKey, credential, made) },
        secrets: holds ? [{ id: credential.replace(/^secret:/, ''), key: standIn.publicKey as Uint8Array }] : []
      })
    }
  }
}

function standInKey(
  holds: boolean,
  key: CryptoKey,
  credential: string,
  decision: DecisionBuilder
): ReturnType<ClientKeys['find']> {
  if (holds) return Promise.resolve([{ key, credential }])
  return Promise.reject(decision.refuse('key', { ...gone(credential), section: 'FAPI 2.0 §5.4.2' }))
}

/** Whether the candidate has the key for the client; what a `jwks_uri` answers is as it was. */
function holdsKey(client: Client, credential: string, kind: 'symmetric' | 'asymmetric', now: number): boolean {
  const { all, keySet } = credentialSet(client)
  if (kind === 'asymmetric' && keySet !== undefined) return true
  return all.some(one => one.credential === credential && isLive(one, now))
}

async function signedAnew(
  { typ, kid, claims, jti_length }: AssertionFacts,
  alg: string,
  key: CryptoKey | Uint8Array
): Promise<string> {
  const header = { alg, ...(typ !== undefined && { typ: typ as string }), ...(kid !== undefined && { kid: kid as string }) }
  const payload = { ...claims, ...(jti_length !== undefined && { jti: 'j'.repeat(Math.min(jti_length, 1000)) }) }
  return new CompactSign(Buffer.from(JSON.stringify(payload))).setProtectedHeader(header).sign(key)
}

/** The certificate a client presented: its names, its times, its key, and who vouched for it. */
function certificateProof(
  facts: CertificateFacts | undefined,
  { checks, method }: JudgedAuthentication,
  { authorities, clock }: ReplayCandidate
): Proof | undefined {
  if (facts === undefined) return undefined
  const certifiedKeys = methodFacts.get(method ?? '')?.certifiedKeys === true
  const wasTrusted = checks.some(({ check, outcome }) => check === 'certificate_chain' && outcome === 'pass')
  const path = facts.authorities.map(der => Buffer.from(der, 'base64'))
  // it cannot be told whether what was not trusted would be
  if (!certifiedKeys && !wasTrusted && authorities?.endorse(path, clock.now) !== true) return undefined
  const credential = `x5t#S256:${facts['x5t#S256']}`
  return {
    checks: [
      'certificate',
      ...(certifiedKeys ? [] : ['certificate_chain']),
      'certificate_validity',
      certifiedKeys ? 'certificate_key' : 'certificate_subject'
    ],
    prove(client, decision) {
      decision.credential = credential
      decision.pass('certificate')
      if (!certifiedKeys) checkAuthorities(facts, path, authorities, clock.now, decision)
      checkTimes(facts, clock.now, decision)
      if (certifiedKeys) checkKey(client, facts, clock.now, decision)
      else matchSubject(client, { subject: readSubject(facts.subject), sans: facts.names }, decision, clock.now)
      return { credential }
    }
  }
}

/** A name that was kept wrongly is nobody's. */
function readSubject(subject: string): ReturnType<typeof parseDistinguishedName> {
  return distinguishedNameProblem(subject) === undefined ? parseDistinguishedName(subject) : []
}

function checkAuthorities(
  { subject }: CertificateFacts,
  path: readonly Uint8Array[],
  authorities: ReplayCandidate['authorities'],
  now: number,
  decision: DecisionBuilder
): void {
  if (authorities !== undefined && !authorities.endorse(path, now))
    throw decision.refuse('certificate_chain', {
      section: 'RFC 8705 §2.1',
      expected: 'a chain to a certificate authority this server trusts',
      received: `a certificate of ${subject} that none of them vouches for`,
      fix: 'Keep the authority that issued it, or have the client’s certificate issued by one that is trusted.'
    })
  decision.pass('certificate_chain')
}

const tolerance = 10_000

function checkTimes({ not_before, not_after }: CertificateFacts, now: number, decision: DecisionBuilder): void {
  if (now + tolerance < not_before * 1000 || now > not_after * 1000)
    throw decision.refuse('certificate_validity', {
      section: 'RFC 5280 §4.1.2.5',
      fix: 'Present a certificate that is valid now.'
    })
  decision.pass('certificate_validity')
}

/** The certificate, or its key, is one the candidate has for the client; what a `jwks_uri` answers is as it was. */
function checkKey(client: Client, facts: CertificateFacts, now: number, decision: DecisionBuilder): void {
  const thumbprint = facts['x5t#S256']
  const { all, keySet } = credentialSet(client)
  const isIts = (one: CredentialOfClient): boolean => {
    if (!isLive(one, now / 1000)) return false
    if (one.type === 'certificate') return thumbprintOf(one.der) === thumbprint
    if (one.type !== 'key') return false
    const [leaf] = one.jwk.x5c ?? []
    return leaf === undefined ? jwkThumbprint(one.jwk) === facts.key : thumbprintOf(Buffer.from(leaf, 'base64')) === thumbprint
  }
  if (keySet === undefined && !all.some(isIts))
    throw decision.refuse('certificate_key', { ...gone(`x5t#S256:${thumbprint}`), section: 'RFC 8705 §2.2' })
  decision.pass('certificate_key')
}
