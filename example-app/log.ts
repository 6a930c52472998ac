/**
 * Logs: JSON lines on stdout. What may be written is decided here: no query string, header or body ever is, and of an
 * error only its kind, message and stack, because parsers hang the raw body on theirs.
 */
import type { Request, RequestHandler } from 'express'
import { pino, type Logger, type LoggerOptions } from 'pino'
import { OAuthError, TemporarilyUnavailableError, traceIdOf, type Decision, type ServerEvent } from 'clientele'
import { ConfigError } from './config/config-error.ts'

export type Log = Logger

const levels = ['silent', 'error', 'warn', 'info', 'debug'] as const

/** Takes what is told, a line at a time. */
export interface Output {
  write(line: string): void
}

/**
 * Tells on stdout where it is given no output. @throws {@link ConfigError} naming LOG_LEVEL when it is not one of the
 * five levels.
 */
export function createLog(given = '', output?: Output): Log {
  const level = given === '' ? 'info' : given
  if (!levels.some(known => known === level)) throw new ConfigError('LOG_LEVEL', `must be one of ${levels.join(', ')}`)
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
    serializers: { err: errorSummary }
  }
  return output === undefined ? pino(options) : pino(options, output)
}

/** Announces that the server answers: one line at every level, silent too, because supervisors wait for it. */
export function announceReady(log: Log, issuer: string, output: Output = process.stdout): void {
  if (log.isLevelEnabled('info')) log.info({ issuer }, 'ready')
  else output.write(`${JSON.stringify({ level: 'info', time: new Date().toISOString(), issuer, msg: 'ready' })}\n`)
}

/** Facts about a request that failed, found out while it was answered. */
interface Known {
  readonly error: string
  readonly client_id?: string | undefined
  readonly auth_method?: string | undefined
}

const known = new WeakMap<Request, Known>()

/**
 * One line per request, once it is answered: its trace, method, path without its query, status and time taken in
 * milliseconds; the client where it proved itself, or tried to, with its method; the OAuth error where it was refused.
 */
export function accessLog(log: Log, issuers: readonly string[] = []): RequestHandler {
  if (!log.isLevelEnabled('info')) return (_req, _res, next) => next()
  return (req, res, next) => {
    const begun = performance.now()
    // not the target as it came, which may have a host and user info in front and a query behind
    const path = withoutSecrets(req.path, issuers).slice(0, 256)
    res.once('close', () => {
      const ms = Math.round(performance.now() - begun)
      const line = { trace_id: traceIdOf(req), method: req.method, path, status: res.statusCode, ms, ...clientOf(req) }
      if (path.endsWith('/healthz') || path.endsWith('/readyz')) log.debug(line, 'request')
      else log.info(line, res.writableFinished ? 'request' : 'request aborted')
    })
    next()
  }
}

/** As codes and tokens are written here; in capitals and others, as chance makes them and hardly anybody else. */
const writtenTogether = /[\w.~%+=-]{20,}/g
const isMadeByChance = (text: string): boolean => /[a-z]/.test(text) && /[A-Z]/.test(text)

/**
 * Codes and tokens get into paths where somebody takes an address for another. Nothing here has them in its path; the
 * ids of clients that registered themselves, which are made the same way, are masked with them, and events name them.
 *
 * @param issuers paths of issuers, which are called what somebody called them.
 */
function withoutSecrets(path: string, issuers: readonly string[]): string {
  // the documents of an issuer with a path stand above it
  const [above = ''] = /^\/\.well-known\/[a-z-]+/.exec(path) ?? []
  const below = path.slice(above.length)
  const own = issuers.filter(one => below === one || below.startsWith(`${one}/`))
  const [issuer = ''] = own.toSorted((a, b) => b.length - a.length)
  return above + issuer + below.slice(issuer.length).replace(writtenTogether, text => (isMadeByChance(text) ? '…' : text))
}

function clientOf(req: Request): Partial<Known> {
  const failed = known.get(req)
  if (failed !== undefined) return failed
  const client = req.authenticatedClient
  return client === undefined ? {} : { client_id: client.client_id, auth_method: client.token_endpoint_auth_method }
}

/**
 * Writes what was decided about one client authentication; a use of a tolerated deviation is a warning with the
 * client_id.
 */
export function logDecision(log: Log, decision: Decision): void {
  const { trace_id, endpoint, client_id, mechanism, method, credential, outcome } = decision
  const checks = decision.checks.filter(check => check.outcome === 'fail' || check.outcome === 'report')
  const line = { trace_id, endpoint, client_id, mechanism, method, credential, outcome, checks }
  if (checks.some(check => check.outcome === 'report')) log.warn(line, 'client authentication tolerated')
  else if (outcome === 'refused') log.info(line, 'client authentication refused')
  else log.debug(line, 'client authenticated')
}

/** Events that an operator should look at even where nothing failed. */
const alarming: readonly ServerEvent['type'][] = [
  'code.reused',
  'refresh.reused',
  'assertion.replayed',
  'dpop.replayed',
  'guesses.exceeded',
  'credential.expiring',
  'credential.unused'
]

/**
 * Writes what happened: what may be an attack, or soon an outage, as a warning. What decisions and errors say already
 * is not said twice.
 */
export function logEvent(log: Log, event: ServerEvent): void {
  const { type } = event
  if (type.startsWith('authentication.') || type === 'token.refused') return
  if (alarming.includes(type)) log.warn(event, type)
  else if (event.type === 'token.issued') logIssued(log, event)
  else log.info(event, type)
}

/** A token is every day's; that none of several APIs takes it is what somebody will look for. */
function logIssued(log: Log, event: Extract<ServerEvent, { type: 'token.issued' }>): void {
  const { trace_id, client_id, scope, ambiguous_resources: resources } = event
  log.debug(event, event.type)
  if (resources === undefined) return
  const fix = 'send resource, or ask for the scope of one of them'
  log.warn({ trace_id, client_id, scope, resources, fix }, 'a token for no resource: its scope belongs to several')
}

/**
 * Writes why a request failed: a fault of ours, or of what we depend on, as an error; what a caller did wrong in debug
 * logs.
 */
export function logFailure(log: Log, error: unknown, req: Request, issuer: string): void {
  const about = { trace_id: traceIdOf(req), issuer }
  known.set(req, failureOf(error, req))
  if (error instanceof OAuthError && error.status < 500) {
    log.debug({ ...about, error: error.error, reason: error.reason ?? error.message }, 'request refused')
  } else if (isCallersFault(error)) {
    log.debug(about, 'request could not be read')
  } else if (error instanceof TemporarilyUnavailableError && error.cause === undefined) {
    // a state, and no fault: too much to do, or others that do not answer
    log.warn({ ...about, error: error.error, reason: error.reason ?? error.message }, 'request put off')
  } else {
    log.error({ err: error, ...about }, 'request failed')
  }
}

function failureOf(error: unknown, req: Request): Known {
  if (!(error instanceof OAuthError)) return { error: isCallersFault(error) ? 'invalid_request' : 'server_error' }
  const { client_id, method } = error.decision ?? {}
  const { authenticatedClient: client } = req
  const auth_method = method ?? client?.token_endpoint_auth_method
  return { error: error.error, client_id: client_id ?? client?.client_id, auth_method }
}

/** Body parsers and Express mark errors that are the caller's; their messages quote the body. */
function isCallersFault(error: unknown): boolean {
  return error instanceof Error && (error.name === 'URIError' || ('expose' in error && error.expose === true))
}

function errorSummary(error: unknown): object {
  if (!(error instanceof Error)) return { message: 'something that is no error was thrown' }
  const summary = { type: error.name, message: error.message, stack: error.stack }
  return error.cause instanceof Error ? { ...summary, cause: errorSummary(error.cause) } : summary
}
