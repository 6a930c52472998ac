/** The demo API: a resource server in one route, for every resource of the issuer. */
import type { RequestHandler } from 'express'
import type { AuthorizationServer } from 'clientele'

/**
 * Says whose token it was, which client holds it and what it is good for. The answer goes to the client: the person is
 * whom it knows them as.
 *
 * @param contentDigest whether a DPoP proof must have the digest of what it came with, which here is nothing.
 */
export function whoami(server: AuthorizationServer, contentDigest: boolean): RequestHandler[] {
  return [
    (_req, res, next) => {
      res.set('Cache-Control', 'no-store')
      next()
    },
    server.requireAccessToken({ interactionId: true, contentDigest }),
    (req, res) => {
      const { sub, pairwise_sub = sub, client_id, scope = [] } = req.accessToken ?? {}
      res.json({ sub: pairwise_sub, client_id, scope: scope.join(' ') })
    }
  ]
}
