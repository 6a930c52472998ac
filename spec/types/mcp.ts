/** What `clientele/mcp` says of a caller is what both lines of the MCP SDK expect: their own types, and not ours, are held against it. */
import express from 'express'
import { requireBearerAuth } from '@modelcontextprotocol/express'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer, OAuthError, OAuthErrorCode } from '@modelcontextprotocol/server'
import type { AuthInfo, OAuthTokenVerifier } from '@modelcontextprotocol/server'
import type { OAuthTokenVerifier as OAuthTokenVerifierV1 } from '@modelcontextprotocol/sdk/server/auth/provider.js'
import type { AuthInfo as AuthInfoV1 } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { generateKeys, memoryStore } from 'clientele'
import { mcpAuthorization, upstream, type McpAuthInfo, type McpProtection } from 'clientele/mcp'

declare const info: McpAuthInfo
declare const protection: McpProtection

info satisfies AuthInfo
info satisfies AuthInfoV1
protection.verifier satisfies OAuthTokenVerifier
protection.verifier satisfies OAuthTokenVerifierV1

/** Members of one of the SDK's types that ours has not: none. */
type Missing<Theirs> = { [Member in keyof Theirs]: Member extends keyof McpAuthInfo ? never : Member }[keyof Theirs]
declare const missing: { readonly v1: Missing<Required<AuthInfoV1>>; readonly v2: Missing<Required<AuthInfo>> }
missing satisfies { readonly v1: never; readonly v2: never }

const issuer = 'https://mcp.example.com'
const mcp = mcpAuthorization({
  issuer,
  resource: `${issuer}/mcp`,
  scopes: { 'notes:read': 'Read your notes' },
  required: ['notes:read'],
  invalidToken: message => new OAuthError(OAuthErrorCode.InvalidToken, message),
  store: memoryStore(),
  keys: await generateKeys(),
  signIn: upstream({ issuer: 'https://login.example.com', client_id: 'mcp', client_secret: 'a generated secret' })
})
const handle = toNodeHandler(createMcpHandler(({ authInfo }) => new McpServer({ name: authInfo?.clientId ?? '', version: '1' })))
const app = express()
app.use(mcp, mcp.v1Paths())
// a request that was let in goes to the SDK's handler as it is, whoever has let it in
app.all('/mcp', mcp.requireToken, (req, res) => void handle(req, res, req.body))
app.all('/theirs', requireBearerAuth({ verifier: mcp.verifier, requiredScopes: ['notes:read'] }), (req, res) => {
  const { auth } = req
  auth satisfies AuthInfo | undefined
  void handle(req, res, req.body)
})
app.post('/write', mcp.requireToken, (req, res) => {
  if (mcp.challenge(req, ['notes:write'])) res.json({})
})

// @ts-expect-error a verifier is no middleware
app.use(mcp.verifier)
// @ts-expect-error scope values are a list
mcp.challenge(express.request, 'notes:write')
