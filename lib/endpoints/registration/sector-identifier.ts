/** Sector identifiers (OpenID Connect Registration §5): a document of the client's that lists the redirect URIs which belong together. */
import type { FetchJson } from '../../assertions/guarded-fetch.ts'
import type { RegisteredMembers } from './metadata.ts'
import { refuse } from './values.ts'

/**
 * Fetches the document, where one is named, and finds every redirect URI in it: nobody joins a sector that does not list it.
 *
 * @throws InvalidClientMetadataError
 */
export async function checkSectorIdentifier(registered: RegisteredMembers, fetchJson: FetchJson): Promise<void> {
  const { redirect_uris, sector_identifier_uri: uri } = registered
  if (uri === undefined) return
  const listed = await fetchList(uri, fetchJson)
  const missing = redirect_uris.findIndex(redirect => !listed.includes(redirect))
  if (missing !== -1) refuse('sector_identifier_uri', `must name a document that lists redirect_uris[${missing}]`)
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
