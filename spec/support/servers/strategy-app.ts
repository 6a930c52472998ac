/** The Express application under test: the one place that mounts strategies, in each of the ways this library offers. */
import { expect } from '@jest/globals'
import express, { type Express, type RequestHandler } from 'express'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import passport from 'passport'
import request, { type Response, type Test } from 'supertest'
import { authenticateClient } from '../../../lib/authentication/authenticate-client.ts'
import type { ClientMetadata, ClientSource } from '../../../lib/clients/client.ts'
import type { Decision } from '../../../lib/decisions/decision.ts'
import { OAuthError } from '../../../lib/errors.ts'
import { oauthErrorHandler } from '../../../lib/http/error-handler.ts'
import type { ClientAuthenticationStrategy } from '../../../lib/strategies/strategy.ts'

/** How Passport is to run a strategy of this library. */
export const passportOptions = { session: false, assignProperty: 'authenticatedClient', authInfo: false }
export const issuer = 'https://as.example.com'
export const tokenEndpoint = 'https://as.example.com/oauth2/token'
/** Long enough for every HMAC hash. */
export const secret = 'a secret of sixty-four bytes, which is enough for every HMAC hash'
/** What every refused client is answered, byte by byte. */
export const refusal = '{"error":"invalid_client","error_description":"client authentication failed"}'
export const challenge = 'Basic realm="OAuth", charset="UTF-8"'

export interface StrategySetup {
  readonly clients: ClientSource
  readonly strategy: (options: {
    clients: ClientSource
    onDecision: (decision: Decision) => void
  }) => ClientAuthenticationStrategy
}

export interface AppUnderTest {
  readonly app: Express
  /** Told by `onDecision`, in order. */
  readonly decisions: Decision[]
  /** What reached the error handler, in order. */
  readonly errors: unknown[]
}

/** Puts a strategy into an application. */
export type Mount = (setup: StrategySetup) => AppUnderTest

/** An application whose every path runs the handlers, then answers the client's id, the person, and the scope the body names. */
export function appOf(handlers: readonly RequestHandler[], decisions: Decision[] = []): AppUnderTest {
  const errors: unknown[] = []
  const app = express()
  for (const handler of handlers) app.use(handler)
  // what no method read is the application's to read
  app.use(simple)
  app.use((req, res) => {
    const body = req.body as Record<string, unknown> | undefined
    res.json({ client_id: req.authenticatedClient?.client_id ?? null, user: req.user ?? null, scope: body?.['scope'] ?? null })
  })
  app.use(oauthErrorHandler({ onError: error => errors.push(error) }))
  return { app, decisions, errors }
}

/** `passport.authenticate(name)`, by name, between other middleware. */
export function withPassport(
  before: readonly RequestHandler[] = [],
  after: readonly RequestHandler[] = [],
  more: object = {}
): Mount {
  return ({ clients, strategy: make }) => {
    const decisions: Decision[] = []
    const strategy = make({ clients, onDecision: decision => decisions.push(decision) })
    const authenticator = new passport.Passport()
    authenticator.use(strategy)
    const authenticate = authenticator.authenticate(strategy.name, { ...passportOptions, ...more }) as RequestHandler
    return appOf([...before, authenticate, ...after], decisions)
  }
}

/** `authenticateClient({ clients, strategies })`, between other middleware. */
export function withMiddleware(before: readonly RequestHandler[] = [], after: readonly RequestHandler[] = []): Mount {
  return ({ clients, strategy }) => {
    const decisions: Decision[] = []
    const strategies = [strategy({ clients, onDecision: decision => decisions.push(decision) })]
    return appOf([...before, authenticateClient({ clients, strategies }), ...after], decisions)
  }
}

const simple = express.urlencoded({ extended: false })
const extended = express.urlencoded({ extended: true })

/** Every way to mount one strategy: both kinds of middleware, with the application's own body parsers before, after and around. */
export const mounts: readonly (readonly [string, Mount])[] = [
  ['passport.authenticate', withPassport()],
  ['passport.authenticate behind express.urlencoded', withPassport([simple])],
  ['passport.authenticate behind express.urlencoded and express.json', withPassport([extended, express.json()])],
  ['passport.authenticate between two express.urlencoded', withPassport([simple], [extended])],
  ['passport.authenticate before express.urlencoded', withPassport([], [extended, express.json()])],
  ['authenticateClient', withMiddleware()],
  ['authenticateClient behind express.urlencoded', withMiddleware([extended])],
  ['authenticateClient between two express.urlencoded', withMiddleware([simple], [simple])]
]

/** The two kinds of middleware, without and with a parser that makes lists and objects. */
export const bareMounts: readonly (readonly [string, Mount])[] = [
  ['passport.authenticate', withPassport()],
  ['authenticateClient', withMiddleware()]
]
export const extendedMounts: readonly (readonly [string, Mount])[] = [
  ['passport.authenticate behind express.urlencoded', withPassport([extended])],
  ['authenticateClient behind express.urlencoded', withMiddleware([extended])]
]

export type Form = string | Uint8Array | Readonly<Record<string, string | undefined>>

/** Encodes a form as any client would; undefined leaves a parameter out. */
export function encode(parameters: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return new URLSearchParams(pairs).toString()
}

/** POSTs a form: parameters to encode, or a body as it is. */
export function post(app: Express | Server | string, form: Form, headers: Readonly<Record<string, string>> = {}): Test {
  const body = typeof form === 'string' || form instanceof Uint8Array ? form : encode(form)
  const test = request(app).post('/').set('Content-Type', 'application/x-www-form-urlencoded').set(headers)
  return test.send(typeof body === 'string' ? body : Buffer.from(body))
}

/** The Basic header of an id and a secret, form-encoded by the URL standard's own encoder (RFC 6749 §2.3.1). */
export function basic(client_id: string, client_secret: string): { Authorization: string } {
  return rawBasic(`${formEncode(client_id)}:${formEncode(client_secret)}`)
}

/** The Basic header of text (as UTF-8) or bytes that are not encoded any further. */
export function rawBasic(credentials: string | Uint8Array): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}

function formEncode(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1)
}

export function expectClient(response: Response, client_id: string): void {
  expect([response.status, response.body]).toEqual([200, { client_id, user: null, scope: 'jobs' }])
}

/** 401 `invalid_client`, the same bytes every time; a challenge exactly where one is due. */
export function expectRefused(response: Response, expectedChallenge?: string): void {
  expect([response.status, response.text, response.headers['www-authenticate']]).toEqual([401, refusal, expectedChallenge])
  expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' })
}

/** `invalid_request` in the characters RFC 6749 §5.2 allows, and nothing else in the body. */
export function expectInvalidRequest(response: Response, status = 400): void {
  expect([response.status, response.body]).toEqual([
    status,
    { error: 'invalid_request', error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/) }
  ])
  expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
}

/** What an operator gets to see of everything that happened: decisions, and each error's words. */
export function operatorView({ decisions, errors }: AppUnderTest): string {
  const words = errors.map(error => (error instanceof OAuthError ? [error.message, error.reason, error.headers] : String(error)))
  return JSON.stringify([decisions, words])
}

/** The checks of the last decision that did not pass (skipped ones left out), as `name:outcome`. */
export function notPassed({ decisions }: Pick<AppUnderTest, 'decisions'>): readonly string[] {
  const checks = decisions.at(-1)?.checks ?? []
  return checks
    .filter(({ outcome }) => outcome === 'fail' || outcome === 'report')
    .map(({ check, outcome }) => `${check}:${outcome}`)
}

interface Listening {
  readonly url: string
  readonly close: () => Promise<void>
}

/** Serves an application on a port of its own. */
export async function listen(app: Express): Promise<Listening> {
  const server = createServer(app)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => new Promise<void>(resolve => server.close(() => resolve()))
  return { url: `http://127.0.0.1:${port}`, close }
}

/** Finds clients as a database would: after a while, and not in the order they were asked for. */
export function slowly(list: readonly ClientMetadata[]): (client_id: string) => Promise<ClientMetadata | undefined> {
  const byId = new Map(list.map(client => [client.client_id, client]))
  return async client_id => {
    await new Promise(resolve => setTimeout(resolve, Math.random() * 8))
    return byId.get(client_id)
  }
}
