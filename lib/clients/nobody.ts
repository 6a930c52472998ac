/** The client that stands in for one that is not there, so that the same steps are taken for it. */
import { randomBytes } from 'node:crypto'
import { toClient, type Client } from './client.ts'

/** A client whose secret nobody has. */
export const nobody: Client = toClient({
  client_id: 'nobody',
  client_secret: randomBytes(48).toString('base64url'),
  token_endpoint_auth_method: 'client_secret_jwt'
})
