/** The demo API: a resource server in one route. */
import { createHash } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { TLSSocket } from 'node:tls'
import type { AuthorizationServer } from 'clientele'

/** Says whose token it was, which client holds it and what it is good for (RFC 6750 §2.1: the header only). */
export function whoami(server: AuthorizationServer): RequestHandler {
  return async (req, res) => {
    res.set('Cache-Control', 'no-store')
    const credentials = req.get('authorization')
    const token = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(credentials ?? '')?.[1]
    const access = token === undefined ? undefined : await server.verifyAccessToken(token)
    if (access === undefined || !provesPossession(req, access.cnf)) {
      // RFC 6750 §3.1: no error code for a request that carried nothing to be wrong
      res.set(
        'WWW-Authenticate',
        credentials === undefined ? 'Bearer' : 'Bearer error="invalid_token", error_description="the access token is not valid"'
      )
      res.status(401).json({ error: 'invalid_token' })
      return
    }
    res.json({ sub: access.sub, client_id: access.client_id, scope: access.scope.join(' ') })
  }
}

/** A bound token is worth nothing without its certificate; tokens bound to a DPoP key are no bearer tokens at all. */
function provesPossession(
  req: Request,
  confirmation: { readonly 'x5t#S256'?: string; readonly jkt?: string } | undefined
): boolean {
  if (confirmation === undefined) return true
  const bound = confirmation['x5t#S256']
  if (confirmation.jkt !== undefined || bound === undefined || !(req.socket instanceof TLSSocket)) return false
  const certificate = req.socket.getPeerX509Certificate()
  return certificate !== undefined && createHash('sha256').update(certificate.raw).digest('base64url') === bound
}
