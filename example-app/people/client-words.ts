/** Words of pages about a client: its name, whether anybody vouches for it, and where it is. */
import { clientDocument, clientOrigin, type Client } from 'clientele'
import type { Way } from '../http-error.ts'

export function nameOf(client: Client): string {
  return client.client_name ?? client.client_id
}

/**
 * Names a client by what it could not choose: the host of its document, where it has one; otherwise as it is
 * registered.
 */
export function askerOf(client: Client): string {
  return clientDocument(client)?.host ?? nameOf(client)
}

/**
 * Whether the client registered itself or has a document of its own, so that whatever it says of itself is its own word
 * alone.
 */
export function isUnvouched(client: Client): boolean {
  const origin = clientOrigin(client)
  return origin === 'registered' || origin === 'document'
}

/**
 * Tells of a client with a document the name it gives itself, if any, and whether the answer stays on the person's
 * machine, whatever program is there.
 */
export function documentOf(client: Client): { readonly name: string | undefined; readonly loopback: boolean } | undefined {
  const document = clientDocument(client)
  return document && { name: client.client_name, loopback: document.loopback }
}

/** Where a URI leads, as people compare it: its host, or the scheme of an app's own. */
export function hostOf(uri: string): string {
  const { host, protocol } = new URL(uri)
  return host === '' ? protocol : host
}

/** Lists the pages of its own on which the client tells of itself. */
export function linksOf({ client_uri, policy_uri, tos_uri }: Client): readonly Way[] {
  const links = [
    { text: 'Its home page', href: client_uri },
    { text: 'Its privacy policy', href: policy_uri },
    { text: 'Its terms of service', href: tos_uri }
  ]
  return links.flatMap(({ text, href }) => (isPage(href) ? [{ text, href }] : []))
}

/** The way back to a client whose request came to an end here; none to one nobody vouches for. */
export function waysBack(client: Client | undefined, redirect_uri: string | undefined): readonly Way[] {
  if (client === undefined || isUnvouched(client)) return []
  const home = [client.client_uri, redirect_uri === undefined ? undefined : `${originOf(redirect_uri)}/`].find(isPage)
  return home === undefined ? [] : [{ text: `Back to ${nameOf(client)}`, href: home }]
}

/** Only addresses of pages become links. */
function isPage(href: string | undefined): href is string {
  return href !== undefined && URL.canParse(href) && /^https?:$/.test(new URL(href).protocol)
}

function originOf(uri: string): string {
  return URL.canParse(uri) ? new URL(uri).origin : ''
}
