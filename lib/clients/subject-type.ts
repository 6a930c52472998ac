/** Sectors of clients, and the rule that a client of pairwise subjects must have one (OpenID Connect Core §8). */
import type { MetadataRule, RegisteredMetadata } from './metadata/metadata.ts'

type SectorMetadata = Pick<
  RegisteredMetadata,
  | 'sector_identifier_uri'
  | 'redirect_uris'
  | 'jwks_uri'
  | 'backchannel_token_delivery_mode'
  | 'backchannel_client_notification_endpoint'
>

/**
 * The sector of a client that knows people by pairwise identifiers: the host of its `sector_identifier_uri`, or the one
 * web host all its redirect URIs are at (§8.1). A client without any has that of its `jwks_uri`, or of where tokens are
 * pushed to (CIBA Core §4). Undefined where that is not one.
 */
export function sectorOf(client: SectorMetadata): string | undefined {
  const { sector_identifier_uri, redirect_uris = [] } = client
  if (sector_identifier_uri !== undefined) return new URL(sector_identifier_uri).hostname
  return hostOf(redirect_uris.length > 0 ? redirect_uris : [backchannelAddress(client)].filter(uri => uri !== undefined))
}

/** The one web host of these URIs; undefined where there are several, or none. */
export function hostOf(uris: readonly string[]): string | undefined {
  // an app's own scheme names no host that it could be held to
  const hosts = new Set(uris.map(uri => (/^https?:/i.test(uri) ? new URL(uri).hostname : undefined)))
  return hosts.size === 1 ? [...hosts][0] : undefined
}

/** The address that says whose a client is which gets its tokens without a redirect (CIBA Core §4). */
export function backchannelAddress(client: SectorMetadata): string | undefined {
  return client.backchannel_token_delivery_mode === 'push' ? client.backchannel_client_notification_endpoint : client.jwks_uri
}

export const pairwiseHasASector: MetadataRule = (metadata, fail) => {
  if (metadata.subject_type === 'pairwise' && sectorOf(metadata) === undefined)
    fail('sector_identifier_uri', 'must be given for pairwise subjects, unless all redirect_uris are at one host')
}
