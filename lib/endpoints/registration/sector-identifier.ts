/**
 * Sector identifiers (OpenID Connect Registration §5, CIBA §4). Clients of one sector know people by the same
 * identifiers, so nobody joins a sector without what only it can have: somewhere tokens are sent to, or keys.
 */
import type { FetchJson } from '../../outbound/guarded-fetch.ts'
import { methodAccepts } from '../../clients/methods.ts'
import { cibaGrantType } from '../../clients/grant-types.ts'
import { backchannelAddress, hostOf } from '../../clients/subject-type.ts'
import type { RegisteredMembers } from './metadata.ts'
import { refuse } from './values.ts'

/** An address that is the client's own, and the member that says so. */
interface Proof {
  readonly member: string
  readonly uri: string
}

/**
 * Fetches the document, where one is named, and finds everything in it that says whose the client is.
 *
 * @throws InvalidClientMetadataError
 */
export async function checkSectorIdentifier(registered: RegisteredMembers, fetchJson: FetchJson): Promise<void> {
  const { redirect_uris, sector_identifier_uri: uri, subject_type } = registered
  const proofs = subject_type === 'pairwise' ? sectorProofs(registered) : []
  if (uri === undefined) {
    if (proofs.length > 0 && hostOf(proofs.map(proof => proof.uri)) === undefined)
      refuse('sector_identifier_uri', `must be given, unless ${membersOf(proofs)} are at one host`)
    return
  }
  const listed = await fetchList(uri, fetchJson)
  const all = [...redirect_uris.map((redirect, index) => ({ member: `redirect_uris[${index}]`, uri: redirect })), ...proofs]
  const missing = all.find(proof => !listed.includes(proof.uri))
  if (missing !== undefined) refuse('sector_identifier_uri', `must name a document that lists ${missing.member}`)
}

function membersOf(proofs: readonly Proof[]): string {
  return [...new Set(proofs.map(({ member }) => member.replace(/\[.*/, '')))].join(' and ')
}

/**
 * For each of its grants what shows that whoever uses it is the client: redirect URIs show nothing of one that gets its
 * tokens without them.
 */
function sectorProofs(registered: RegisteredMembers): readonly Proof[] {
  const { grant_types, redirect_uris } = registered
  return grant_types.flatMap(grant_type => {
    if (withoutPerson.includes(grant_type)) return []
    if (grant_type === 'authorization_code')
      return redirect_uris.map((uri, index) => ({ member: `redirect_uris[${index}]`, uri }))
    return addressProof(registered, grant_type)
  })
}

/** `refresh_token` goes on with what another grant began. */
const withoutPerson = ['client_credentials', 'refresh_token']

function addressProof(registered: RegisteredMembers, grant_type: string): readonly Proof[] {
  const pushed = grant_type === cibaGrantType && registered.backchannel_token_delivery_mode === 'push'
  const member = pushed ? 'backchannel_client_notification_endpoint' : 'jwks_uri'
  const uri = pushed ? backchannelAddress(registered) : registered.jwks_uri
  // keys prove nothing of a client that need not have them
  const provesItself = pushed || methodAccepts(registered.token_endpoint_auth_method, 'key_set')
  if (uri === undefined || !provesItself)
    return refuse(
      member,
      `must be given${pushed ? '' : ', and prove the client,'} for pairwise subjects with the grant ${grant_type}`
    )
  return [{ member, uri }]
}

async function fetchList(uri: string, fetchJson: FetchJson): Promise<readonly unknown[]> {
  // why it failed is not told: it would show what there is in this server's network
  const fetched = await fetchJson(uri).catch(() => undefined)
  if (fetched === undefined) return refuse('sector_identifier_uri', 'must name a document this server can fetch')
  const { json } = fetched
  return Array.isArray(json)
    ? (json as readonly unknown[])
    : refuse('sector_identifier_uri', 'must name a JSON list of redirect URIs')
}
