/**
 * A candidate configuration beside the live one: judges a share of its requests again once they were answered, and
 * tells of those that would have ended otherwise.
 */
import type { Request, Response } from 'express'
import { askForCertificate, type CertificateSource } from '../../certificates/source.ts'
import type { ClientRequest, FurtherProof } from '../../client-request.ts'
import type { Decision } from '../../decisions/decision.ts'
import { OAuthError } from '../../errors.ts'
import type { EventSource } from '../../events/event-source.ts'
import { measureSameTrial } from '../../events/telemetry.ts'
import { harmless } from '../../listeners.ts'
import { ConfigurationError } from '../../options.ts'
import { printable } from '../../printable.ts'
import type { ClientAuthenticationStrategy } from '../../strategies/strategy.ts'
import { watchBeside } from '../watch.ts'
import { deciding, differenceOf, type ShadowDifference } from './difference.ts'
import { defaultSample } from './options.ts'
import { trialQueue } from './queue.ts'
import { trialOf, type Judges } from './trial.ts'
import { trialUses, trialView } from './view.ts'

/** A candidate, ready to judge. */
interface Candidate extends Judges {
  /** Its source of certificates; undefined: that of the live configuration. */
  readonly certificateSource: CertificateSource | undefined
  /** What it asks of clients beside who they are. */
  readonly further: FurtherProof | undefined
}

/** Where and how a candidate is tried. */
interface ShadowSetting {
  readonly sample: number | undefined
  readonly onDifference: ((difference: ShadowDifference) => void) | undefined
  readonly candidate: Candidate
  /** Everything mounted in the live configuration. */
  readonly mounted: readonly ClientAuthenticationStrategy[]
  readonly events: EventSource
}

/** Watches one request that is about to be judged. */
type WatchRequest = (req: Request, res: Response, request: ClientRequest) => void

/** The shadow of a server: its endpoints share what bounds it. */
export interface Shadow {
  /** Watches the requests of an endpoint that accepts these strategies. */
  at(accepted: readonly ClientAuthenticationStrategy[]): WatchRequest
}

/** Milliseconds after which a request is tried although its answer still goes on: what it proves grows old. */
const longestWait = 1000

/**
 * Undefined where no request is to be tried.
 *
 * @throws ConfigurationError for a strategy that can only judge a request of its own.
 */
export function shadowOf(setting: ShadowSetting): Shadow | undefined {
  const { sample = defaultSample, candidate, mounted } = setting
  candidate.strategies.forEach(({ name, needsOnlyClientRequest }) => {
    if (needsOnlyClientRequest === true) return
    throw new ConfigurationError(
      'shadow',
      `must be left out beside the strategy ${name}, which needs the HTTP request itself (needsOnlyClientRequest)`
    )
  })
  if (sample === 0) return undefined
  const queue = trialQueue()
  const uses = trialUses()
  const report = reporter(setting)
  return {
    at(accepted) {
      const judge = trialOf({ ...candidate, strategies: triedAt(accepted, mounted, candidate.strategies) })
      return (req, res, request) => {
        if (Math.random() >= sample) return
        const ended = watchDecision(request)
        const certificate = certificateFor(req, request, candidate)
        afterAnswer(res, () => {
          const live = ended()
          if (live === undefined || !isComparable(live)) return
          const trial = { view: (store: Parameters<typeof trialView>[0]) => trialView(store, live, uses) }
          const tried = triedRequest(request, certificate, { trial, further: candidate.further })
          queue(() => judge(tried), report(live))
        })
      }
    }
  }
}

/** The candidate's own methods, but for those that this endpoint does not accept. */
function triedAt(
  accepted: readonly ClientAuthenticationStrategy[],
  mounted: readonly ClientAuthenticationStrategy[],
  strategies: readonly ClientAuthenticationStrategy[]
): readonly ClientAuthenticationStrategy[] {
  const isIn = (list: readonly ClientAuthenticationStrategy[], name: string) => list.some(one => one.name === name)
  const takesPublic = accepted.some(strategy => strategy.public === true)
  return strategies.filter(one => (isIn(mounted, one.name) ? isIn(accepted, one.name) : takesPublic || one.public !== true))
}

/** Hears the decision too, whoever else does. */
function watchDecision(request: ClientRequest): () => Decision | undefined {
  let live: Decision | undefined
  request.watch = watchBeside(request.watch, decision => {
    live = decision
  })
  return () => live
}

type Certificate = Pick<ClientRequest, 'certificate' | 'certificateNote'>

/** Asked for now: once the answer is sent, the connection may be gone. */
function certificateFor(req: Request, request: ClientRequest, { certificateSource }: Candidate): Certificate {
  if (certificateSource !== undefined) {
    const found = askForCertificate(req, certificateSource)
    return {
      certificate: () => {
        if (found instanceof OAuthError) throw found
        return found.certificate
      },
      certificateNote: () => (found instanceof OAuthError ? undefined : found.note)
    }
  }
  const { certificate } = request
  // what else a source looks at, the request keeps
  if ('getPeerX509Certificate' in req.socket) {
    try {
      certificate()
    } catch {
      // the live configuration meets it too, if it asks
    }
  }
  return request
}

/** Calls back once the answer has been sent, or its connection is gone; after a second in any case. */
function afterAnswer(res: Response, begin: () => void): void {
  let begun = false
  const once = (): void => {
    clearTimeout(timer)
    if (begun) return
    begun = true
    begin()
  }
  const timer = setTimeout(once, longestWait).unref()
  res.once('close', once)
}

/** A request that was refused unjudged, for guessing, says nothing of what would come of it. */
function isComparable({ checks }: Decision): boolean {
  return checks.every(({ check, outcome }) => check !== 'failure_budget' || outcome !== 'fail')
}

/**
 * Makes a request as it was read, with nothing of what was found out about it. Written out: a copy with members added
 * costs more.
 */
function triedRequest(
  { endpoint, headers, parameters, traceId, addresses, guess }: ClientRequest,
  { certificate, certificateNote }: Certificate,
  { trial, further }: Pick<ClientRequest, 'trial' | 'further'>
): ClientRequest {
  const request = { endpoint, headers, parameters, addresses, guess, certificate, trial, further }
  if (traceId === undefined && certificateNote === undefined) return request
  return Object.assign(request, traceId && { traceId }, certificateNote && { certificateNote })
}

/** Tells of a trial that ended, or did not. */
function reporter({ events, onDifference }: ShadowSetting) {
  const differs = harmless('shadow.onDifference', onDifference)
  return (live: Decision) => {
    const { trace_id, endpoint, client_id } = live
    return {
      judged(candidate: Decision): void {
        const difference = differenceOf(live, candidate)
        if (difference === undefined) {
          measureSameTrial()
          return
        }
        const { effect } = difference
        const { check, expected, received } = deciding(effect === 'would_be_let_in' ? live : candidate) ?? {}
        const about = { trace_id, endpoint, client_id, method: candidate.method ?? live.method, effect }
        events.emit?.({ type: 'shadow.differed', ...about, check, expected, received, live, candidate })
        differs?.(difference)
      },
      failed(outcome: 'failed' | 'timed_out' | 'skipped', error?: unknown): void {
        const reason = error instanceof Error ? printable(reasonOf(error)) : undefined
        events.emit?.({ type: 'shadow.unjudged', trace_id, endpoint, client_id, outcome, reason })
      }
    }
  }
}

function reasonOf(error: Error): string {
  return error instanceof OAuthError ? (error.reason ?? error.message) : error.message
}
