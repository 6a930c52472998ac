/** A token server without HTTP around it, for the specs of what it mints. */
import { memoryStore, type Client, type TokenOptions, type TokenServer } from '../../lib/index.ts'
import { toClient } from '../../lib/clients/client.ts'
import type { Grant } from '../../lib/tokens/grant.ts'
import { respond } from '../../lib/tokens/token-response.ts'
import { readOptions } from '../../lib/options.ts'
import { tokenChecks, tokenServer } from '../../lib/tokens/token-server.ts'
import { api, files, issuer, specKeys } from '../support/servers/authorization-server.ts'

export interface TokenHarness {
  readonly server: TokenServer
  /** Milliseconds since the epoch. */
  readonly clock: { now: number }
}

export async function tokens(options: Partial<TokenOptions> = {}): Promise<TokenHarness> {
  const clock = { now: 1_800_000_000_500 }
  const server = tokenServer(
    readOptions(
      {
        issuer,
        keys: await specKeys(),
        store: memoryStore({ clock: () => clock.now }),
        clock: () => clock.now,
        scopes: ['openid'],
        defaultResource: 'none',
        resources: [
          { resource: api, scopes: ['read'] },
          { resource: files, scopes: ['files'], accessTokenFormat: 'opaque', accessTokenTtl: 120 }
        ],
        ...options
      },
      tokenChecks
    ),
    respond
  )
  return { server, clock }
}

export const web: Client = toClient({ client_id: 'web', client_secret: 'secret of web' })
export const spa: Client = toClient({ client_id: 'spa', token_endpoint_auth_method: 'none' })

/** Alice's grant to `web`, with everything a grant can say. */
export const grant: Grant = {
  id: 'AAAAAAAAAAAAAAAAAAAAAA',
  client_id: 'web',
  sub: 'alice',
  scope: ['openid', 'read', 'files'],
  resources: [],
  auth_time: 1_799_999_000,
  acr: 'urn:acr:1',
  amr: ['pwd'],
  nonce: 'n-0S6'
}
