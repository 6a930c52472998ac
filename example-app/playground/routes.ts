/**
 * The playground's server half: its files, what it needs to know of the demo, and what a page cannot do itself. Of the
 * demo alone.
 */
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import express, { Router, type Request, type RequestHandler, type Response } from 'express'
import type { AuthorizationServer } from 'clientele'
import type { KeptDecisions } from '../decisions/kept.ts'
import type { DemoMaterial } from '../demo/material.ts'
import { certificateKey } from '../demo/workloads.ts'
import { HttpError } from '../http-error.ts'
import { projectRoot } from '../views.ts'
import { certificateFor } from './certificates.ts'
import { playedClients, playedPod, playedSpiffeIds, playName } from './clients.ts'
import { sendWithCertificate } from './tls-client.ts'
import { attesterCertificate, issuerAssertion, voucher } from './trusted-parties.ts'

interface PlaygroundOptions {
  readonly issuer: string
  readonly server: AuthorizationServer
  readonly kept: KeptDecisions
  readonly material: DemoMaterial
  /** The origin of the listener that takes client certificates. */
  readonly mtlsOrigin: string | undefined
}

const folder = join(projectRoot, 'example-app', 'playground', 'page')
const errorPages = join(projectRoot, 'docs', 'errors')
/** The keys of pages that are remembered; the oldest makes room. */
const mostKeys = 50

/** Runs scripts of this server's own, and asks nobody else. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

/** `/playground` of the demo. */
export function playgroundRoutes(options: PlaygroundOptions): Router {
  const router = Router({ caseSensitive: true })
  const json = express.json({ limit: '32kb', strict: true })
  router.use((_req, res, next) => {
    res.set('Content-Security-Policy', policy)
    next()
  })
  router.get('/', withoutSlash, page('index.html'))
  router.get('/callback', page('callback.html'))
  router.get('/:file', files)
  router.get('/errors/:check', errorPage)
  router.get('/setup.json', (_req, res) => {
    res.set('Cache-Control', 'no-store').json(setupOf(options))
  })
  router.get('/decisions/:trace_id', async (req, res) => {
    const decisions = (await options.kept.recent()).filter(({ trace_id }) => trace_id === req.params.trace_id)
    res.set('Cache-Control', 'no-store').json(decisions)
  })
  keyRoutes(router, json, options)
  router.post('/certificates', json, (req, res) => {
    res.json({ cert: certificateFor(req.body, options.material) })
  })
  router.post('/assertions', json, (req, res) => {
    res.json({ assertion: issuerAssertion(req.body, options) })
  })
  router.post('/vouchers', json, (req, res) => {
    res.json({ jwt: voucher(req.body, options.material) })
  })
  router.post('/send', json, async (req, res) => {
    if (options.mtlsOrigin === undefined) throw new HttpError(404, 'There is no listener for certificates.')
    res.json(await sendWithCertificate(req.body, options.mtlsOrigin, options.material.ca))
  })
  return router
}

function page(file: string): RequestHandler {
  return (_req, res) => res.sendFile(file, { root: folder, headers: { 'Cache-Control': 'no-cache' } })
}

/** Leads from `…/playground/`, where what the page names beside itself would be one folder too deep. */
function withoutSlash(req: Request, res: Response, next: () => void): void {
  const { pathname, search } = new URL(req.originalUrl, 'http://localhost')
  if (pathname.endsWith('/')) res.redirect(301, pathname.slice(0, -1) + search)
  else next()
}

/** Scripts and styles by name; whatever else is below here has a route of its own. */
function files(req: Request, res: Response, next: () => void): void {
  const { file } = req.params
  if (typeof file !== 'string' || !/^[a-z-]+\.(?:js|css)$/.test(file)) next()
  else res.sendFile(file, { root: folder, headers: { 'Cache-Control': 'no-cache' } })
}

function errorPage(req: Request, res: Response): void {
  const { check } = req.params
  const file = typeof check === 'string' && /^[a-z_]+$/.test(check) ? join(errorPages, `${check}.md`) : undefined
  if (file === undefined || !existsSync(file)) throw new HttpError(404, 'There is no such check.')
  res.type('text/plain; charset=utf-8').send(readFileSync(file, 'utf8'))
}

function setupOf({ issuer, material }: PlaygroundOptions): object {
  const clients = Object.fromEntries(
    playedClients(material).map(({ client_id, token_endpoint_auth_method, client_secret }) => [
      token_endpoint_auth_method,
      { client_id, client_secret }
    ])
  )
  const { platform, spiffe } = material
  return {
    issuer,
    metadata: `${issuer}/.well-known/openid-configuration`,
    clients,
    attester: attesterCertificate(material),
    platform: { iss: platform.issuer, kid: platform.jwk['kid'], pod: playedPod },
    domain: { kid: spiffe.jwk['kid'], ids: playedSpiffeIds }
  }
}

/** The keys and certificates that pages made, at the address the demo's clients are registered with. */
function keyRoutes(router: Router, json: RequestHandler, { server }: PlaygroundOptions): void {
  const keys: object[] = []
  router.get('/jwks', (_req, res) => {
    res.set('Cache-Control', 'no-store').json({ keys })
  })
  router.post('/keys', json, async (req, res) => {
    keys.push(publicKeyIn(req.body))
    keys.splice(0, Math.max(0, keys.length - mostKeys))
    // what is kept of the address is older than this key
    await Promise.all(
      ['private_key_jwt', 'self_signed_tls_client_auth'].map(method => server.clientKeys.forget(playName(method)))
    )
    res.json({})
  })
}

function publicKeyIn(body: unknown): object {
  const { jwk, certificate } = (body ?? {}) as { readonly jwk?: unknown; readonly certificate?: unknown }
  try {
    if (typeof certificate === 'string') return certificateKey(certificate)
    const { kid } = jwk as { readonly kid?: unknown }
    if (typeof kid !== 'string' || kid.length > 64) throw new TypeError('no kid')
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    return { ...key.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
  } catch {
    throw new HttpError(400, 'This is neither a public key nor a certificate.')
  }
}
