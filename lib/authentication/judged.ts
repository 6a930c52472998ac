/**
 * An authentication as it was judged: its decision, and what was presented, as far as rules look at it. Nothing in it
 * can be presented again: no secret, no signature, no `jti`, and of a certificate its names and times alone.
 */
import type { KeyObject } from 'node:crypto'
import { parseCertificate } from '../certificates/x509/certificate.ts'
import { formatDistinguishedName } from '../certificates/x509/distinguished-name.ts'
import { verifiedPath } from '../certificates/x509/chain.ts'
import { jwkThumbprint } from '../clients/credentials.ts'
import type { ClientRequest, DecisionWatch, PresentedCertificate } from '../client-request.ts'
import type { Decision } from '../decisions/decision.ts'
import { messageOf, warnOnce } from '../listeners.ts'
import { printable } from '../printable.ts'
import { decodeOnce } from '../strategies/presented-assertion.ts'
import { watchBeside } from './watch.ts'

/** One authentication, as `onJudged` is told of it. JSON: `clientele replay` judges it again under other options. */
export interface JudgedAuthentication extends Omit<Decision, 'client_id' | 'mechanism' | 'method' | 'credential'> {
  /** The client_id the request named; it is not known to exist unless the check `client` passed. */
  readonly client_id?: string | undefined
  /** The mechanism that the request visibly carried. */
  readonly mechanism?: string | undefined
  /** The client authentication method that judged it. */
  readonly method?: string | undefined
  /** Which of the client's credentials it was. */
  readonly credential?: string | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The parameters, claims and certificate that were judged; absent where none of them matters beside the decision. */
  readonly presented?: PresentedFacts | undefined
}

/** Takes what was judged. */
export interface JudgedListener {
  /** Told of one authentication. What it throws or rejects with is ignored. */
  (judged: JudgedAuthentication): void
  /** Asked before each request, false spares the making of a record; where it throws, one is made. */
  readonly wants?: (() => boolean) | undefined
}

/** What was presented, as far as rules look at it. */
export interface PresentedFacts {
  /** The `client_id` parameter beside an assertion. */
  readonly client_id?: string | undefined
  /** The client's assertion. Its signature was verified where the check `signature` passed. */
  readonly assertion?: AssertionFacts | undefined
  /** The client's certificate, where its method is about one. */
  readonly certificate?: CertificateFacts | undefined
}

/** A client assertion without its signature. */
export interface AssertionFacts {
  /** The header `alg`. */
  readonly alg?: unknown
  /** The header `typ`. */
  readonly typ?: unknown
  /** The header `kid`. */
  readonly kid?: unknown
  /** The claims `iss`, `sub`, `aud`, `exp`, `iat` and `nbf`, those that it has. */
  readonly claims: Readonly<Record<string, unknown>>
  /** The characters of its `jti`; absent where it has none that is a string. */
  readonly jti_length?: number | undefined
}

/** A client certificate without itself. Times are seconds since the epoch. */
export interface CertificateFacts {
  /** RFC 8705 §3.1: base64url of the DER's SHA-256. */
  readonly 'x5t#S256': string
  /** RFC 7638 thumbprint of its key; absent for keys that have none. */
  readonly key?: string | undefined
  /** The subject, as RFC 4514 writes it. */
  readonly subject: string
  /** Its subject alternative names. */
  readonly names: {
    /** DNS names. */ readonly dns: readonly string[]
    /** URIs. */ readonly uri: readonly string[]
    /** IP addresses. */ readonly ip: readonly string[]
    /** Mail addresses. */ readonly email: readonly string[]
  }
  /** Beginning of its validity. */
  readonly not_before: number
  /** End of its validity. */
  readonly not_after: number
  /** The authorities above it, from its issuer upwards: certificates, DER in base64. They are public. */
  readonly authorities: readonly string[]
}

/** Hears of a decision too, with what it was about. */
export function watchJudged(
  request: ClientRequest,
  tell: (judged: JudgedAuthentication) => void,
  clock: () => number
): DecisionWatch {
  return watchBeside(request.watch, decision => tell(judgedOf(decision, request, clock())))
}

/**
 * A function that asks a listener whether it wants the next record. One that cannot say gets it, and whoever wrote it
 * is warned.
 */
export function wantsOf(listener: JudgedListener | undefined): () => boolean {
  const wants = listener?.wants
  if (wants === undefined) return () => listener !== undefined
  return () => {
    try {
      return wants()
    } catch (error) {
      warnOnce(wants, `onJudged.wants threw, and will again: ${messageOf(error)}`)
      return true
    }
  }
}

function judgedOf(decision: Decision, request: ClientRequest, at: number): JudgedAuthentication {
  const { trace_id, endpoint, client_id, mechanism, method, credential, outcome, checks } = decision
  const presented = factsOf(decision, request)
  // written out: a copy with members added costs more than all the rest
  return {
    at,
    trace_id,
    endpoint,
    outcome,
    checks,
    presented,
    client_id,
    mechanism,
    method,
    credential
  }
}

function factsOf({ mechanism, checks }: Decision, request: ClientRequest): PresentedFacts | undefined {
  if (mechanism === 'assertion') {
    const { client_id } = request.parameters
    return { client_id: client_id && printable(client_id), assertion: assertionFacts(request) }
  }
  if (!checks.some(({ check }) => check === 'certificate')) return undefined
  return { certificate: certificateFacts(request) }
}

const keptClaims = ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf']

function assertionFacts(request: ClientRequest): AssertionFacts | undefined {
  const jws = decodeOnce(request)
  if (jws.outcome !== 'read') return undefined
  const { header, payload } = jws
  const claims: Record<string, unknown> = {}
  for (const name of keptClaims) if (payload[name] !== undefined) claims[name] = bounded(payload[name])
  const jti: unknown = payload['jti']
  return {
    alg: bounded(header['alg']),
    typ: bounded(header['typ']),
    kid: bounded(header['kid']),
    claims,
    jti_length: typeof jti === 'string' ? jti.length : undefined
  }
}

/** Values of claims that rules compare; of anything else that it was something else. */
function bounded(value: unknown): unknown {
  if (typeof value === 'number' || value === undefined) return value
  if (typeof value === 'string') return printable(value)
  if (Array.isArray(value)) return value.slice(0, 10).map(one => (typeof one === 'string' ? printable(one) : null))
  return null
}

/** One connection's requests share a certificate. */
const known = new WeakMap<PresentedCertificate, CertificateFacts>()

function certificateFacts(request: ClientRequest): CertificateFacts | undefined {
  try {
    const presented = request.certificate()
    if (presented === undefined) return undefined
    const facts = known.get(presented) ?? readFacts(presented)
    known.set(presented, facts)
    return facts
  } catch {
    // one that cannot be read has nothing to be kept
    return undefined
  }
}

function readFacts(presented: PresentedCertificate): CertificateFacts {
  const { thumbprint, subject, sans, notBefore, notAfter, key } = parseCertificate(presented.der)
  const authorities = verifiedPath(presented.der) ?? presented.chain ?? []
  return {
    'x5t#S256': thumbprint,
    key: key && keyThumbprint(key),
    subject: formatDistinguishedName(subject),
    names: sans,
    not_before: notBefore / 1000,
    not_after: notAfter / 1000,
    authorities: authorities.slice(0, 4).map(der => Buffer.from(der).toString('base64'))
  }
}

/** A key of a kind that no JWK is for has none. */
function keyThumbprint(key: KeyObject): string | undefined {
  try {
    return jwkThumbprint(key.export({ format: 'jwk' }))
  } catch {
    return undefined
  }
}
