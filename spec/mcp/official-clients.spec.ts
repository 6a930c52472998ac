/**
 * The official MCP clients with nothing but an address and an `authProvider`: at the example app in processes of its own, over HTTP and HTTPS, and
 * at an application of one's own on `clientele/mcp`, whose tools ask for more by the SDK's own means.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { exportJWK, exportPKCS8, generateKeyPair, type JWK } from 'jose'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer, requireScopes } from '@modelcontextprotocol/server'
import { authorizationCode, clientCredentials, jwtBearer, memoryStore, refreshToken, type ClientMetadata } from 'clientele'
import { federatedJwt, workloadGrant } from 'clientele/client-auth'
import { mcpAuthorization } from 'clientele/mcp'
import { kubernetes } from 'clientele/workloads'
import { z } from 'zod'
import { freePort, startProcess, stop, type RunningServer } from '../example-app/running-server.ts'
import { makeAuthority, makeCertificate } from '../support/certificates/certificates.ts'
import { tlsFetch, type Fetch } from '../support/journeys/fetch.ts'
import { specKeys } from '../support/servers/authorization-server.ts'
import { documentServer, redirect_uri, type DocumentServer } from '../support/servers/document-server.ts'
import { makeIssuer, signAs, type ForeignIssuer } from '../support/servers/trusted-issuer.ts'
import {
  alice,
  assertionProvider,
  jwtBearer as jwtBearerType,
  lines,
  personProvider,
  workloadProvider,
  type Identity,
  type Line,
  type OfficialClient
} from './official-clients.ts'

const secret = 'a-machine-secret-of-some-length'
const folder = mkdtempSync(join(tmpdir(), 'clientele-mcp-clients-'))
const authority = makeAuthority()
let host: DocumentServer
let idp: ForeignIssuer
let cluster: ForeignIssuer
let machineKey: string
let machineJwk: JWK

interface Place {
  readonly issuer: string
  /** Where the server's authority is one of this spec's. */
  readonly fetch?: Fetch
}
const places = new Map<string, Place>()
const processes: RunningServer[] = []
const listening: Server[] = []

function clients(): ClientMetadata[] {
  const machine = { grant_types: ['client_credentials'] }
  return [
    { client_id: 'by-secret', client_secret: secret, ...machine },
    { client_id: 'by-key', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [machineJwk] }, ...machine },
    { client_id: 'company', client_secret: secret, grant_types: [jwtBearerType] },
    {
      client_id: 'pod',
      token_endpoint_auth_method: 'federated_jwt',
      grant_types: ['client_credentials', jwtBearerType],
      federated_credentials: [kubernetes({ issuer: cluster.issuer, namespace: 'ci', serviceAccount: 'deployer' })]
    },
    ...[['authorization_code'], ['authorization_code', 'refresh_token']].map((grant_types, index) => ({
      client_id: ['known', 'known-refreshing'][index] ?? '',
      token_endpoint_auth_method: 'none',
      redirect_uris: [redirect_uri],
      grant_types
    }))
  ]
}

async function exampleApp(scheme: 'http' | 'https', ca: string): Promise<Place> {
  const issuer = `${scheme}://localhost:${await freePort()}`
  const settings = {
    issuer,
    clients: clients(),
    accounts: [{ sub: 'u-alice', ...alice }],
    client_documents: { hosts: ['localhost'] },
    trusted_issuers: [{ issuer: idp.issuer, jwks: { keys: [idp.jwk] } }],
    workload_issuers: [{ issuer: cluster.issuer, jwks: { keys: [cluster.jwk] } }],
    mcp: {},
    policy: { registration: 'open', workload_grant: true },
    ...(scheme === 'https' && { tls: { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') } })
  }
  processes.push(await startProcess(settings, { NODE_EXTRA_CA_CERTS: ca }))
  return { issuer, ...(scheme === 'https' && { fetch: tlsFetch({ ca: authority.pem }) }) }
}

async function ownApplication(): Promise<Place> {
  const issuer = `http://localhost:${await freePort()}`
  const mcp = mcpAuthorization({
    issuer,
    resource: `${issuer}/mcp`,
    scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
    required: ['notes:read'],
    clients: clients(),
    clientDocuments: { hosts: ['localhost'], ca: host.ca },
    registration: { access: 'open' },
    tokenIssuers: [
      authorizationCode(),
      refreshToken(),
      clientCredentials(),
      jwtBearer({
        trustedIssuers: [{ issuer: idp.issuer, jwks: { keys: [idp.jwk] } }],
        subject: ({ sub }) => sub,
        workloads: true
      })
    ],
    workloads: { issuers: [kubernetes.issuer(cluster.issuer, { jwks: { keys: [cluster.jwk] } })] },
    store: memoryStore(),
    keys: await specKeys(),
    interaction: {
      account: () => ({ sub: 'u-alice', auth_time: Math.floor(Date.now() / 1000) - 10 }),
      consented: () => true,
      prompt: (req, res, { id }) => mcp.server.resume(req, res, id, { consent: true })
    }
  })
  const notes: string[] = []
  const said = () => ({ content: [{ type: 'text' as const, text: `notes: ${notes.join(', ')}` }] })
  const handle = toNodeHandler(
    createMcpHandler(() => {
      const server = new McpServer({ name: 'notes', version: '1' })
      server.registerTool('list_notes', { description: 'Lists.' }, said)
      const inputSchema = z.object({ text: z.string() })
      const scopeChallenge = requireScopes('notes:read', 'notes:write')
      server.registerTool('add_note', { description: 'Adds.', inputSchema, scopeChallenge }, ({ text }) => {
        notes.push(text)
        return said()
      })
      return server
    })
  )
  const app = express()
  app.use(mcp)
  app.all('/mcp', mcp.requireToken, express.json(), (req, res, next) => void handle(req, res, req.body).catch(next))
  const server = createServer(app)
  listening.push(server)
  await new Promise<void>(done => server.listen(Number(new URL(issuer).port), 'localhost', done))
  return { issuer }
}

beforeAll(async () => {
  host = await documentServer()
  idp = await makeIssuer()
  cluster = await makeIssuer('https://oidc.cluster.example', 'RS256')
  const pair = await generateKeyPair('ES256', { extractable: true })
  machineKey = await exportPKCS8(pair.privateKey)
  machineJwk = { ...(await exportJWK(pair.publicKey)), alg: 'ES256' }
  const certificate = makeCertificate({ issuer: authority, sans: { dns: ['localhost'] } })
  const ca = join(folder, 'documents.pem')
  for (const [name, pem] of Object.entries({ 'key.pem': certificate.keyPem, 'cert.pem': certificate.pem }))
    writeFileSync(join(folder, name), pem, { mode: 0o600 })
  writeFileSync(ca, host.ca)
  const [overHttp, overHttps, own] = await Promise.all([exampleApp('http', ca), exampleApp('https', ca), ownApplication()])
  places.set('the example app, over HTTP', overHttp)
  places.set('the example app, over HTTPS', overHttps)
  places.set('an application on clientele/mcp', own)
}, 60_000)
afterAll(async () => {
  host.close()
  for (const server of listening) {
    server.closeAllConnections()
    server.close()
  }
  await Promise.all(processes.map(stop))
  rmSync(folder, { recursive: true })
})

const names = async (client: OfficialClient) => (await client.listTools()).tools.map(({ name }) => name).sort()
const list = async (client: OfficialClient) => JSON.stringify(await client.callTool({ name: 'list_notes', arguments: {} }))
const add = async (client: OfficialClient, text: string) =>
  JSON.stringify(await client.callTool({ name: 'add_note', arguments: { text } }))

describe.each(['the example app, over HTTP', 'the example app, over HTTPS', 'an application on clientele/mcp'])(
  'at %s',
  where => {
    const place = (): Place => places.get(where) ?? { issuer: '' }

    describe.each(lines)('the official $name', line => {
      const transport = (authProvider: object) => line.transport(`${place().issuer}/mcp`, authProvider, place().fetch)

      it.each<[string, () => Identity]>([
        ['a document', () => ({ clientMetadataUrl: documentOf(line) })],
        ['an id that is known', () => ({ client_id: line.stepsUp ? 'known-refreshing' : 'known', issuer: place().issuer })],
        ['a registration', () => ({})]
      ])('with %s signs a person in, lists, calls, and asks for more when it has to', async (how, identity) => {
        const provider = personProvider(identity(), line.stepsUp, place().fetch)
        const signingIn = transport(provider)
        await expect(line.client().connect(signingIn)).rejects.toThrow(/authoriz/i)
        await signingIn.finishAuth(provider.answer.code, provider.answer.iss)
        const client = line.client()
        const connected = transport(provider)
        await client.connect(connected)
        expect(await names(client)).toEqual(['add_note', 'list_notes'])
        expect(await list(client)).toContain('"type":"text"')
        const text = `${line.name}, ${how}`
        await expect(add(client, text)).rejects.toThrow(/authoriz/i)
        await connected.finishAuth(provider.answer.code, provider.answer.iss)
        expect(await add(client, text)).toContain(text)
        expect(await list(client)).toContain(text)
        expect([provider.asked.length, provider.asked.at(-1)]).toEqual([2, expect.stringMatching(/notes:read.*notes:write/)])
        await client.close()
      })

      it.each<[string, (idJag: (scope?: string) => Promise<string>) => object]>([
        [
          'a machine by its secret',
          () =>
            line.provider('ClientCredentialsProvider', {
              clientId: 'by-secret',
              clientSecret: secret,
              ...asking(line, place().issuer)
            })
        ],
        [
          'a machine by its key',
          () =>
            line.provider('PrivateKeyJwtProvider', {
              clientId: 'by-key',
              privateKey: machineKey,
              algorithm: 'ES256',
              ...asking(line, place().issuer)
            })
        ],
        ['a company by an ID-JAG', idJag => companyProvider(line, place().issuer, idJag)],
        ['a workload by its token alone', () => podProvider(line, place().issuer, jwtBearerType)],
        ['a workload by its token, as a client', () => podProvider(line, place().issuer, 'client_credentials')]
      ])('lets in %s, for both tools', async (how, provider) => {
        const { issuer } = place()
        const idJag = (scope?: string) =>
          signAs(idp, issuer, Date.now() / 1000, {
            header: { typ: 'oauth-id-jag+jwt' },
            claims: { client_id: 'company', resource: `${issuer}/mcp`, scope }
          })
        const client = line.client()
        await client.connect(transport(provider(idJag)))
        expect(await names(client)).toEqual(['add_note', 'list_notes'])
        expect(await list(client)).toContain('"type":"text"')
        const text = `${line.name}, ${how}`
        expect(await add(client, text)).toContain(text)
        await client.close()
      })

      it('keeps a workload out that is of no client', async () => {
        for (const grant_type of [jwtBearerType, 'client_credentials']) {
          const provider = podProvider(line, place().issuer, grant_type, 'system:serviceaccount:ci:tests')
          const connecting = line.client().connect(transport(provider))
          await expect(connecting).rejects.toThrow(
            grant_type === jwtBearerType ? 'this assertion is not valid' : 'authentication'
          )
        }
      })
    })
  }
)

function documentOf({ name, stepsUp }: Line): string {
  const grant_types = ['authorization_code', ...(stepsUp ? ['refresh_token'] : [])]
  return host.put(encodeURIComponent(name), { grant_types })
}

/** Whom a machine means, and, where it does not ask for more by itself, everything at once. */
function asking({ stepsUp }: Line, expectedIssuer: string): { expectedIssuer: string; scope?: string } {
  return { expectedIssuer, ...(!stepsUp && { scope: 'notes:read notes:write' }) }
}

function companyProvider(line: Line, issuer: string, idJag: (scope?: string) => Promise<string>): object {
  const who = { clientId: 'company', clientSecret: secret, ...asking(line, issuer) }
  if (!line.stepsUp) return assertionProvider(line, who, idJag)
  return line.provider('CrossAppAccessProvider', { ...who, assertion: ({ scope }: { scope?: string }) => idJag(scope) })
}

/** Through clientele/client-auth: a token for each request, of the service account. */
function podProvider(line: Line, issuer: string, grant_type: string, sub = 'system:serviceaccount:ci:deployer'): object {
  const account = { namespace: 'ci', serviceaccount: { name: sub.split(':').at(-1), uid: '7' } }
  const get = (aud: string) => signAs(cluster, aud, Date.now() / 1000, { claims: { sub, 'kubernetes.io': account } })
  const add = grant_type === jwtBearerType ? workloadGrant({ get, issuer }) : federatedJwt({ get, issuer })
  const { scope } = asking(line, issuer)
  return workloadProvider({ issuer, grant_type, add, ...(scope !== undefined && { scope }) })
}
