/** An authorization server for backchannel authentication, and what a client and its person do there. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Express, Request } from 'express'
import {
  authorizationCode,
  ciba,
  clientCredentials,
  refreshToken,
  type AuthorizationServerOptions,
  type BackchannelAuthenticationOptions,
  type ClientMetadata,
  type PersonHint
} from '../../../lib/index.ts'
import { clients, harness, token, type Form, type Harness } from './authorization-server.ts'

export const grant_type = 'urn:openid:params:grant-type:ciba'
export const account = { sub: 'alice', auth_time: 1_799_999_000, acr: 'urn:acr:1', amr: ['pwd'] }
export const client_notification_token = 'a-notification-token-of-the-client-s-own'

/** Where a decision comes from matters to `onError` alone. */
export const page = {} as unknown as Request

/** Every confidential client but `narrow` and `codes-only`, with the grant; and some that have it in their own way. */
export function askers(...more: readonly ClientMetadata[]): readonly ClientMetadata[] {
  const known = clients.map(client =>
    ['narrow', 'codes-only'].includes(client.client_id) || client.token_endpoint_auth_method === 'none'
      ? client
      : { ...client, grant_types: [...(client.grant_types ?? []), grant_type] }
  )
  return [...known, ...more.map(asker)]
}

function asker(client: ClientMetadata): ClientMetadata {
  const { client_id } = client
  return { client_secret: `secret of ${client_id}`, grant_types: [grant_type, 'refresh_token'], response_types: [], ...client }
}

export const pinged = (endpoint = 'https://client.example.com/ciba', mode = 'ping'): ClientMetadata => ({
  client_id: mode === 'ping' ? 'pinged' : 'pushed',
  backchannel_token_delivery_mode: mode,
  backchannel_client_notification_endpoint: endpoint
})

export interface Asking extends Harness {
  /** Whom the application was asked to identify. */
  readonly hints: PersonHint[]
}

/** A server at which people are known by their `sub` with `@example.com` behind it, and by `token of <sub>`. */
export async function backchannelServer(
  change: Partial<BackchannelAuthenticationOptions> = {},
  options: Partial<AuthorizationServerOptions> = {}
): Promise<Asking> {
  const hints: PersonHint[] = []
  const people = ['alice', 'bob']
  const known = (sub: string) => (people.includes(sub) ? sub : undefined)
  const backchannelAuthentication: BackchannelAuthenticationOptions = {
    identify(hint) {
      hints.push(hint)
      if ('login_hint' in hint) return known(hint.login_hint.replace('@example.com', ''))
      return known('sub' in hint ? hint.sub : hint.login_hint_token.replace('token of ', ''))
    },
    ...change
  }
  const h = await harness({
    clients: askers(),
    tokenIssuers: [authorizationCode(), clientCredentials(), refreshToken(), ciba()],
    backchannelAuthentication,
    ...options
  })
  return { ...h, hints }
}

export const good: Form = { scope: 'openid api:read', login_hint: 'alice@example.com' }

export const ask = (app: Express, form: Form | string = good, client_id = 'web') =>
  token(app, client_id, form, '/oauth2/bc-authorize')

export interface Answer {
  readonly auth_req_id: string
  readonly expires_in: number
  readonly interval?: number
}

export async function asked(app: Express, form: Form = good, client_id = 'web'): Promise<Answer> {
  const response = await ask(app, form, client_id)
  if (response.status !== 200) throw new Error(`no auth_req_id: ${response.text}`)
  return response.body as Answer
}

export const poll = (app: Express, auth_req_id: string, client_id = 'web', more: Form = {}) =>
  token(app, client_id, { grant_type, auth_req_id, ...more })

/** The id of the one request that waits for a person. */
export async function waiting({ server }: Harness): Promise<string> {
  const [first, ...others] = await server.backchannel.pending({ sub: 'alice' })
  if (first === undefined || others.length > 0) throw new Error('there is not exactly one request')
  return first.id
}

interface Notified {
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Record<string, string>
}

export interface NotificationEndpoint {
  readonly url: string
  readonly heard: Notified[]
  /** The statuses to answer with, in order; 204 once there are none left. */
  readonly statuses: number[]
  /** Resolves once it has heard so many. */
  until(count: number): Promise<readonly Notified[]>
  close(): Promise<void>
}

/** A client's notification endpoint, on this machine. */
export async function notificationEndpoint(): Promise<NotificationEndpoint> {
  const heard: Notified[] = []
  const statuses: number[] = []
  const waiters: (() => void)[] = []
  const server: Server = createServer((req, res) => {
    void json(req).then(body => {
      heard.push({ url: req.url, headers: req.headers, body: body as Record<string, string> })
      const status = statuses.shift() ?? 204
      res.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end()
      for (const wake of waiters.splice(0)) wake()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ciba`,
    heard,
    statuses,
    async until(count) {
      while (heard.length < count) await new Promise<void>(resolve => waiters.push(resolve))
      return heard
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
