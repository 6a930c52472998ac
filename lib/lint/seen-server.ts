/** Observes a running server from outside, without changing anything there. */
import { parseJsonObject, type JsonObject } from '../json.ts'
import { eyes, LookError, type Eyes, type Look } from './look.ts'
import { stringsOf } from './linted-options.ts'

/** A JSON document, and where it was. */
interface SeenDocument {
  readonly url: string
  readonly body: JsonObject
  readonly headers: Headers
}

/** Observations of an MCP server, or of another protected resource. */
export interface SeenResource {
  readonly url: string
  /** Its answer to a request without a token; undefined where there was none. */
  readonly refusal: Look | undefined
  /** Its metadata; undefined where there is none. */
  readonly metadata: SeenDocument | undefined
}

/** Observations of a server; undefined wherever it could not be looked at. */
export interface SeenServer {
  /** The address that was given. */
  readonly given: string
  /** The issuer it should say it is; undefined where the document itself was given. */
  readonly expectedIssuer: string | undefined
  readonly metadata: SeenDocument
  /** The other well-known document, where both are there. */
  readonly other: SeenDocument | undefined
  readonly jwks: Look | undefined
  /** The token endpoint's answer to a client nobody has, with a secret in the Authorization header. */
  readonly refusal: Look | undefined
  /** Its answer to GET. */
  readonly got: Look | undefined
  /** The authorization endpoint's answer to a client nobody has, whose redirect URI is an attacker's. */
  readonly authorization: Look | undefined
  readonly resource: SeenResource | undefined
  /** Addresses that could not be looked at, each with the reason; none of the server's own metadata is among them. */
  readonly unanswered: readonly { readonly url: string; readonly reason: string }[]
}

/** A name no client has, and an address nobody is at (RFC 2606). */
const nobody = 'clientele-lint-no-such-client'
export const elsewhere = 'https://attacker.invalid/callback'

/** Where an issuer's metadata may be: RFC 8414 §3.1, then OpenID Connect Discovery §4. */
function metadataAddresses(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    ...new Set([
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}/.well-known/openid-configuration${path}`,
      `${origin}${path}/.well-known/openid-configuration`
    ])
  ]
}

/** Looks at a server. @throws {@link LookError} where there is no metadata to be had. */
export async function seeServer(given: string, fetch: typeof globalThis.fetch, wait: number): Promise<SeenServer> {
  const through = eyes(fetch, wait)
  const unanswered: { url: string; reason: string }[] = []
  const attempt = async (url: unknown, init?: RequestInit): Promise<Look | undefined> => {
    if (typeof url !== 'string' || !/^https?:/.test(url) || !URL.canParse(url)) return undefined
    try {
      return await through.look(url, init)
    } catch (error) {
      unanswered.push({ url, reason: error instanceof LookError ? error.message : 'it did not answer' })
      return undefined
    }
  }
  const found = await findMetadata(given, through, attempt)
  const { body } = found.metadata
  return {
    given,
    ...found,
    jwks: await attempt(body['jwks_uri']),
    refusal: await attempt(body['token_endpoint'], {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${nobody}:no-secret`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' })
    }),
    got: await attempt(body['token_endpoint']),
    authorization: await attempt(authorizationRequest(body['authorization_endpoint'])),
    resource: found.resource ?? (await findResource(found.metadata, attempt)),
    unanswered
  }
}

type Attempt = (url: unknown, init?: RequestInit) => Promise<Look | undefined>
type Found = Pick<SeenServer, 'metadata' | 'other' | 'expectedIssuer' | 'resource'>

async function findMetadata(given: string, through: Eyes, attempt: Attempt): Promise<Found> {
  if (new URL(given).pathname.includes('/.well-known/')) {
    const metadata = documentIn(await through.look(given))
    if (metadata === undefined) throw new LookError('there is no JSON object at this address')
    return { metadata, other: undefined, expectedIssuer: undefined, resource: undefined }
  }
  const issuer = given.replace(/\/$/, '')
  const direct = await metadataOf(issuer, through)
  if (direct.found !== undefined) return { ...direct.found, expectedIssuer: issuer, resource: undefined }
  const resource = await seeResource(given, undefined, attempt)
  const [behind] = stringsOf(resource?.metadata?.body['authorization_servers'])
  if (behind === undefined || !URL.canParse(behind)) throw new LookError(direct.reason)
  const indirect = await metadataOf(behind, through)
  if (indirect.found === undefined) throw new LookError(`${behind}: ${indirect.reason}`)
  return { ...indirect.found, expectedIssuer: behind, resource }
}

/** The documents of an issuer; what is at one address does not keep the others from being looked at. */
async function metadataOf(
  issuer: string,
  through: Eyes
): Promise<{ readonly found?: Pick<SeenServer, 'metadata' | 'other'>; readonly reason: string }> {
  const documents: SeenDocument[] = []
  let reason = 'there is no metadata at its well-known addresses'
  for (const url of metadataAddresses(issuer)) {
    try {
      const look = await through.look(url)
      const document = documentIn(look)
      if (document !== undefined) documents.push(document)
      else if (look.status === 200) reason = `what is at ${url} is no JSON object`
      else if (look.status >= 300 && look.status < 400) reason = `${url} redirects, which is not followed`
    } catch (error) {
      if (!(error instanceof LookError)) throw error
      reason = error.message
      // whoever hangs once hangs again
      break
    }
  }
  const [metadata, other] = documents
  return metadata === undefined ? { reason } : { reason, found: { metadata, other } }
}

function documentIn({ url, status, headers, text }: Look): SeenDocument | undefined {
  const body = status === 200 ? parseJsonObject(text) : undefined
  return body && { url, body, headers }
}

function authorizationRequest(endpoint: unknown): string | undefined {
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined
  const url = new URL(endpoint)
  const query = { response_type: 'code', client_id: nobody, redirect_uri: elsewhere, state: 'lint' }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url.href
}

/** The resource that the server names, or that stands at its origin. */
async function findResource({ body }: SeenDocument, attempt: Attempt): Promise<SeenResource | undefined> {
  const [named] = stringsOf(body['protected_resources'])
  if (named !== undefined) return seeResource(named, undefined, attempt)
  const issuer = body['issuer']
  if (typeof issuer !== 'string' || !URL.canParse(issuer)) return undefined
  const { origin, pathname } = new URL(issuer)
  const wellKnown = `${origin}/.well-known/oauth-protected-resource`
  for (const address of new Set([wellKnown + pathname.replace(/\/$/, ''), wellKnown])) {
    const look = await attempt(address)
    if (look === undefined) return undefined
    const metadata = documentIn(look)
    const resource = metadata?.body['resource']
    if (metadata === undefined || typeof resource !== 'string') continue
    // one origin may have resources of several issuers
    const isOurs = address !== wellKnown || stringsOf(metadata.body['authorization_servers']).includes(issuer)
    if (isOurs || pathname === '/') return seeResource(resource, metadata, attempt)
  }
  return undefined
}

async function seeResource(url: string, known: SeenDocument | undefined, attempt: Attempt): Promise<SeenResource | undefined> {
  if (!URL.canParse(url)) return undefined
  const refusal = await attempt(url)
  const { origin, pathname } = new URL(url)
  const path = pathname.replace(/\/$/, '')
  const announced = /resource_metadata="([^"]+)"/.exec(refusal?.headers.get('www-authenticate') ?? '')?.[1]
  const addresses = [announced, `${origin}/.well-known/oauth-protected-resource${path}`]
  for (const address of known === undefined ? new Set(addresses) : []) {
    const look = await attempt(address)
    const metadata = look && documentIn(look)
    if (metadata !== undefined) return { url, refusal, metadata }
  }
  return { url, refusal, metadata: known }
}
