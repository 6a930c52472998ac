/** The OpenID providers people sign in at in these specs, each in a process of its own, and what a person does on their pages. */
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { UpstreamOptions } from 'clientele/sign-in'
import { Browser, type PageSeen } from '../example-app/browser.ts'
import { freePort, startServer, stop } from '../example-app/running-server.ts'
import { alice } from '../example-app/visit.ts'
import { startOpenidProvider } from '../support/servers/openid-provider.ts'

export interface Running {
  readonly issuer: string
  /** By secret, and by key. */
  readonly bySecret: UpstreamOptions
  readonly byKey: UpstreamOptions
  /** The names of who signs in there: by their sub, and as they are called. */
  readonly sub: string
  readonly name: string
  /** Fills in one page there. */
  fill(browser: Browser, page: PageSeen): Promise<PageSeen>
  stop(): Promise<unknown>
}

const secret = 'upstream-secret-of-some-length'

async function keyPair(): Promise<{ readonly key: JWK; readonly jwks: { readonly keys: readonly JWK[] } }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const more = { alg: 'ES256', kid: 'upstream-1' }
  return {
    key: { ...(await exportJWK(privateKey)), ...more },
    jwks: { keys: [{ ...(await exportJWK(publicKey)), ...more, use: 'sig' }] }
  }
}

const clientsOf = (redirect_uris: readonly string[], jwks: object) => {
  const rest = { redirect_uris, grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] }
  return [
    { client_id: 'by-secret', client_secret: secret, ...rest },
    {
      client_id: 'by-key',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks,
      ...rest
    }
  ]
}

const optionsOf = (issuer: string, key: JWK) => ({
  bySecret: { issuer, client_id: 'by-secret', client_secret: secret },
  byKey: { issuer, client_id: 'by-key', keys: [key] }
})

/** The example app. */
export async function exampleApp(redirect_uris: readonly string[]): Promise<Running> {
  const issuer = `http://localhost:${await freePort()}`
  const { key, jwks } = await keyPair()
  const server = await startServer({
    issuer,
    clients: clientsOf(redirect_uris, jwks),
    accounts: [{ sub: 'u-alice', ...alice, claims: { name: 'Alice', email: 'alice@example.com' } }]
  })
  return {
    ...optionsOf(issuer, key),
    issuer,
    sub: 'u-alice',
    name: 'Alice',
    fill: (browser, page) => browser.submit(page, page.url.includes('/login') ? alice : { decision: 'allow' }),
    stop: () => stop(server)
  }
}

/** oidc-provider. */
export async function oidcProvider(redirect_uris: readonly string[]): Promise<Running> {
  const { key, jwks } = await keyPair()
  const provider = await startOpenidProvider(clientsOf(redirect_uris, jwks))
  return { ...optionsOf(provider.issuer, key), ...provider, sub: 'gardener', name: 'The gardener' }
}
