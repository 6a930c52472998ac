/** The demo's part of its issuer: what its own parties publish, its pages, and the playground. */
import { Router } from 'express'
import type { AuthorizationServer } from 'clientele'
import type { KeptDecisions } from '../decisions/kept.ts'
import { playgroundRoutes } from '../playground/routes.ts'
import type { Demo } from './demo.ts'
import { demoDocuments, documentClients } from './documents.ts'
import { demoPages } from './browser-app.ts'
import { televisionPages } from './television.ts'

interface DemoSiteOptions extends Pick<Demo, 'material' | 'playground'> {
  readonly issuer: string
  /** Where the issuer is mounted. */
  readonly base: string
  /** The origin of the listener that takes client certificates. */
  readonly mtlsOrigin: string | undefined
}

/** What is for everybody, and for programs: it needs no session. */
export function demoPublications({ base, material, mtlsOrigin }: DemoSiteOptions): Router {
  const router = Router({ caseSensitive: true })
  return router.use(
    `${base}/demo`,
    demoDocuments(material, mtlsOrigin === undefined ? undefined : documentClients(mtlsOrigin, base))
  )
}

/** The pages of the demo and its playground. */
export function demoSite(
  options: DemoSiteOptions,
  { server, kept }: { readonly server: AuthorizationServer; readonly kept: KeptDecisions }
): Router {
  const { issuer, base, material, playground, mtlsOrigin } = options
  const app = mtlsOrigin === undefined ? undefined : documentClients(mtlsOrigin, base).app
  const router = Router({ caseSensitive: true })
  if (playground) router.use(`${base}/playground`, playgroundRoutes({ issuer, server, kept, material, mtlsOrigin }))
  return router.use(`${base}/demo`, demoPages({ issuer, base, app }), televisionPages(issuer, base))
}
