/** What the documents' snippets take for granted: the application around them, and every export of the package where a snippet imports none. */
import type * as clientele from 'clientele'
import type { Request, RequestHandler, Response } from 'express'
import type { JWK } from 'jose'
import type { TLSSocketOptions } from 'node:tls'

declare global {
  namespace Express {
    interface Request {
      /** As express-session has it, whatever is in it. */
      // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each document puts into it what it needs
      session: any
      cookies: Readonly<Record<string, string>>
    }
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- databases and other parts of applications nobody wrote
  type Anything = any

  const app: import('express').Express
  const issuer: string
  const clients: readonly clientele.ClientMetadata[]
  const store: clientele.Store
  const keys: clientele.PrivateKeySet
  const interaction: clientele.Interaction
  /** What `…` stands for: the options that go without saying. */
  const options: clientele.AuthorizationServerOptions & { readonly interaction: clientele.Interaction }
  const server: clientele.AuthorizationServer
  const oauth: clientele.TokenRouter
  const strategies: readonly clientele.ClientAuthenticationStrategy[]
  const handler: RequestHandler
  const run: RequestHandler
  const checkYourCsrfToken: RequestHandler
  const consented: clientele.Interaction['consented']
  const prompt: clientele.Interaction['prompt']
  const clientsCa: string
  const nextAuthority: string
  const sendReport: RequestHandler
  const request: clientele.ClientRequest
  const digest: string
  const key: TLSSocketOptions['key'] & JWK & import('node:crypto').webcrypto.CryptoKey
  const cert: TLSSocketOptions['cert']
  const secret: string
  const sub: string
  const sid: string
  const req: Request
  const res: Response
  const database: Anything
  const auth: Anything
  const passport: import('passport').PassportStatic
  const BasicStrategy: typeof import('passport-http').BasicStrategy
  const accounts: Anything
  const people: Anything
  const attesters: clientele.AttestationOptions['attesters']
  const walletBackendKey: JWK
  const attestation: string
  const challenge: string
  const privateJwk: JWK & { readonly alg: string }
  const resource: string
  const scopes: Readonly<Record<string, string>>
  const required: readonly string[]
  const readFile: (path: string, encoding: 'utf8') => Promise<string>
  const it: {
    (what: string, run: () => unknown): void
    readonly each: <Case>(cases: readonly Case[]) => (what: string, run: (one: Case) => unknown) => void
  }
  const test: (what: string, run: () => unknown) => void
  const assert: (value: unknown) => void
  /** Sends a browser there; resolves to where it came back. */
  const signIn: (url: URL) => Promise<URL>
  const tokens: Anything
  const log: Anything
  const alarm: Anything
  const pushMessage: Anything
  const redeemVoucher: (voucher: string) => Promise<string | undefined>
  const isKeyOf: (client: clientele.Client, key: unknown) => Promise<boolean>
  const agreedTo: (...asked: unknown[]) => boolean
  const digestOf: (text: string) => string
  const proofOf: (text: string) => string
  const makeServer: Anything
  const ApiKeyStrategy: new (options: clientele.StrategyOptions) => clientele.MethodStrategy
  const client: typeof import('openid-client')
  const as: import('openid-client').Configuration
  const expect: Anything
  const myVoucherGrant: clientele.TokenIssuer
}
