/** As much of the other servers as the journeys between them and this library need. */

declare module 'oauth2orize' {
  type Done = (error: Error | null, ...results: unknown[]) => void
  interface Server {
    grant(grant: unknown): void
    exchange(exchange: unknown): void
    authorization(...steps: ((...given: never[]) => void)[]): import('express').RequestHandler
    token(): import('express').RequestHandler
    errorHandler(): import('express').ErrorRequestHandler
  }
  const oauth2orize: {
    createServer(): Server
    readonly grant: {
      code(issue: (client: unknown, redirectUri: string, user: unknown, response: unknown, done: Done) => void): unknown
    }
    readonly exchange: {
      code(issue: (client: unknown, code: string, redirectUri: string, done: Done) => void): unknown
      clientCredentials(issue: (client: unknown, scope: unknown, done: Done) => void): unknown
    }
  }
  export default oauth2orize
}

declare module 'oidc-provider' {
  import type { Request, RequestHandler, Response } from 'express'

  interface Grant {
    addOIDCScope(scope: string): void
    save(): Promise<string>
  }
  export default class Provider {
    constructor(issuer: string, configuration: object)
    readonly Grant: new (of: { readonly accountId: string; readonly clientId: string }) => Grant
    interactionDetails(req: Request, res: Response): Promise<{ readonly prompt: { readonly name: string } }>
    interactionFinished(req: Request, res: Response, result: object): Promise<void>
    callback(): RequestHandler
  }
}
