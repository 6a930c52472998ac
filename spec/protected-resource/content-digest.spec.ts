/** DPoP proofs that are bound to the body of their request, as the draft of MCP's DPoP extension says. */
import { hash } from 'node:crypto'
import { request as ask } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import express, { type RequestHandler } from 'express'
import { mcpProtection } from '../../lib/mcp/mcp.ts'
import { makeDpopKey, prove, type ProofParts } from '../support/clients/dpop.ts'
import { api, harness, issuer, listening, token } from '../support/servers/authorization-server.ts'

const key = await makeDpopKey()
const body = JSON.stringify({ jsonrpc: '2.0', method: 'tools/list', id: 1 })
const digestOf = (of: string | Buffer) => `sha-256=:${hash('sha256', of, 'base64')}:`
const limit = 4_194_304

/** An API that answers with the body it read, as whatever is mounted before and after says. */
async function served({
  before = [],
  after = express.text({ type: () => true, limit: '8mb' }),
  contentDigest = true
}: {
  readonly before?: readonly RequestHandler[]
  readonly after?: RequestHandler
  readonly contentDigest?: boolean
} = {}) {
  const made = await harness()
  const { app, server, clock } = made
  const protect = server.requireAccessToken({ contentDigest })
  const answer: RequestHandler = (req, res) => void res.json({ read: (req.body as unknown) ?? null })
  app.all('/api', ...before, protect, after, answer)
  const mcp = mcpProtection(server, { resource: api, required: ['api:read'], contentDigest })
  app.all('/mcp', mcp.requireToken, express.json(), answer)
  const proof = await prove(key, 'POST', `${issuer}/oauth2/token`, clock.now)
  const bought = token(app, 'web', { grant_type: 'client_credentials', scope: 'api:read', resource: api }).set('DPoP', proof)
  const { access_token } = (await bought).body as { access_token: string }
  return { ...made, access_token }
}

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly parts?: ProofParts
  readonly chunks?: readonly (string | Buffer)[]
  readonly headers?: Readonly<Record<string, string>>
}

async function call(
  { app, clock, access_token }: Awaited<ReturnType<typeof served>>,
  { method = 'POST', path = '/api', parts, chunks = [body], headers = {} }: Sent = {}
) {
  const claims = { content_digest: digestOf(Buffer.concat(chunks.map(chunk => Buffer.from(chunk)))) }
  const DPoP = await prove(key, method, `${issuer}${path}`, clock.now, {
    access_token,
    ...parts,
    claims: { ...claims, ...parts?.claims }
  })
  return listening(app, address => {
    const all = { Authorization: `DPoP ${access_token}`, DPoP, 'Content-Type': 'application/json', ...headers }
    return new Promise<{ status: number; challenge: string; text: string }>((resolve, reject) => {
      const sending = ask(`${address}${path}`, { method, headers: all }, response => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => {
          const challenge = response.headers['www-authenticate'] ?? ''
          resolve({ status: response.statusCode ?? 0, challenge: String(challenge), text })
        })
      }).once('error', reject)
      const next = (index: number): void => {
        const chunk = chunks[index]
        if (chunk === undefined) sending.end()
        else sending.write(chunk, () => setTimeout(next, 5, index + 1))
      }
      next(0)
    })
  })
}

describe('a proof with the digest of the body', () => {
  it.each<[string, readonly (string | Buffer)[]]>([
    ['in one piece', [body]],
    ['in pieces', [body.slice(0, 10), body.slice(10, 11), body.slice(11)]],
    ['that is larger than a buffer', [JSON.stringify({ x: 'y'.repeat(300_000) })]],
    ['as large as may be', [JSON.stringify('y'.repeat(limit - 2))]]
  ])('lets in a body %s, which is there for what parses it afterwards', async (_what, chunks) => {
    const made = await served()
    const { status, text } = await call(made, { chunks })
    expect([status, (JSON.parse(text) as { read: string }).read === chunks.join('')]).toEqual([200, true])
  })

  it('lets in a request without a body, for that of nothing', async () => {
    const made = await served()
    for (const method of ['GET', 'DELETE', 'POST'])
      expect((await call(made, { method, chunks: [], headers: { 'Content-Length': '0' } })).status).toBe(200)
    expect((await call(made, { chunks: [] })).status).toBe(200)
    expect((await call(made, { method: 'GET', chunks: [], parts: { claims: { content_digest: undefined } } })).status).toBe(401)
  })

  it('protects an MCP server', async () => {
    const made = await served()
    const { status, text } = await call(made, { path: '/mcp' })
    expect([status, text]).toEqual([200, JSON.stringify({ read: JSON.parse(body) })])
    expect((await call(made, { path: '/mcp', parts: { claims: { content_digest: undefined } } })).status).toBe(401)
  })

  it('is compared with what a parser before kept of the body', async () => {
    const keeping = express.json({ verify: (req, _res, raw) => void Object.assign(req, { rawBody: raw }) })
    const made = await served({ before: [keeping], after: (_req, _res, next) => next() })
    expect((await call(made)).status).toBe(200)
    expect((await call(made, { parts: { claims: { content_digest: digestOf(`${body} `) } } })).status).toBe(401)
  })

  it('cannot be compared where a parser before kept nothing: nobody is let in, and who mounted it is told', async () => {
    const made = await served({ before: [express.json()] })
    expect((await call(made)).status).toBe(500)
    expect(made.errors.at(-1)).toMatchObject({
      reason: expect.stringContaining('mount requireAccessToken() before whatever parses bodies')
    })
  })

  it.each<[string, unknown]>([
    ['none', undefined],
    ['one of another body', digestOf(`${body}\n`)],
    ['the digest in base64url', digestOf(body).replaceAll('+', '-').replaceAll('/', '_').replace('=:', ':')],
    ['the bare digest', hash('sha256', body, 'base64')],
    ['one of SHA-512', `sha-512=:${hash('sha512', body, 'base64')}:`],
    ['a list of it', [digestOf(body)]],
    ['a number', 5]
  ])('is refused where it has %s', async (_what, content_digest) => {
    const made = await served()
    const { status, challenge } = await call(made, { parts: { claims: { content_digest } } })
    expect([status, challenge]).toEqual([401, expect.stringContaining('error="invalid_dpop_proof"')])
    expect(made.errors.at(-1)).toMatchObject({ reason: 'content_digest is not the digest of the body' })
  })

  it.each([
    [290, 200],
    [-290, 200],
    [310, 401],
    [-310, 401]
  ])('that is %d seconds off is answered %d', async (off, status) => {
    const made = await served()
    const iat = Math.floor(made.clock.now / 1000) + off
    expect((await call(made, { parts: { claims: { iat } } })).status).toBe(status)
  })

  it('is used once, however long it is good for', async () => {
    const made = await served()
    const parts = { claims: { jti: 'once' } }
    expect((await call(made, { parts })).status).toBe(200)
    made.clock.now += 200_000
    expect(
      (await call(made, { parts: { claims: { ...parts.claims, iat: Math.floor(made.clock.now / 1000) - 200 } } })).status
    ).toBe(401)
  })

  it.each([
    ['announced', { 'Content-Length': String(limit + 1) }],
    ['not announced', {}]
  ])('is not looked for in a body that is larger than it may be, %s', async (_what, headers) => {
    const made = await served()
    const { status } = await call(made, { chunks: [Buffer.alloc(limit + 1, 'x')], headers })
    expect(status).toBe(413)
  })
})

it('without the option a proof needs no digest, and nobody reads the body', async () => {
  const made = await served({ contentDigest: false })
  const { status, text } = await call(made, { parts: { claims: { content_digest: undefined } } })
  expect([status, text]).toEqual([200, JSON.stringify({ read: body })])
})
