/** The Express application: the issuer and its tenants, side by side on the same listeners and the same store. */
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express'
import { traceIdOf, type Store } from 'clientele'
import { clientCertificates } from './client-certificates.ts'
import type { Config } from './config/config.ts'
import { importModule, type ImportModule } from './config/secret-hashes.ts'
import { HttpError } from './http-error.ts'
import { decisionKeeper } from './decisions/kept.ts'
import { issuerRoutes } from './issuer.ts'
import { accessLog, type Log } from './log.ts'
import { ownPage, securityHeaders, sendPage } from './views.ts'

interface AppOptions {
  readonly config: Config
  readonly store: Store
  readonly log: Log
  /** Runs the modules that the configuration names. */
  readonly load?: ImportModule
  /** Serves the built-in demo's pages too. */
  readonly demo?: boolean
  /**
   * The usernames of those who may see what clients prove themselves with. Default: nobody, and in the demo the first
   * person.
   */
  readonly operators?: readonly string[] | undefined
}

/** Builds the application. Addresses come from the configured issuer alone; the Host header is never read. */
export async function createApp({
  config,
  store,
  log,
  load = importModule,
  demo = false,
  operators
}: AppOptions): Promise<Express> {
  const { issuer, settings, tls } = config
  const app = express()
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing').set('query parser', 'simple')
  if (settings.trust_proxy.length > 0) app.set('trust proxy', settings.trust_proxy)
  const paths = ['', ...settings.tenants.map(({ path }) => path)].map(path => new URL(settings.issuer + path).pathname)
  app.use(accessLog(log, paths), securityHeaders(issuer))
  const mtlsOrigin = tls?.port === undefined ? undefined : originOf(issuer.hostname, tls.port)
  const certificate = clientCertificates(config, log)
  const certificates = certificate !== undefined || (tls !== undefined && tls.port === undefined)
  const shared = {
    showsPasswords: demo,
    store,
    log,
    load,
    keepDecision: decisionKeeper(store),
    mtlsOrigin,
    certificates,
    certificate,
    operators: operators ?? []
  }
  // what stands deeper in the tree first, so that no issuer answers for a tenant below it
  const tenants = settings.tenants.map((tenant, index) => ({ tenant, settingsPath: `tenants[${index}].` }))
  for (const { tenant, settingsPath } of tenants.toSorted((a, b) => b.tenant.path.length - a.tenant.path.length)) {
    app.use(await issuerRoutes({ ...shared, issuer: settings.issuer + tenant.path, settingsPath, settings: tenant }))
  }
  const root = { ...shared, operators: operators ?? (demo ? settings.accounts.slice(0, 1).map(({ username }) => username) : []) }
  app.use(
    await issuerRoutes({
      ...root,
      issuer: settings.issuer,
      settingsPath: '',
      settings,
      mcp: settings.mcp,
      demo: demo ? (await import('./demo/demo.ts')).demoOf(config) : undefined
    })
  )
  const base = baseFinder(
    settings.issuer,
    settings.tenants.map(({ path }) => path)
  )
  app.use(notFound(), errorPage(base, log))
  return app
}

function originOf(hostname: string, port: number): string {
  return new URL(`https://${hostname}:${port}`).origin
}

/** Finds the mount point of the issuer a request is for, so that its error page finds its stylesheet. */
function baseFinder(issuer: string, tenantPaths: readonly string[]): (req: Request) => string {
  const root = new URL(issuer).pathname.replace(/\/$/, '')
  const bases = tenantPaths.map(path => root + path).toSorted((a, b) => b.length - a.length)
  return req => bases.find(base => req.path === base || req.path.startsWith(`${base}/`)) ?? root
}

function notFound(): RequestHandler {
  return () => {
    throw new HttpError(404, 'There is nothing at this address.')
  }
}

/** Express tells an error handler by its four parameters. */
function errorPage(base: (req: Request) => string, log: Log): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) {
      next(error)
      return
    }
    const status = statusOf(error)
    const trace_id = traceIdOf(req)
    if (status >= 500) log.error({ err: error, trace_id }, 'a page failed')
    else log.debug({ trace_id, status, reason: reasonOf(error) }, 'a page refused')
    // whoever broke off their form reads no answer
    if (req.destroyed && !req.complete) return
    const page = {
      base: base(req),
      title: titles[status] ?? 'Something went wrong',
      message: messageOf(error, status),
      code: undefined,
      ways: (error instanceof HttpError ? error.ways : undefined) ?? [ownPage(base(req))]
    }
    sendPage(res, 'error', page, status)
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'That did not work',
  403: 'Not allowed',
  404: 'Not found',
  429: 'Too many attempts',
  503: 'Not available'
}

function statusOf(error: unknown): number {
  const status: unknown = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599 ? status : 500
}

/** Names the fault by a body parser's type, never its message, which quotes the body; or by an HttpError's message. */
function reasonOf(error: unknown): string | undefined {
  const type: unknown = typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined
  if (typeof type === 'string') return type
  return error instanceof HttpError ? error.message : undefined
}

function messageOf(error: unknown, status: number): string {
  if (error instanceof HttpError) return error.message
  return status >= 500 ? 'The server met an error. Try again in a moment.' : 'The request could not be understood.'
}
