/**
 * What the demo's own parties publish, at addresses of this server: the platform's discovery document and keys, the
 * bundle of the trust domain, and the documents of two clients that describe themselves.
 */
import { Router } from 'express'
import type { DemoMaterial } from './material.ts'
import { bundleOf, publicPart } from './workloads.ts'

/** Addresses of the clients' documents, which are their client_ids: https, as they have to be. */
interface DocumentClients {
  /** An application that signs people in. */
  readonly app: string
  /** A machine with a key. */
  readonly machine: string
}

/** @param origin of the HTTPS listener; `base`: the path the issuer is mounted at. */
export function documentClients(origin: string, base: string): DocumentClients {
  return { app: `${origin}${base}/demo/app.json`, machine: `${origin}${base}/demo/machine.json` }
}

/** Serves them below `/demo`. They are for everybody, and set no cookie. */
export function demoDocuments(material: DemoMaterial, clients: DocumentClients | undefined): Router {
  const { issuer, platform, jwk } = material
  const scope = 'openid profile offline_access api:read'
  const documents: Readonly<Record<string, object>> = {
    '/platform/.well-known/openid-configuration': {
      issuer: platform.issuer,
      jwks_uri: `${platform.issuer}/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256']
    },
    '/platform/jwks': { keys: [publicPart(platform.jwk)] },
    '/spiffe/bundle': bundleOf(material),
    ...(clients && {
      '/app.json': {
        client_id: clients.app,
        client_name: 'Demo App with a Document',
        redirect_uris: [`${issuer}/demo/callback`],
        scope
      },
      '/machine.json': {
        client_id: clients.machine,
        client_name: 'Demo Machine with a Document',
        token_endpoint_auth_method: 'private_key_jwt',
        grant_types: ['client_credentials'],
        response_types: [],
        jwks: { keys: [publicPart(jwk)] },
        scope: 'api:read'
      }
    })
  }
  const router = Router({ caseSensitive: true })
  for (const [path, document] of Object.entries(documents)) router.get(path, (_req, res) => void res.json(document))
  return router
}
