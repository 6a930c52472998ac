/** Sector identifiers (OpenID Connect Registration §5): a document of the client's that lists the redirect URIs which belong together. */
import { GuardedFetchError, type FetchJson } from '../../assertions/guarded-fetch.ts'
import type { RegisteredMembers } from './metadata.ts'
import { refuse } from './values.ts'

/**
 * Fetches the document and finds every redirect URI in it. A pairwise client whose redirect URIs are on several hosts must have one
 * (OpenID Connect Core §8.1).
 *
 * @throws InvalidClientMetadataError
 */
export async function checkSectorIdentifier(registered: RegisteredMembers, fetchJson: FetchJson): Promise<void> {
  const { redirect_uris, subject_type, sector_identifier_uri: uri } = registered
  if (typeof uri !== 'string') {
    const hosts = new Set(redirect_uris.map(redirect => new URL(redirect).host))
    if (subject_type === 'pairwise' && hosts.size > 1)
      refuse('sector_identifier_uri', 'must be given: the redirect URIs are on several hosts, and subject_type is pairwise')
    return
  }
  const listed = await fetchList(uri, fetchJson)
  const missing = redirect_uris.findIndex(redirect => !listed.includes(redirect))
  if (missing !== -1) refuse('sector_identifier_uri', `must name a document that lists redirect_uris[${missing}]`)
}

async function fetchList(uri: string, fetchJson: FetchJson): Promise<readonly unknown[]> {
  try {
    const { json } = await fetchJson(uri)
    return Array.isArray(json)
      ? (json as readonly unknown[])
      : refuse('sector_identifier_uri', 'must name a JSON list of redirect URIs')
  } catch (error) {
    // why it failed tells what there is in this server's network
    if (!(error instanceof GuardedFetchError)) throw error
    return refuse('sector_identifier_uri', 'must name a document this server can fetch')
  }
}
