/**
 * Why a request was refused, on stderr, one line for each: while an application is developed, and wherever `DEBUG` asks
 * for it.
 */
import type { Request } from 'express'
import { isCheckName } from '../decisions/decision.ts'
import { RequestAbortedError, TemporarilyUnavailableError, TooManyAttemptsError, type OAuthError } from '../errors.ts'
import { printable } from '../printable.ts'
import type { ErrorPage } from './development-errors.ts'
import { pathOf } from './request-target.ts'

/** Whoever is told of what happens, and how refusals are explained. */
export interface Listening {
  readonly onDecision?: unknown
  readonly onEvent?: unknown
  readonly onError?: unknown
  readonly errorPages: ErrorPage
}

/** Writes the line of one refusal. */
type RefusalLog = (error: OAuthError, req: Request) => void

/** Lines written in one window of so many milliseconds; of those beyond it only their number is told. */
const most = 20
const window = 10_000
const longest = 2000

/** Errors that clients hear as a matter of course, and those that a person decided. */
const ordinary: ReadonlySet<string> = new Set([
  'authorization_pending',
  'slow_down',
  'use_dpop_nonce',
  'access_denied',
  'login_required',
  'consent_required',
  'interaction_required'
])

/** Whether `DEBUG` names this package, as the package debug reads it. */
function isDebugged(): boolean {
  return /(?:^|[\s,])(?:\*|clientele(?::\*)?)(?:$|[\s,])/.test(process.env['DEBUG'] ?? '')
}

/** Whether this is an application under development that nobody listens to yet. */
function isUnheard({ onDecision, onEvent, onError }: Listening): boolean {
  const { NODE_ENV } = process.env
  if (NODE_ENV === 'production' || NODE_ENV === 'test') return false
  return onDecision === undefined && onEvent === undefined && onError === undefined
}

/** The log; undefined where nobody wants one. What it may need of the environment is looked at now. */
export function refusalLog(listening: Listening): RefusalLog | undefined {
  if (!isDebugged() && !isUnheard(listening)) return undefined
  const write = limited(line => console.error(line))
  return (error, req) => {
    if (error instanceof RequestAbortedError || ordinary.has(error.error)) return
    write(`clientele: ${oneLine(describe(error, req, listening.errorPages))}`)
  }
}

function describe(error: OAuthError, req: Request, pageOf: ErrorPage): string {
  const { decision, status } = error
  const client_id = decision?.client_id ?? req.authenticatedClient?.client_id ?? clientNamedBy(req)
  const head = `${status} ${error.error}, ${req.method} ${pathOf(req)}${client_id === undefined ? '' : `, client ${quoted(client_id)}`}`
  const failed = decision?.checks.find(({ outcome }) => outcome === 'fail')
  const trace = decision === undefined ? '' : ` (trace ${decision.trace_id})`
  if (failed === undefined) return `${head}: ${error.message}${reasonOf(error)}${proxyHint(error, req)}`
  const { check, expected, received, fix } = failed
  const values = [
    ...(expected === undefined ? [] : [`expected ${quoted(expected)}`]),
    ...(received === undefined ? [] : [`received ${quoted(received)}`])
  ]
  const page = isCheckName(check) ? ` See ${pageOf(check)}` : ''
  const what = `the check ${check} failed${values.length === 0 ? '' : `: ${values.join(', ')}`}.`
  return `${head}: ${what}${fix === undefined ? '' : ` ${fix}`}${proxyHint(error, req)}${page}${trace}`
}

function reasonOf({ reason, message }: OAuthError): string {
  return reason === undefined || reason === message ? '' : ` (${reason})`
}

/** Finds the client that a request of a person's browser names in its query. */
function clientNamedBy(req: Request): string | undefined {
  const named = (req.query as Readonly<Record<string, unknown>> | undefined)?.['client_id']
  return typeof named === 'string' ? printable(named) : undefined
}

/** Hints that every caller counts as one where they come through a proxy that Express was not told of. */
function proxyHint(error: OAuthError, req: Request): string {
  const counts = error instanceof TooManyAttemptsError || error instanceof TemporarilyUnavailableError || error.status === 401
  if (!counts || req.headers['x-forwarded-for'] === undefined || req.app.get('trust proxy') !== false) return ''
  return " It came with X-Forwarded-For, and Express trusts no proxy: everybody behind the proxy counts as one network until app.set('trust proxy', …) says whose header is right."
}

function quoted(text: string): string {
  return JSON.stringify(text)
}

function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- matching control characters is the purpose
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}

/** A flood of refusals must not become a flood of lines. */
function limited(write: (line: string) => void): (line: string) => void {
  let begun = -Infinity
  let written = 0
  let withheld = 0
  return line => {
    const now = performance.now()
    if (now - begun >= window) {
      if (withheld > 0) write(`clientele: ${withheld} more refusals are not shown`)
      begun = now
      written = withheld = 0
    }
    if (written < most) write(line)
    else withheld++
    written++
  }
}
