/**
 * From a document to a client (Client ID Metadata Document §4): the one table of client metadata, and the draft's own
 * rules on top.
 */
import { ConfigurationError } from '../../options.ts'
import { toClient, type Client, type ClientMetadata } from '../client.ts'
import { credentialSet, keepCredentials, methodOf } from '../credentials.ts'
import { withOrigin } from '../client-origin.ts'
import { keysInSet, privateMembers } from '../metadata/jwk.ts'
import { judgeOfKind, type Fail } from '../metadata/kinds.ts'
import { memberOf } from '../metadata/metadata.ts'
import { isLoopbackRedirect, strangerRedirectUriProblem } from '../metadata/stranger-redirect-uri.ts'
import { checkOffered, type Offered } from '../offered.ts'
import { keepDocument, marksOf } from './document.ts'
import type { DocumentPolicy } from './options.ts'
import { isJsonObject } from '../../json.ts'

/** Rules of a server for what documents may say. */
export interface DocumentRules {
  readonly redirectUris: DocumentPolicy['redirectUris']
  /** Whether addresses to fetch from may be http on a loopback host. */
  readonly loopback: boolean
  /** Values that the server has, of grants none: what a client cannot use here it may use elsewhere. */
  readonly offered: Omit<Offered, 'methods' | 'grantTypes' | 'responseTypes' | 'confidentialGrantTypes'>
  /** Whether clients without a key may be let in at all. */
  readonly publicClients: boolean
  /** Every rule of the server's profile that a client breaks. */
  readonly profileProblems: (metadata: ClientMetadata) => readonly { readonly key: string; readonly mustBe: string }[]
}

/** A document that is no client's: the member that is wrong, and what it must be. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly member: string
  constructor(member: string, mustBe: string) {
    super(`${member} ${mustBe}`)
    this.member = member
  }
}

const fail: Fail = (member, mustBe) => {
  throw new DocumentError(member, mustBe)
}

/** @throws DocumentError for whatever breaks a rule. */
export function clientOfDocument(client_id: string, given: unknown, rules: DocumentRules): Client {
  if (!isJsonObject(given)) return fail('the document', 'must be a JSON object')
  if (given['client_id'] !== client_id) fail('client_id', 'must be the address of the document, as the client sends it')
  checkSecrets(given)
  const [first, ...others] = methodsOf(given, rules)
  const read = readMembers(given, rules)
  checkRedirects(client_id, read, rules)
  const metadata = { ...read, client_id, token_endpoint_auth_method: first, ...profiled(read, rules) }
  const client = made(metadata, rules)
  const added = others.map(method => methodOf({ id: method, source: 'configured' }, method))
  if (added.length > 0) keepCredentials(client, [...credentialSet(client).all, ...added])
  keepDocument(client, {
    host: new URL(client_id).host,
    loopback: client.redirect_uris.length > 0 && client.redirect_uris.every(isLoopbackRedirect),
    marks: marksOf(client, [first, ...others]),
    stale: false
  })
  return withOrigin(client, 'document')
}

/** §4.1: nobody shares a secret with whoever reads the document. */
function checkSecrets(given: Readonly<Record<string, unknown>>): void {
  for (const member of ['client_secret', 'client_secret_expires_at'])
    if (Object.hasOwn(given, member)) fail(member, 'must not be in a document that anyone can read')
  keysInSet(given['jwks'])?.forEach((key, index) => {
    if (isJsonObject(key) && (key['kty'] === 'oct' || privateMembers.some(name => name in key)))
      fail(`jwks.keys[${index}]`, 'must be a public key, with no private or symmetric part')
  })
}

type Method = 'none' | 'private_key_jwt'

/**
 * Reads the methods the client may authenticate by: the one it names, or those of its list. Of a list that has both,
 * the client counts as public, and what it proves with its key beside that is proved.
 */
function methodsOf(given: Readonly<Record<string, unknown>>, { publicClients }: DocumentRules): readonly [Method, ...Method[]] {
  const { token_endpoint_auth_method: one, token_endpoint_auth_methods_supported: list } = given
  const named = one ?? (Array.isArray(list) ? undefined : 'none')
  const member = named === undefined ? 'token_endpoint_auth_methods_supported' : 'token_endpoint_auth_method'
  const known = (['none', 'private_key_jwt'] as const).filter(method =>
    named === undefined ? (list as readonly unknown[]).includes(method) : named === method
  )
  const [first, ...others] = publicClients ? known : known.filter(method => method !== 'none')
  // a choice of which one cannot be made
  if (first === 'none' && given['jwks'] === undefined && given['jwks_uri'] === undefined) return [first]
  if (first !== undefined) return [first, ...others]
  return fail(member, publicClients ? 'must be none or private_key_jwt' : 'must be private_key_jwt: every client here has a key')
}

/** Members nobody here understands are left out, as are those that are the operator's to say. */
function readMembers(given: Readonly<Record<string, unknown>>, { loopback }: DocumentRules): Partial<ClientMetadata> {
  const read: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    const member = memberOf(name)
    if (member === undefined || member.configured === true || value === null || name === 'token_endpoint_auth_method') continue
    const kept = judgeOfKind(member.kind)(value, name, { fail, loopback })
    if (member.values !== undefined && !member.values.includes(kept as string))
      fail(name, `must be one of ${member.values.join(', ')}`)
    read[name] = kept
  }
  return read as Partial<ClientMetadata>
}

function checkRedirects(client_id: string, read: Partial<ClientMetadata>, { redirectUris }: DocumentRules): void {
  const uris = read.redirect_uris ?? []
  const grants = read.grant_types ?? ['authorization_code']
  if (uris.length === 0 && grants.includes('authorization_code'))
    fail('redirect_uris', 'must name at least one URI, for the grant authorization_code')
  const { origin } = new URL(client_id)
  uris.forEach((uri, index) => {
    const problem = strangerRedirectUriProblem(uri, [])
    if (problem !== undefined) fail(`redirect_uris[${index}]`, problem)
    if (redirectUris === 'same-origin' && !isLoopbackRedirect(uri) && new URL(uri).origin !== origin)
      fail(`redirect_uris[${index}]`, `must be of the document's own origin, ${origin}`)
  })
}

/** Has access tokens bound by DPoP where public clients are not let in and no certificate binds them. */
function profiled({ tls_client_certificate_bound_access_tokens: bound }: Partial<ClientMetadata>, rules: DocumentRules) {
  return rules.publicClients || bound === true ? {} : { dpop_bound_access_tokens: true }
}

function made(metadata: ClientMetadata, { offered, profileProblems }: DocumentRules): Client {
  // by what a document names itself, two strangers could learn who of the people they know is the same person (OpenID
  // Connect Core §8.1)
  if ((metadata.subject_type ?? 'public') !== 'public') fail('subject_type', 'must be public')
  const [problem] = profileProblems(metadata)
  if (problem !== undefined) fail(problem.key, problem.mustBe)
  try {
    const client = toClient(metadata, 'document')
    checkOffered(client, offered, fail)
    return client
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return fail(error.key.replace(/^document\./, ''), error.message.slice(error.key.length + 1))
  }
}
