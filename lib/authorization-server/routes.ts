/** Every path of one issuer, and what answers there. */
import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express'
import type { Endpoint, EndpointContext } from '../endpoints/endpoint.ts'
import { mountedEndpoints } from '../endpoints/index.ts'
import { buildMetadata } from '../endpoints/metadata.ts'
import { crossOrigin } from '../http/cross-origin.ts'
import { metadataPaths, type EndpointMember } from '../http/endpoint-paths.ts'
import { sendPublicDocument } from '../http/public-document.ts'
import { pathOf } from '../http/request-target.ts'
import type { Pages } from './developing.ts'

/** The endpoints that clients in browsers call themselves, with the methods they call them by. */
const scriptMethods: ReadonlyMap<EndpointMember, readonly string[]> = new Map<EndpointMember, readonly string[]>([
  ['token_endpoint', ['POST']],
  ['revocation_endpoint', ['POST']],
  ['challenge_endpoint', ['POST']],
  ['registration_endpoint', ['POST', 'GET', 'PUT', 'DELETE']]
])

interface Routed {
  readonly context: EndpointContext
  readonly mtlsOrigin: string | undefined
  /** The token endpoint. */
  readonly token: RequestHandler
  readonly pages: Pages
  /** Origins whose scripts may call. Default: every origin. */
  readonly origins: readonly string[] | undefined
  /** Answers what a handler throws or hands on. */
  readonly answerError: ErrorRequestHandler
}

/** Everything but the token endpoint, once there was a request for something else. */
interface Others {
  readonly exact: ReadonlyMap<string, RequestHandler>
  /** Those that answer one segment further down too. */
  readonly withItems: ReadonlyMap<string, RequestHandler>
  /** The paths at which clients authenticate. */
  readonly clientPaths: readonly string[]
}

/**
 * Looked up, not tried in turn. The token endpoint stands apart: most tenants are asked for tokens alone, and have
 * nothing made for what they are not asked for.
 */
export class Routes {
  private readonly routed: Routed
  private readonly tokenPath: string
  private readonly token: RequestHandler
  private others: Others | undefined

  /** @throws ConfigurationError where an endpoint is left no method to authenticate clients by. */
  constructor(routed: Routed) {
    this.routed = routed
    // made for what can be wrong with them alone, and let go
    mountedEndpoints(routed.context, routed.token)
    this.tokenPath = pathAt(routed.context, 'token_endpoint')
    this.token = forScripts('token_endpoint', routed.token, routed.origins)
  }

  /** Answers a request for one of the paths, and passes on every other. */
  answer(req: Request, res: Response, next: NextFunction): void {
    const path = pathOf(req)
    const route = path === this.tokenPath ? this.token : this.find(path)
    if (route === undefined) next()
    else void route(req, res, (error?: unknown) => void this.routed.answerError(error, req, res, next))
  }

  /** Handlers that need no Express around them: what they throw is answered like what they hand on. */
  standingAlone(): ReadonlyMap<string, RequestHandler> {
    const { exact, clientPaths } = (this.others ??= othersOf(this.routed, this.token))
    return new Map(
      clientPaths.flatMap(path => {
        const handler = exact.get(path)
        return handler === undefined ? [] : [[path, alone(handler, this.routed.answerError)] as const]
      })
    )
  }

  private find(path: string): RequestHandler | undefined {
    const { exact, withItems } = (this.others ??= othersOf(this.routed, this.token))
    return exact.get(path) ?? (withItems.size === 0 ? undefined : withItems.get(path.slice(0, path.lastIndexOf('/'))))
  }
}

function othersOf({ context, mtlsOrigin, token, pages, origins }: Routed, tokenRoute: RequestHandler): Others {
  const issuerPath = new URL(context.server.issuer).pathname.replace(/\/$/, '')
  const endpoints = mountedEndpoints(context, token)
  let built: object | undefined
  const metadata = (): object => (built ??= buildMetadata({ context, endpoints, mtlsOrigin }))
  const document: RequestHandler = (req, res, next) => sendPublicDocument(req, res, next, metadata())
  const routeOf = ({ member, handler }: Endpoint): [string, RequestHandler] => [
    pathAt(context, member),
    member === 'token_endpoint' ? tokenRoute : forScripts(member, handler, origins)
  ]
  return {
    exact: new Map([
      ...[...pages].map(([path, page]): [string, RequestHandler] => [issuerPath + path, page]),
      ...endpoints.map(routeOf),
      ...metadataPaths.flatMap((wellKnown): [string, RequestHandler][] => [
        [wellKnown + issuerPath, document],
        [issuerPath + wellKnown, document]
      ])
    ]),
    withItems: new Map(endpoints.filter(({ withItems }) => withItems === true).map(routeOf)),
    clientPaths: endpoints.filter(({ caller }) => caller === 'client').map(({ member }) => pathAt(context, member))
  }
}

function pathAt({ addressOf }: EndpointContext, member: EndpointMember): string {
  return new URL(addressOf(member)).pathname
}

/** Lets scripts call it, where they do. */
function forScripts(member: EndpointMember, handler: RequestHandler, origins: Routed['origins']): RequestHandler {
  const methods = scriptMethods.get(member)
  return methods === undefined ? handler : crossOrigin(handler, { methods, origins })
}

function alone(handler: RequestHandler, answerError: ErrorRequestHandler): RequestHandler {
  return (req, res, next) => {
    const failed = (error?: unknown): void => void answerError(error, req, res, next)
    try {
      void handler(req, res, failed)
    } catch (thrown) {
      failed(thrown)
    }
  }
}
