/** What clientele/client-auth returns is what each client library takes, by that library's own types. */
import type { AddClientAuthentication, OAuthClientProvider } from '@modelcontextprotocol/client'
import type { AddClientAuthentication as AddClientAuthenticationV1 } from '@modelcontextprotocol/sdk/client/auth.js'
import { federatedJwt, spiffeJwt, workloadGrant, type ClientAuthentication } from 'clientele/client-auth'
import type * as oauth from 'oauth4webapi'
import type * as client from 'openid-client'

declare global {
  // version 1 of the SDK is written against the types of the DOM
  type HeadersInit = ConstructorParameters<typeof Headers>[0]
}

declare const getIDToken: (audience: string) => Promise<string>

export const made: readonly ClientAuthentication[] = [
  federatedJwt({ file: '/var/run/secrets/tokens/as' }),
  federatedJwt({ get: issuer => getIDToken(issuer), issuer: 'https://as.example', client_id: 'deployer' }),
  spiffeJwt({ get: () => 'a.b.c' }),
  workloadGrant({ file: '/var/run/secrets/tokens/as', issuer: 'https://as.example' })
]

declare const auth: ClientAuthentication

// eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
export const asOpenidClient: client.ClientAuth = auth
export const asOauth4webapi: oauth.ClientAuth = auth
export const asMcp: AddClientAuthentication = auth
export const asMcpV1: AddClientAuthenticationV1 = auth
export const asProvider: Pick<OAuthClientProvider, 'addClientAuthentication'> = { addClientAuthentication: auth }

// @ts-expect-error -- a grant has no client_id
workloadGrant({ file: '/token', client_id: 'deployer' })
// @ts-expect-error -- a path, not a list of them
federatedJwt({ file: ['/token'] })
