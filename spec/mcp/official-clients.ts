/** The official MCP clients of each line, and the `authProvider`s they are given: of people, of machines, of workloads and of a company. */
import * as v2 from '@modelcontextprotocol/client'
import type { ClientAuthentication } from 'clientele/client-auth'
import { Browser } from '../support/journeys/browser.ts'
import { redirect_uri } from '../support/servers/document-server.ts'
import { plainFetch, type Fetch, type FetchInit } from '../support/journeys/fetch.ts'
import { keeping } from './kept.ts'

export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
export const alice = { username: 'alice', password: 'wonderland' }

/** The types of the 1.x line need those of a browser, which nothing else here does. */
const untyped = (path: string): Promise<Record<string, unknown>> => import(`@modelcontextprotocol/sdk/client/${path}.js`) as never
const v1 = { ...(await untyped('index')), ...(await untyped('streamableHttp')), ...(await untyped('auth-extensions')) }

type Made = new (...given: unknown[]) => object

export interface OfficialClient {
  connect(transport: object): Promise<void>
  listTools(): Promise<{ tools: { name: string }[] }>
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

export interface OfficialTransport {
  finishAuth(code: string, iss?: string): Promise<void>
}

export interface Line {
  readonly name: string
  /**
   * Whether it asks for more wherever it has to. The 1.x line refreshes instead where it has a refresh token, and its machines ask for what they
   * were made with and nothing else.
   */
  readonly stepsUp: boolean
  client(): OfficialClient
  /** `fetch`: where servers are trusted whose authority Node does not know. */
  transport(address: string, authProvider: object, fetch?: Fetch): OfficialTransport
  /** A provider the SDK brings. */
  provider(name: string, options: object): object
}

function line(name: string, of: Readonly<Record<string, unknown>>, stepsUp: boolean, options?: object): Line {
  const make = (which: string, ...given: unknown[]) => new (of[which] as Made)(...given)
  return {
    name,
    stepsUp,
    client: () => make('Client', { name: 'spec', version: '1' }, ...(options === undefined ? [] : [options])) as OfficialClient,
    transport: (address, authProvider, fetch) =>
      make('StreamableHTTPClientTransport', new URL(address), {
        authProvider,
        ...(fetch !== undefined && { fetch: (url: unknown, init: FetchInit) => fetch(String(url), init) })
      }) as OfficialTransport,
    provider: (which, given) => make(which, given)
  }
}

export const lines: readonly Line[] = [
  line('sdk 1.x', v1, false),
  line('client 2.x', v2, true),
  line('client 2.x at revision 2026-07-28', v2, true, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
]

/** Beside what the SDK asks of a provider: what came back to the redirect URI, and which scopes were asked for. */
export interface PersonProvider {
  readonly answer: { code: string; iss: string | undefined }
  readonly asked: (string | null)[]
}

/** Who the client is: by a document, by an id it was given, or else by registering. */
export interface Identity {
  readonly clientMetadataUrl?: string
  readonly client_id?: string
  /** Of the server that knows the id. */
  readonly issuer?: string
}

/** Alice signs in for it in a browser, and agrees. */
export function personProvider(identity: Identity, stepsUp: boolean, fetch: Fetch = plainFetch): PersonProvider {
  const { clientMetadataUrl, client_id, issuer } = identity
  const kept: Record<string, unknown> = { client: client_id === undefined ? undefined : { client_id, issuer } }
  const browser = new Browser(fetch)
  const answer: PersonProvider['answer'] = { code: '', iss: undefined }
  const asked: (string | null)[] = []
  const provider = {
    answer,
    asked,
    ...(clientMetadataUrl !== undefined && { clientMetadataUrl }),
    redirectUrl: redirect_uri,
    clientMetadata: {
      client_name: 'Notes',
      redirect_uris: [redirect_uri],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', ...(stepsUp ? ['refresh_token'] : [])]
    },
    ...keeping(kept),
    async redirectToAuthorization(url: URL) {
      asked.push(url.searchParams.get('scope'))
      let page = await browser.open(url)
      // no page but a form goes on, and none is filled in twice
      for (const filledIn of [alice, { decision: 'allow' }]) {
        const isNext = page.leftFor === undefined && page.html.includes(`name="${Object.keys(filledIn)[0] ?? ''}"`)
        if (isNext) page = await browser.submit(page, filledIn)
      }
      const { searchParams } = browser.finish(page)
      answer.code = searchParams.get('code') ?? ''
      answer.iss = searchParams.get('iss') ?? undefined
    }
  }
  return provider
}

/** A machine's, of the 1.x line, that presents an assertion: this line brings none of its own. */
export function assertionProvider(of: Line, options: object, assertion: (scope?: string) => Promise<string>): object {
  const prepareTokenRequest = async (scope?: string) =>
    new URLSearchParams({ grant_type: jwtBearer, assertion: await assertion(scope), ...(scope !== undefined && { scope }) })
  return Object.assign(of.provider('ClientCredentialsProvider', options), { prepareTokenRequest })
}

/**
 * A workload's, which the SDK has none for: it asks by `grant_type`, and what is added to every request proves it. Its name is never sent where the
 * token alone says who it is.
 */
export function workloadProvider({ issuer, scope, grant_type, add }: WorkloadAsking): object {
  return {
    redirectUrl: undefined,
    clientMetadata: { redirect_uris: [] },
    ...keeping({ client: { client_id: 'unnamed', issuer } }),
    invalidateCredentials: () => undefined,
    redirectToAuthorization: () => Promise.reject(new Error('nobody signs in here')),
    prepareTokenRequest(asked?: string) {
      const wanted = scope ?? asked
      return new URLSearchParams({ grant_type, ...(wanted !== undefined && { scope: wanted }) })
    },
    addClientAuthentication: add
  }
}

export interface WorkloadAsking {
  readonly issuer: string
  /** Everything at once, for a line that does not ask for more by itself. */
  readonly scope?: string
  readonly grant_type: string
  readonly add: ClientAuthentication
}
