/** What a client registered of how it knows people (OpenID Connect Core §8), and the sector it belongs to. */
import type { ClientMetadata, RegisteredMetadata } from './client.ts'

/**
 * The sector of a client that knows people by pairwise identifiers: the host of its `sector_identifier_uri`, or the one web host all its redirect
 * URIs are at (§8.1). Undefined where that is not one.
 */
export function sectorOf(client: Pick<RegisteredMetadata, 'sector_identifier_uri' | 'redirect_uris'>): string | undefined {
  const { sector_identifier_uri, redirect_uris = [] } = client
  if (sector_identifier_uri !== undefined) return new URL(sector_identifier_uri).hostname
  // an app's own scheme names no host that it could be held to
  const hosts = new Set(redirect_uris.map(uri => (/^https?:/i.test(uri) ? new URL(uri).hostname : undefined)))
  return hosts.size === 1 ? [...hosts][0] : undefined
}

/** Checks `subject_type` and `sector_identifier_uri`; `fail` throws naming the member. The redirect URIs have been checked. */
export function checkSubjectType(metadata: ClientMetadata, fail: (member: string, mustBe: string) => never): void {
  const { subject_type = 'public', sector_identifier_uri: uri } = metadata
  if (!['public', 'pairwise'].includes(subject_type)) fail('subject_type', 'must be "public" or "pairwise"')
  // OpenID Connect Registration §2; with user info or a fragment the host would not be what it looks like
  if (uri !== undefined && !(typeof uri === 'string' && /^https:\/\/[^@#\\]+$/i.test(uri) && URL.canParse(uri)))
    fail('sector_identifier_uri', 'must be an https URL')
  if (subject_type === 'pairwise' && sectorOf(metadata) === undefined)
    fail('sector_identifier_uri', 'must be given for pairwise subjects, unless all redirect_uris are at one host')
}
