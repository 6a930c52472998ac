/** The server's public keys (RFC 7517 §5), for whoever verifies what it signed. */
import type { RequestHandler } from 'express'
import { sendPublicDocument } from '../http/public-document.ts'
import type { Endpoint, EndpointContext } from './endpoint.ts'

/** Answers with the keys of the moment: what will sign, what signs, and what signed tokens that still live. */
export function jwksEndpoint({ server }: Pick<EndpointContext, 'server'>): Endpoint {
  const handler: RequestHandler = (req, res, next) => sendPublicDocument(req, res, next, server.keys.publicKeys())
  return { member: 'jwks_uri', caller: 'anyone', handler }
}
