/** The outcome of one token request, told as an event and a span; nothing is looked at where nobody listens. */
import type { Request } from 'express'
import type { Client } from '../clients/client.ts'
import { toOAuthError } from '../http/error-handler.ts'
import { beginOperation, isMeasuring, measureTokenRequest, type Operation } from '../events/telemetry.ts'
import { traceIdOf } from '../http/trace.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/** Watches a token request from before its client is authenticated; undefined where nobody listens. */
export function watchTokenRequest(server: TokenServer, req: Request): WatchedTokenRequest | undefined {
  const operation = beginOperation('token', req)
  if (operation === undefined && server.emit === undefined && !isMeasuring()) return undefined
  return new WatchedTokenRequest(server, req, operation)
}

export class WatchedTokenRequest {
  private readonly begun = performance.now()
  private readonly server: TokenServer
  private readonly req: Request
  private readonly operation: Operation | undefined
  private client: Client | undefined
  private grant_type: string | undefined

  constructor(server: TokenServer, req: Request, operation: Operation | undefined) {
    this.server = server
    this.req = req
    this.operation = operation
  }

  run<T>(work: () => T): T {
    return this.operation === undefined ? work() : this.operation.run(work)
  }

  /**
   * The client is authenticated. @param grant_type one that this server has; undefined where the request names none.
   */
  authenticated(client: Client, grant_type: string | undefined): void {
    this.client = client
    this.grant_type = grant_type
  }

  /** The tokens were made; that they were is told where they are. */
  issued(): void {
    this.end('issued')
  }

  refused(thrown: unknown): void {
    const { error, reason } = toOAuthError(thrown)
    const { client, grant_type } = this
    // a client that was not authenticated asked for nothing yet
    if (client !== undefined) {
      const { client_id } = client
      const trace_id = traceIdOf(this.req)
      this.server.emit?.({ type: 'token.refused', trace_id, endpoint: 'token', client_id, grant_type, error, reason })
    }
    this.end('refused', error)
  }

  private end(outcome: 'issued' | 'refused', error?: string): void {
    const { client, grant_type } = this
    if (client !== undefined) measureTokenRequest(performance.now() - this.begun, grant_type, error)
    this.operation?.end({ client_id: client?.client_id, grant_type, outcome }, error)
  }
}
