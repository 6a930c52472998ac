/** The demo's MCP server: notes of one's own, over streamable HTTP, for whoever signs in. */
import { createHash } from 'node:crypto'
import express, { Router, type ErrorRequestHandler, type Request, type RequestHandler } from 'express'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { scopedStore, type AuthorizationServer, type Key, type Store } from 'clientele'
import { mcpProtection } from 'clientele/mcp'
import { z } from 'zod'
import type { McpSettings } from './config/schema.ts'
import { mcpAddress } from './config/server-options.ts'

interface McpRoutesOptions {
  readonly issuer: string
  readonly settings: McpSettings
  readonly server: AuthorizationServer
  readonly store: Store
  /** Whether a DPoP proof must have the digest of the message it came with. */
  readonly contentDigest: boolean
}

/** The MCP server, and the metadata that leads clients to its authorization server. */
export function mcpRoutes({ issuer, settings, server, store, contentDigest }: McpRoutesOptions): Router {
  const { required_scopes: required, optional_scopes } = settings
  const resource = mcpAddress(issuer, settings)
  const mcp = mcpProtection(server, { resource, required, resourceName: 'Notes', contentDigest })
  const notes = notesOf(scopedStore(store, issuer))
  const handle = toNodeHandler(createMcpHandler(({ authInfo }) => notesServer(notes, subOf(authInfo))))
  const checkWriting: RequestHandler = (req, _res, next) => {
    if (!callsTool(req, 'add_note') || mcp.challenge(req, optional_scopes.slice(0, 1))) next()
  }
  const router = Router({ caseSensitive: true })
  router.use(mcp.metadata)
  const answer: RequestHandler = (req, res, next) => {
    handle(req, res, req.body).catch(next)
  }
  router.all(new URL(resource).pathname, mcp.requireToken, express.json({ limit: '64kb' }), refuseBody, checkWriting, answer)
  return router
}

/** Clients read no pages: what is no JSON is told as JSON-RPC 2.0 tells it (§5.1). */
const refuseBody: ErrorRequestHandler = (error: { readonly type?: unknown; readonly status?: unknown }, _req, res, next) => {
  const { type, status } = error
  if (typeof type !== 'string' || typeof status !== 'number') {
    next(error)
    return
  }
  const message = status === 413 ? 'the message is too long' : 'the message cannot be read as JSON'
  res.status(status).json({ jsonrpc: '2.0', error: { code: -32_700, message }, id: null })
}

function subOf(authInfo: { readonly extra?: Record<string, unknown> } | undefined): string {
  const sub = authInfo?.extra?.['sub']
  if (typeof sub !== 'string') throw new TypeError('the request was let in without a token')
  return sub
}

/**
 * Whether a request calls a tool of this name: one message, or several at once as clients of earlier revisions send
 * them.
 */
function callsTool(req: Request, name: string): boolean {
  const body: unknown = req.body
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body]
  return messages.some(
    message =>
      isObject(message) && message['method'] === 'tools/call' && isObject(message['params']) && message['params']['name'] === name
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function notesServer(notes: Notes, sub: string): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  const said = (text: string) => ({ content: [{ type: 'text' as const, text }] })
  server.registerTool('list_notes', { description: 'Lists your notes.', annotations: { readOnlyHint: true } }, async () => {
    const list = await notes.list(sub)
    return said(list.length === 0 ? 'There are no notes yet.' : list.join('\n'))
  })
  const inputSchema = z.object({ text: z.string().min(1).max(longestNote).describe('What to keep.') })
  server.registerTool('add_note', { description: 'Keeps a note for you.', inputSchema }, async ({ text }) => {
    const kept = await notes.add(sub, text)
    return kept ? said(`Kept: ${text}`) : { ...said(`There are ${mostNotes} notes already.`), isError: true }
  })
  return server
}

interface Notes {
  list(sub: string): Promise<readonly string[]>
  /** False where there are too many already. */
  add(sub: string, text: string): Promise<boolean>
}

const longestNote = 2000
const mostNotes = 100
/** Seconds. */
const keptFor = 31_536_000

/** Notes in the store, for each person their own. */
function notesOf(store: Store): Notes {
  const read = async (sub: string) => {
    const record = await store.get(keyOf(sub))
    return { version: record?.version, list: (record?.value ?? []) as readonly string[] }
  }
  return {
    list: async sub => (await read(sub)).list,
    async add(sub, text) {
      for (;;) {
        const { version, list } = await read(sub)
        if (list.length >= mostNotes) return false
        const next = [...list, text]
        const key = keyOf(sub)
        // whoever else has added one meanwhile, theirs stays
        const kept = version === undefined ? await store.add(key, next, keptFor) : await store.swap(key, version, next, keptFor)
        if (kept) return true
      }
    }
  }
}

function keyOf(sub: string): Key {
  return { kind: 'notes', id: createHash('sha256').update(sub).digest('base64url') }
}
