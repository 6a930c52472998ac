/** The requests each vendor's client makes, as its documents and documentation have them, against `clientele/mcp` and against a server put together by hand. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import express, { type Express } from 'express'
import request from 'supertest'
import { authorizationServer, memoryStore } from 'clientele'
import { mcpAuthorization } from 'clientele/mcp'
import { code_challenge, code_verifier, specKeys } from '../support/servers/authorization-server.ts'
import { documentServer, type DocumentServer } from '../support/servers/document-server.ts'

interface Step {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'OPTIONS'
  readonly to: string
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
  readonly json?: object
  readonly expect: { readonly status: number; readonly json?: object; readonly headers?: Readonly<Record<string, string>> }
  /** What later requests need of the answer, by where it is. */
  readonly keep?: Readonly<Record<string, string>>
}

interface Trace {
  readonly client: string
  readonly sources: readonly { readonly title: string; readonly url: string; readonly date: string }[]
  readonly document?: { readonly client_id: string }
  readonly requests: readonly Step[]
}

const folder = new URL('traces/', import.meta.url)
const traces = readdirSync(folder).map(name => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Trace)

const issuer = 'http://localhost:3000'
const resource = `${issuer}/mcp`
const account = () => ({ sub: 'alice', auth_time: Math.floor(Date.now() / 1000) - 10 })

let host: DocumentServer
beforeAll(async () => void (host = await documentServer()))
afterAll(() => host.close())

function publish({ client_id, ...members }: { readonly client_id: string }): string {
  return host.put(new URL(client_id).pathname.slice(1), members)
}

/** The application a trace is replayed against; whoever is asked for consent agrees. */
async function common() {
  return {
    issuer,
    clientDocuments: { hosts: ['localhost'], ca: host.ca },
    store: memoryStore(),
    keys: await specKeys(),
    registration: { access: 'open', schemes: ['cursor'] } as const,
    interaction: {
      account,
      consented: () => true,
      prompt: (_req: unknown, res: express.Response, { id }: { id: string }) => void res.json({ id })
    }
  }
}

const servers: Readonly<Record<string, () => Promise<Express>>> = {
  async 'clientele/mcp'() {
    const mcp = mcpAuthorization({
      ...(await common()),
      resource,
      scopes: { 'notes:read': 'Read' },
      required: ['notes:read']
    })
    const app = express()
    app.use(mcp)
    app.all('/mcp', mcp.requireToken, (_req, res) => void res.json({}))
    app.post('/agree/:id', (req, res) => void mcp.server.resume(req, res, req.params.id, { consent: true }))
    return app
  },
  async 'authorizationServer()'() {
    const server = authorizationServer({
      ...(await common()),
      clients: [],

      resources: [{ resource, scopes: ['notes:read'], refreshTokens: 'registered' }]
    })
    const app = express()
    app.use(server, server.protectedResourceMetadata({ resource, scopes: ['notes:read'] }))
    const resourceMetadata = `${issuer}/.well-known/oauth-protected-resource/mcp`
    const protect = server.requireAccessToken({
      ...({ resources: [resource], audience: 'required', scope: ['notes:read'] } as const),
      ...{ resourceMetadata, alwaysError: true }
    })
    app.options('/mcp', (_req, res) => void res.set('access-control-allow-origin', '*').status(204).end())
    app.all('/mcp', protect, (_req, res) => void res.json({}))
    app.post('/agree/:id', (req, res) => void server.resume(req, res, req.params.id, { consent: true }))
    return app
  }
}

async function send(app: Express, { method, to, headers = {}, query, form, json }: Step): Promise<request.Response> {
  const path = to.replace(issuer, '')
  const asked =
    method === 'GET' ? request(app).get(path) : method === 'POST' ? request(app).post(path) : request(app).options(path)
  asked.set(headers)
  if (query !== undefined) asked.query(query)
  const answer = await (form === undefined ? asked.send(json) : asked.type('form').send(form))
  const { id } = (answer.body ?? {}) as { id?: string }
  return id === undefined ? answer : request(app).post(`/agree/${id}`)
}

/** What stands there in an answer: `json.code`, `location.code`, `challenge.scope`. */
function found(answer: request.Response, where: string): string {
  const [part, name = ''] = where.split('.')
  if (part === 'json') return String((answer.body as Record<string, unknown>)[name])
  if (part === 'location') return new URL(answer.headers['location'] ?? '').searchParams.get(name) ?? ''
  return new RegExp(`${name}="([^"]*)"`).exec(String(answer.headers['www-authenticate']))?.[1] ?? ''
}

function filledIn<T>(value: T, known: ReadonlyMap<string, string>): T {
  return JSON.parse(JSON.stringify(value).replace(/\{(\w+)\}/g, (whole, name: string) => known.get(name) ?? whole)) as T
}

describe.each(Object.keys(servers))('%s', name => {
  it.each(traces.map((trace): [string, Trace] => [trace.client, trace]))('lets in %s', async (_, trace) => {
    const app = await (servers[name]?.() ?? Promise.reject(new Error(name)))
    const known = new Map(Object.entries({ issuer, resource, code_challenge, code_verifier }))
    // the document is served here, under the path it has there
    if (trace.document !== undefined) known.set('client_id', publish(trace.document))
    for (const given of trace.requests) {
      // a pattern has braces of its own
      const { keep = {}, ...step } = { ...filledIn(given, known), expect: given.expect }
      const answer = await send(app, step)
      const told = JSON.stringify([answer.body, answer.headers])
      expect([step.name, answer.status, answer.status === step.expect.status ? '' : told]).toEqual([
        step.name,
        step.expect.status,
        ''
      ])
      if (step.expect.json !== undefined) expect(answer.body).toMatchObject(filledIn(step.expect.json, known))
      for (const [header, pattern] of Object.entries(step.expect.headers ?? {}))
        expect([step.name, String(answer.headers[header])]).toEqual([step.name, expect.stringMatching(new RegExp(pattern))])
      for (const [member, where] of Object.entries(keep)) known.set(member, found(answer, where))
    }
  })
})

it('has a trace of every vendor, each with its sources and their dates', () => {
  expect(traces.map(({ client }) => client.split(' (')[0]).sort()).toEqual([
    'ChatGPT',
    'Claude',
    'Claude Code',
    'Cursor',
    'MCP Inspector',
    'VS Code'
  ])
  for (const { sources } of traces) {
    expect(sources.length).toBeGreaterThan(0)
    for (const { url, date } of sources)
      expect([url, date]).toEqual([expect.stringMatching(/^https:/), expect.stringMatching(/20\d\d/)])
  }
})
